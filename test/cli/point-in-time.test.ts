// The past by the public commands: what is asked twice gives the same bytes though the log grows; the difference of two moments names the outage; since
// when something is wrong; two versions of the rules, side by side and switched.
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { jsonEvent } from '../../src/log/event.js'
import { openEmbeddedStore } from '../../src/stores/embedded/embedded-store.js'
import { appendTold } from '../controls/logs-in-time.js'
import { captured, issued, msAt, requested, type Told, time } from '../projections/booking/history.js'
import { makegood, newFolder, type Ran, rowsOf, summaryOf } from './run-makegood.js'

/** Writes events into a store on disk, each taken in at its minute. */
async function writeTold(folder: string, events: readonly (readonly [told: Told, minute: number])[], first = 0) {
  let now = 0
  const store = await openEmbeddedStore({ folder, clock: () => now })
  for (const [index, [told, minute]] of events.entries()) {
    now = msAt(minute)
    await appendTold(store, told, first + index)
  }
  await store.close()
}

const of = (subject: string, told: Told): Told => ({ ...told, subject, data: { ...told.data, bookingId: subject } })
const idOf = (index: number) => `00000000-0000-4000-8000-${String(index + 1).padStart(12, '0')}`

/** b1 and b2 are paid by minute 5; at minute 90 the log is told that b1 had its ticket since minute 10. */
async function storeOfTwo(): Promise<string[]> {
  const folder = join(newFolder(), 'store')
  await writeTold(folder, [
    [of('b1', requested()), 1],
    [of('b1', captured()), 5],
    [of('b2', requested()), 6],
    [of('b2', captured()), 7],
    [of('b1', issued('p1')), 90],
    [of('b3', requested()), 200],
  ])
  return ['--store', folder]
}

const rulesOn = (ran: Ran) => rowsOf(ran).flatMap(({ rule, subject }) => (rule ? [`${subject} ${rule}`] : []))

describe('a question about the past', () => {
  let store: string[]
  beforeAll(async () => {
    store = await storeOfTwo()
  })

  it('gives the same bytes for ever, though the log grows', async () => {
    const own = await storeOfTwo()
    const [head] = [summaryOf(await makegood(['scan', ...own]))].map(({ cut }) => cut as Record<string, string>)
    const questions = [
      ['scan', '--as-of', time(100)],
      ['scan', '--as-of', `${head?.commit}/${head?.prepare}`, '--format', 'json'],
      ['scan', '--as-of', `before:${idOf(4)}`, '--format', 'csv'],
      ['scan', '--as-of', time(100), '--format', 'table'],
      ['state', 'b1', '--as-of', time(100)],
      ['timeline', 'b1', '--as-of', time(60)],
      ['diff', '--from', time(8), '--to', time(100)],
      ['bisect', 'paid-not-ticketed', '--as-of', time(100)],
    ]
    const before = await askAll(questions, own)
    await writeTold(
      own[1] as string,
      [
        [of('b1', captured({ captureId: 'c2' })), 300],
        [of('b2', issued('p1')), 301],
      ],
      20,
    )
    expect(await askAll(questions, own)).toEqual(before)
    expect(before.every(({ stdout }) => stdout.length > 0)).toBe(true)
  })

  async function askAll(questions: readonly string[][], of: readonly string[]): Promise<Ran[]> {
    const answers: Ran[] = []
    for (const question of questions) answers.push(await makegood([...question, ...of]))
    return answers
  }

  it('tells what was known from what had happened', async () => {
    const known = await makegood(['scan', '--as-of', time(60), '--now', time(60), ...store])
    expect(rulesOn(known)).toEqual(['b1 paid-not-ticketed', 'b2 paid-not-ticketed'])
    const happened = await makegood(['scan', '--by', 'occurred', '--as-of', time(60), ...store])
    expect(rulesOn(happened)).toEqual(['b2 paid-not-ticketed'])
    expect(summaryOf(happened)).toMatchObject({ happenedBy: '2026-05-01T01:00:00.0000000Z' })
  })

  it('may be asked just in front of an event, and draws the cut in the timeline', async () => {
    const before = ['--as-of', `before:${idOf(4)}`, ...store]
    expect(summaryOf(await makegood(['state', 'b1', ...before]))).toMatchObject({ events: 2 })
    const types = rowsOf(await makegood(['timeline', 'b1', ...before, '--beyond'])).map(
      ({ type, eventType, beyond }) => [type, eventType, beyond],
    )
    expect(types).toEqual([
      ['event', 'PaymentRequested', undefined],
      ['event', 'PaymentCaptured', undefined],
      ['cut', undefined, undefined],
      ['event', 'TicketIssued', true],
      ['summary', undefined, undefined],
    ])
    const table = await makegood(['timeline', 'b1', ...before, '--beyond', '--format', 'table'])
    const [cut, ticket] = ['as of here (known)', 'TicketIssued'].map((text) => table.stdout.indexOf(text))
    expect([cut, ticket]).not.toContain(-1)
    expect(cut).toBeLessThan(ticket as number)
  })

  it.each([
    [['scan', '--as-of', '2999-01-01T00:00:00Z'], '--as-of 2999-01-01T00:00:00Z: ', 'is in the future'],
    [['scan', '--as-of', '2020-01-01T00:00:00Z'], '--as-of 2020-01-01T00:00:00Z: ', 'Nothing is in the log before'],
    [['scan', '--as-of', '99999999/99999999'], '--as-of 99999999/99999999: ', 'beyond the end of the log'],
    [['scan', '--as-of', 'before:b1'], '--as-of before:b1', 'the id of an event'],
    [['state', 'b1', '--as-of', `before:${idOf(99)}`], `before:${idOf(99)}`, 'No event'],
    [['scan', '--by', 'created'], '--by created', 'known or occurred'],
    [['scan', '--by', 'occurred', '--as-of', '1/1'], '--as-of 1/1', 'give one, or leave --by out'],
    [['scan', '--by', 'occurred', '--as-of', '2020-01-01T00:00:00Z'], '2020', 'Nothing in the log had happened by'],
    [['timeline', 'b1', '--beyond'], '--beyond', '--as-of'],
    [['diff'], '--from is missing', '--against'],
    [['diff', '--from', time(90), '--to', time(8)], `--from ${time(90)}`, 'exchange them'],
    [['diff', '--against', 'booking', '--from', time(8)], '--against', 'leave --from and --to out'],
    [['diff', '--against', 'transactions'], '--against transactions', 'one name'],
    [['bisect', 'no-such-rule'], 'no-such-rule', 'it has history-incomplete, '],
    [['bisect', 'paid-not-ticketed', '--bucket', 'wide'], '--bucket wide', '15m'],
    [['scan', '--current'], '--current', 'recalculate --switch'],
    [['scan', '--current', '--as-of', time(8)], '--as-of', '--current'],
  ])('%j is refused, with the option and what to do', async (args, named, told) => {
    const ran = await makegood([...args, ...store])
    expect([ran.code, ran.stdout]).toEqual([64, ''])
    expect(ran.stderr).toContain(named)
    expect(ran.stderr).toContain(told)
  })
})

describe('an outage', () => {
  const store = ['--store', join(newFolder(), 'store')]
  // The ticketing consumer was down from six to two in the afternoon of the third day.
  const [began, ended] = ['2026-05-03T06:00:00Z', '2026-05-03T14:00:00Z'].map(Date.parse) as [number, number]
  const soon = 45 * 60_000
  beforeAll(async () => {
    const made = ['--bookings', '500', '--seed', '11', '--scenario', 'outage']
    expect((await makegood(['generate', ...made, ...store])).code).toBe(0)
  })

  it('is named by the difference of the moments around it, with what did it and the money at stake', async () => {
    const around = ['--from', '2026-05-03T05:00:00Z', '--to', '2026-05-03T16:00:00Z', '--by', 'occurred']
    const ran = await makegood(['diff', ...around, '--rule', 'paid-not-ticketed', ...store])
    expect(ran.code).toBe(2)
    const { rules, came } = summaryOf(ran) as unknown as {
      came: number
      rules: Record<string, { window: { from: string; to: string }; money: { came: Record<string, number> } }>
    }
    expect(came).toBeGreaterThan(20)
    const { window, money } = rules['paid-not-ticketed'] as (typeof rules)[string]
    expectWithin(window, [began, ended], soon)
    expect(Object.keys(money.came)).toContain('EUR')
    const differences = rowsOf(ran).filter(({ type }) => type === 'difference')
    const sum = differences.reduce((total, { value }) => {
      const { currency, amountMinor } = value as { currency: string; amountMinor: number }
      return currency === 'EUR' ? total + amountMinor : total
    }, 0)
    expect(sum).toBe(money.came.EUR)
    expect(differences.every(({ cause, events }) => cause === 'events' && (events as unknown[]).length > 0)).toBe(true)
  })

  function expectWithin(window: { from: string; to: string }, [from, to]: [number, number], slack: number): void {
    expect(Math.abs(Date.parse(window.from) - from)).toBeLessThan(slack)
    expect(Math.abs(Date.parse(window.to) - to)).toBeLessThan(slack)
  }

  it('is seen in the histogram, a grace period later than the payments', async () => {
    const ran = await makegood(['bisect', 'paid-not-ticketed', '--by', 'occurred', '--bucket', '1h', ...store])
    const summary = summaryOf(ran) as unknown as { came: number; window: { from: string; to: string; came: number } }
    const grace = 15 * 60_000
    expectWithin(summary.window, [began + grace, ended + grace], soon)
    const buckets = rowsOf(ran).filter(({ type }) => type === 'bucket') as unknown as { came: number }[]
    expect(buckets.reduce((sum, { came }) => sum + came, 0)).toBe(summary.came)
    const table = await makegood(['bisect', 'paid-not-ticketed', '--by', 'occurred', '--format', 'table', ...store])
    expect(table.stdout).toMatch(/│ █+ +│/)
    expect(table.stdout).toContain(`Window: ${summary.window.from} to ${summary.window.to}`)
  })

  it('made one booking wrong by the passing of time, and no event', async () => {
    const found = rowsOf(await makegood(['scan', '--rule', 'paid-not-ticketed', ...store]))
    const { subject, id } = found[0] as { subject: string; id: string }
    const ran = await makegood(['bisect', 'paid-not-ticketed', '--subject', subject, '--by', 'occurred', ...store])
    expect(summaryOf(ran)).toMatchObject({ came: 1, went: 0, first: { id, subject, cause: 'time' } })
    expect(summaryOf(ran).first).not.toHaveProperty('event')
    expect(summaryOf(ran).told).toContain('by time alone, no event did it')
  })
})

describe('two versions of the rules', () => {
  const folder = newFolder()
  const store = ['--store', join(folder, 'store')]
  const library = resolve(import.meta.dirname, '../../dist/src/index.js')
  const zod = resolve(import.meta.dirname, '../../node_modules/zod/index.js')

  /** Owed: whatever is worth this much or more and was not sent. */
  function writeRules(version: string, owedFrom: number): string {
    const file = join(folder, `rules-${version}.js`)
    writeFileSync(
      file,
      `import { defineProjection } from ${JSON.stringify(library)}
       import { z } from ${JSON.stringify(zod)}
       export default defineProjection({
         name: 'parcels', version: '${version}', categories: ['label'],
         events: { Paid: z.object({ cents: z.int() }), Sent: z.object({}) },
         initial: () => ({}),
         evolve: (state, { type, id, stream, revision, data }) => {
           if (type === 'Paid') Object.assign(state, { opened: { id, stream, revision }, cents: data.cents })
           if (type === 'Sent') state.sent = true
         },
         rules: [{ id: 'not-sent', title: 'Paid, not sent.', severity: 1, disposition: 'person',
           when: { owed: ({ cents, sent }) => cents >= ${owedFrom} && !sent }, evidence: ({ opened }) => ({ opened }) }],
         live: { deadlines: () => [], valueAtStake: ({ cents }) => ({ currency: 'EUR', amountMinor: cents }) },
       })`,
    )
    return file
  }

  const [one, two] = [writeRules('1', 100), writeRules('2', 500)]
  const append = async (stream: string, type: string, data: object) => {
    const labels = await openEmbeddedStore({ folder: store[1] as string })
    await labels.append(stream, [jsonEvent({ id: randomUUID(), type, data })], 'any')
    await labels.close()
  }
  beforeAll(async () => {
    for (const [name, cents] of [
      ['A', 50],
      ['B', 200],
      ['C', 700],
    ] as const)
      await append(`label-${name}`, 'Paid', { cents })
  })

  it('differ by what the one finds and the other does not, with the money; a version and itself do not', async () => {
    const ran = await makegood(['diff', '--projection', one, '--against', two, ...store])
    expect(ran.code).toBe(2)
    expect(rowsOf(ran).map(({ change, subject, cause }) => [change, subject, cause])).toEqual([
      ['went', 'B', 'rules'],
      [undefined, undefined, undefined],
    ])
    expect(summaryOf(ran)).toMatchObject({
      from: { version: '1', findings: { 'not-sent': 2 } },
      to: { version: '2', findings: { 'not-sent': 1 } },
      rules: { 'not-sent': { came: 0, went: 1, changed: 0, money: { came: {}, went: { EUR: 200 } } } },
    })
    const csv = await makegood(['diff', '--projection', one, '--against', two, '--format', 'csv', ...store])
    expect(csv.stdout).toMatch(
      /^change,rule,subject,since,currency,amountMinor,by,fields,id\r\nwent,not-sent,B,,EUR,200,rules,,/,
    )
    const same = await makegood(['diff', '--projection', one, '--against', one, '--format', 'table', ...store])
    expect([same.code, same.stdout]).toEqual([0, expect.stringContaining('Nothing differs.')])
    expect(same.stderr).toContain('raise the version')
  })

  it('are calculated side by side, and switched by one append', async () => {
    const now = ['--now', time(0), ...store]
    const first = await makegood(['recalculate', '--projection', one, '--switch', ...now])
    expect([first.code, summaryOf(first)]).toEqual([
      2,
      expect.objectContaining({ came: 2, switched: 'switched', current: null }),
    ])
    const second = await makegood(['recalculate', '--projection', two, ...now])
    expect(summaryOf(second)).toMatchObject({ went: 1, current: '1', switched: 'not asked for', stored: 'now' })
    const stillOne = await makegood(['scan', '--projection', two, '--current', ...store])
    expect(summaryOf(stillOne)).toMatchObject({ version: '1', findings: { 'not-sent': 2 } })
    const third = await makegood(['recalculate', '--projection', two, '--switch', ...now])
    expect(summaryOf(third)).toMatchObject({ stored: 'before', switched: 'switched' })
    const current = await makegood(['scan', '--projection', two, '--current', ...store])
    expect([current.code, summaryOf(current)]).toEqual([
      2,
      expect.objectContaining({ version: '2', findings: { 'not-sent': 1 } }),
    ])
    await append('label-C', 'Sent', {})
    expect((await makegood(['scan', '--projection', two, '--current', ...store])).stdout).toBe(current.stdout)
    const again = await makegood(['recalculate', '--projection', two, ...now])
    expect([again.code, summaryOf(again)]).toEqual([2, expect.objectContaining({ went: 1, stored: 'now' })])
  })
})
