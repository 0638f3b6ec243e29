// The commands beside `scan` that go on from snapshots, or look a cut up among them: they print the same bytes as from the start, also where snapshots
// are damaged, or of another log or other rules, which is told.
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RecordedEvent } from '../../src/log/event.js'
import { formatTicks } from '../../src/log/ticks.js'
import { openEmbeddedStore } from '../../src/stores/embedded/embedded-store.js'
import { Random } from '../../src/workload/random.js'
import { eventsOfLog } from '../controls/events.js'
import { seedFor } from '../controls/seed.js'
import { makegood, newFolder, type Ran, rowsOf } from './run-makegood.js'

const BOOKINGS = '150'
const EVERY = '100'
const USED = /From the snapshot at \d+\/\d+ \(.+\): [\d,]+ events? read since\n/g
const OLD_RULES = resolve(import.meta.dirname, '../../dist/projections/booking/booking.js')

const folder = newFolder()
const store = join(folder, 'store')
const kept = join(store, 'snapshots')
const other = join(folder, 'other')
const random = new Random(seedFor('snapshots of commands'), 0)
afterAll(() => rmSync(folder, { recursive: true }))

let events: readonly RecordedEvent[]
const anyEvent = (start = 300, end = events.length) => events[random.between(start, end - 1)] as RecordedEvent
const placeOf = ({ position: { commit, prepare } }: RecordedEvent) => `${commit}/${prepare}`
/** Just in front of the event, where nothing stands: it has to be looked for. */
const gapBefore = ({ position: { commit, prepare } }: RecordedEvent) => `${commit - 1n}/${prepare - 1n}`
const timeOf = ({ created }: RecordedEvent) => formatTicks(created as bigint)

interface Answer extends Ran {
  /** The plan file, where there is one. */
  readonly file: string
}

async function ask(args: readonly string[], how: readonly string[] = []): Promise<Answer> {
  const plan = join(folder, `plan${how.join('')}.json`)
  const out = args[0] === 'plan' ? ['--out', plan] : []
  const ran = await makegood([...args, '--store', store, '--format', 'json', ...out, ...how])
  const file = args[0] === 'plan' ? readFileSync(plan, 'utf8') : ''
  return { ...ran, stdout: ran.stdout.replaceAll(plan, 'plan.json').replace(/"elapsedMs":\d+/, ''), file }
}

/** Gives what was said on standard error where snapshots may be used. */
async function expectEqual(args: readonly string[]): Promise<string> {
  const [from, zero] = await Promise.all([ask(args), ask(args, ['--no-from-snapshot'])])
  expect([from.code, from.stdout, from.file]).toEqual([zero.code, zero.stdout, zero.file])
  expect([0, 2]).toContain(zero.code)
  expect(zero.stderr).not.toContain('napshot')
  return from.stderr
}

const timesUsed = (stderr: string) => [...stderr.matchAll(USED)].length

/** A module with the booking's rules, but for one of them. */
function writeRules(name: string, { version, without }: { version: string; without: number }): string {
  const file = join(folder, name)
  writeFileSync(
    file,
    `import { booking } from ${JSON.stringify(OLD_RULES)}
     const rules = booking.rules.map((rule, index) => (index === ${without} ? { ...rule, when: { never: () => false } } : rule))
     export default { ...booking, version: '${version}', rules }`,
  )
  return file
}

/** The one series in a folder. */
function seriesIn(root: string): string {
  const [series = ''] = readdirSync(root)
  return join(root, series)
}

async function makeStore(path: string, seed: string): Promise<void> {
  const made = await makegood([
    'generate',
    '--bookings',
    BOOKINGS,
    '--seed',
    seed,
    '--scenario',
    'mixed',
    '--store',
    path,
  ])
  const snapshots = await makegood(['snapshot', '--store', path, '--every', EVERY])
  expect([made.code, snapshots.code]).toEqual([0, 0])
}

beforeAll(async () => {
  // Made before, so that its times are not after those that are asked about.
  await makeStore(other, '12')
  await makeStore(store, '11')
  const reader = await openEmbeddedStore({ folder: store, readOnly: true })
  events = await eventsOfLog(reader)
  await reader.close()
})

describe('from snapshots', () => {
  it.each([
    ['at the end', () => []],
    ['as of an event', () => ['--as-of', placeOf(anyEvent())]],
    ['as of a time, under a rule', () => ['--as-of', timeOf(anyEvent()), '--rule', 'paid-not-ticketed']],
    [
      'under a later now, on some subjects',
      () => ['--now', '2027-01-01T00:00:00Z', '--subject', 'B00000007', 'B00000100'],
    ],
  ])('a plan is the same, byte for byte: %s', async (_, args) => {
    expect(timesUsed(await expectEqual(['plan', ...args()]))).toBe(1)
  })

  it('no plan goes on that asks others, since they tell of the present; its cut is looked up', async () => {
    const file = join(folder, 'record.jsonl')
    const wrong = { capturedMinor: 1, refundedMinor: 0, currency: 'EUR' }
    const subjects = new Set(events.map(({ stream }) => stream.split('-')[1]))
    writeFileSync(file, [...subjects].map((bookingId) => `${JSON.stringify({ bookingId, ...wrong })}\n`).join(''))
    const question = ['plan', '--lookup', `payment-record=${file}`, '--as-of', timeOf(anyEvent())]
    expect(timesUsed(await expectEqual(question))).toBe(0)
    expect(readFileSync(join(folder, 'plan.json'), 'utf8')).toContain('payment-record-disagrees')
  })

  it('differences of two moments are the same', async () => {
    const [from, to] = [anyEvent(300, 500), anyEvent(510, events.length)]
    expect(timesUsed(await expectEqual(['diff', '--from', placeOf(from), '--to', gapBefore(to)]))).toBe(2)
    expect(timesUsed(await expectEqual(['diff', '--from', timeOf(from)]))).toBe(2)
    expect(timesUsed(await expectEqual(['diff', '--from', '2026-05-20T12:00:00Z', '--by', 'occurred']))).toBe(0)
  })

  it('differences of two versions of the rules are the same, each from its own', async () => {
    const against = writeRules('rules-2.js', { version: '2', without: 0 })
    const made = await makegood(['snapshot', '--store', store, '--every', EVERY, '--projection', against])
    expect(made.code).toBe(0)
    const question = ['diff', '--projection', 'booking', '--against', against, '--as-of', placeOf(anyEvent())]
    expect(timesUsed(await expectEqual(question))).toBe(2)
    rmSync(JSON.parse((await ask(['snapshot', '--projection', against])).stdout).summary.folder, { recursive: true })
  })

  it('two versions that call themselves the same are told apart all the same', async () => {
    const against = writeRules('rules-1b.js', { version: '1', without: 0 })
    const question = ['diff', '--projection', 'booking', '--against', against]
    expect(timesUsed(await expectEqual(question))).toBe(0)
    expect((await ask(question)).code).toBe(2)
  })

  it('a repair makes the same plan; it is verified from the start', async () => {
    const plans = [[], ['--no-from-snapshot']].map(async (how, index) => {
      const copy = join(folder, `copy-${index}`)
      cpSync(store, copy, { recursive: true })
      const ran = await makegood(['repair', '--yes', '--store', copy, '--format', 'ndjson', ...how])
      expect([ran.code, timesUsed(ran.stderr)]).toEqual([2, how.length === 0 ? 1 : 0])
      const bad = rowsOf(ran).at(-1)?.bad
      return [/^Plan sha256:.*$/m.exec(ran.stderr)?.[0], bad]
    })
    const [from, zero] = await Promise.all(plans)
    expect(from).toEqual(zero)
    expect(from).toEqual([expect.stringMatching(/: [1-9]\d* items on/), 0])
  })

  it.each([
    ['the state of a subject', (subject: string) => ['state', subject]],
    ['the timeline of a subject', (subject: string) => ['timeline', subject, '--beyond']],
    ['a bisection', (subject: string) => ['bisect', 'paid-not-ticketed', '--subject', subject]],
  ])('%s has its cut looked up, and is the same', async (_, question) => {
    const subject = anyEvent(10, 200).stream.split('-')[1] as string
    for (const when of [timeOf(anyEvent()), gapBefore(anyEvent())]) {
      expect(await expectEqual([...question(subject), '--as-of', when])).not.toContain('napshot')
    }
  })

  it('nothing is calculated that is kept to be gone by', async () => {
    const ran = await makegood(['recalculate', '--store', store, '--format', 'ndjson'])
    expect([ran.code, ran.stderr]).toEqual([2, ''])
  })
})

describe('snapshots that cannot be used are told of, and change no answer:', () => {
  const questions = () => {
    const when = timeOf(anyEvent())
    return [
      ['plan', '--as-of', when],
      ['diff', '--from', when],
      ['state', 'B00000007', '--as-of', when],
      ['bisect', 'paid-not-ticketed', '--as-of', when],
    ]
  }

  async function expectTold(told: RegExp): Promise<void> {
    for (const question of questions()) {
      const lines = (await expectEqual(question)).split('\n')
      expect(lines.filter((line) => told.test(line))).toHaveLength(1)
      expect(timesUsed(lines.join('\n'))).toBe(0)
    }
  }

  const good = join(folder, 'good')
  beforeAll(() => cpSync(kept, good, { recursive: true }))
  async function withSeries(change: (series: string) => unknown, expectIt: () => Promise<void>): Promise<void> {
    try {
      await change(seriesIn(kept))
      await expectIt()
    } finally {
      rmSync(kept, { recursive: true })
      cpSync(good, kept, { recursive: true })
    }
  }

  it('damaged ones', () =>
    withSeries(
      (series) => {
        for (const name of readdirSync(series)) truncateSync(join(series, name), 200)
      },
      () => expectTold(/^No snapshot is used: .*cut-\d+ .* makegood snapshot makes it anew$/),
    ))

  it('those of another version or of other rules', () =>
    withSeries(
      (series) => renameSync(series, join(kept, `booking-${'0'.repeat(24)}`)),
      () => expectTold(/^No snapshot is used: those of booking in .* makegood snapshot makes new ones$/),
    ))

  it('those of another log, also in the place of its own', async () => {
    const foreign = seriesIn(join(other, 'snapshots'))
    await withSeries(
      (series) => {
        rmSync(series, { recursive: true })
        mkdirSync(series)
        for (const name of readdirSync(foreign)) cpSync(join(foreign, name), join(series, name))
      },
      () =>
        expectTold(/^Snapshots are passed over: (\d+) of \1 cuts are not of this log; makegood snapshot removes them$/),
    )
  })
})
