// `makegood snapshot` and the scans that go on from what it kept: real processes on a real disk, also killed while they write.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, rmSync, truncateSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { openEmbeddedStore } from '../../src/stores/embedded/embedded-store.js'
import { Random } from '../../src/workload/random.js'
import { eventsOfLog } from '../controls/events.js'
import { seedFor } from '../controls/seed.js'
import { makegood, newFolder, type Ran, summaryOf } from './run-makegood.js'

const MAIN = resolve(import.meta.dirname, '../../dist/src/main.js')
const BOOKINGS = 600
const EVERY = '150'

const folder = newFolder()
const store = join(folder, 'store')
const kept = join(store, 'snapshots')
const USED = /^From the snapshot at \d+\/\d+ \(.+\): [\d,]+ events? read since\n$/

/** The paths of the files of the one series in a folder. */
function pathsIn(root: string): string[] {
  const [series] = existsSync(root) ? readdirSync(root) : []
  return series === undefined ? [] : readdirSync(join(root, series)).map((name) => join(root, series, name))
}

function namesIn(root: string): string[] {
  return pathsIn(root)
    .map((path) => basename(path))
    .sort()
}

function countCuts(root: string): number {
  return pathsIn(root).filter((path) => !path.endsWith('.draft')).length
}

const snapshot = (...args: string[]) => makegood(['snapshot', '--store', store, '--every', EVERY, ...args])
const scan = (...args: string[]) => makegood(['scan', '--store', store, ...args])

/** The same question from a snapshot and from the start. Without what a run took. */
async function scanTwice(...args: string[]): Promise<{ from: Ran; zero: Ran }> {
  const [from, zero] = await Promise.all([scan(...args), scan(...args, '--no-from-snapshot')])
  const timeless = (ran: Ran) => ({
    ...ran,
    stdout: ran.stdout.replace(/"elapsedMs":\d+/, '').replace(/, in [\d.]+ s/, ''),
  })
  return { from: timeless(from), zero: timeless(zero) }
}

describe('makegood snapshot', () => {
  let places: string[]

  beforeAll(async () => {
    const made = await makegood([
      'generate',
      '--bookings',
      String(BOOKINGS),
      '--seed',
      '5',
      '--scenario',
      'mixed',
      '--store',
      store,
    ])
    expect(made.code).toBe(0)
    const reader = await openEmbeddedStore({ folder: store, readOnly: true })
    places = (await eventsOfLog(reader)).map(({ position }) => `${position.commit}/${position.prepare}`)
    await reader.close()
  })

  it('killed again and again while it writes, comes to what it makes in one go', async () => {
    const whole = join(folder, 'whole')
    const one = await snapshot('--snapshots', whole)
    expect(summaryOf(one)).toMatchObject({ made: summaryOf(one).cuts, behind: expect.any(Number) })
    const random = new Random(seedFor('kills of snapshot'), 0)
    let kills = 0
    for (let round = 0; round < 5; round += 1) {
      const child = spawn(process.execPath, [MAIN, 'snapshot', '--store', store, '--every', EVERY], { stdio: 'ignore' })
      const ended = once(child, 'close')
      const before = countCuts(kept)
      // From its first new file on, at any time.
      while (child.exitCode === null && countCuts(kept) <= before) await sleep(5)
      await sleep(random.between(0, 150))
      if (child.kill('SIGKILL')) kills += 1
      await ended
      const { from, zero } = await scanTwice('--format', 'ndjson')
      expect(from.stdout).toBe(zero.stdout)
    }
    expect(kills).toBeGreaterThan(0)
    expect((await snapshot()).code).toBe(0)
    expect(namesIn(kept)).toEqual(namesIn(whole))
    expect(namesIn(kept).length).toBeGreaterThan(10)
  })

  it('made by two at once is one series, and a further run adds nothing', async () => {
    const both = join(folder, 'both')
    const ran = await Promise.all([snapshot('--snapshots', both), snapshot('--snapshots', both)])
    expect(ran.map(({ code }) => code)).toEqual([0, 0])
    await snapshot('--snapshots', both)
    const { from, zero } = await scanTwice('--snapshots', both)
    expect(from.stderr).toMatch(USED)
    expect(from.stdout).toBe(zero.stdout)
    expect(namesIn(both)).toEqual(namesIn(kept))
    expect(summaryOf(await snapshot('--snapshots', both))).toMatchObject({ made: 0, cuts: namesIn(kept).length })
  })

  it.each([
    ['at the end, as ndjson', []],
    ['at the end, as a table', ['--format', 'table']],
    ['under a rule and as JSON', ['--rule', 'paid-not-ticketed', '--format', 'json']],
    ['on a subject and as CSV', ['--subject', 'B00000007', 'B00000100', '--format', 'csv']],
    ['with a limit', ['--limit', '3']],
    ['at a time', ['--as-of', 'now-1s']],
    ['under a later now', ['--now', '2027-01-01T00:00:00Z']],
  ])('lets a scan print the same bytes, and says so: %s', async (_, args) => {
    const { from, zero } = await scanTwice(...args)
    expect(from.stdout).toBe(zero.stdout)
    expect([from.code, zero.code]).toEqual([2, 2])
    expect(from.stderr).toMatch(USED)
    expect(zero.stderr).toBe('')
  })

  it('serves any cut', async () => {
    const random = new Random(seedFor('cuts of snapshots'), 0)
    for (let round = 0; round < 4; round += 1) {
      const { from, zero } = await scanTwice('--as-of', places[random.between(400, places.length - 1)] as string)
      expect(from.stdout).toBe(zero.stdout)
      expect(from.stderr).toMatch(USED)
    }
  })

  it.each([
    ['before the first snapshot', () => ['--as-of', places[10] as string]],
    ['what had happened', () => ['--by', 'occurred']],
    ['under an earlier now', () => ['--now', '2026-05-01T00:00:00Z']],
    ['other rules', () => ['--projection', 'transactions']],
    ['where there are none', () => ['--snapshots', join(folder, 'nowhere')]],
  ])('is not used: %s', async (_, args) => {
    const { from, zero } = await scanTwice(...args())
    expect(from).toEqual(zero)
    expect(from.stderr).not.toMatch(/snapshot/)
  })

  it('is left alone and told of where it is damaged, until it is made anew', async () => {
    const [series = ''] = readdirSync(kept)
    const [newest = ''] = readdirSync(join(kept, series)).sort().reverse()
    truncateSync(join(kept, series, newest), 1_000)
    const { from, zero } = await scanTwice()
    expect(from.stdout).toBe(zero.stdout)
    expect(from.stderr).toMatch(
      /^No snapshot is used: .*cut short.* Remove its folder, and makegood snapshot makes it anew\n/,
    )
    const again = await snapshot()
    expect(again.stderr).toMatch(/^Made anew: .*cut short/)
    expect((await scan()).stderr).toMatch(USED)
  })

  it('is refused where it cannot be kept, or what lies between two cuts could not be held', async () => {
    const nowhere = await makegood(['snapshot', '--store', 'memory:'])
    expect([nowhere.code, nowhere.stderr]).toEqual([
      64,
      'makegood: --snapshots is missing: this store has no folder to keep them in\n',
    ])
    for (const every of ['0', 'x', '1000001']) {
      const ran = await makegood(['snapshot', '--store', store, '--every', every])
      expect([ran.code, ran.stderr]).toEqual([64, expect.stringContaining(`--every ${every}:`)])
    }
    const none = await snapshot('--projection', 'transactions')
    expect([none.code, none.stdout, none.stderr]).toEqual([0, '', expect.stringContaining('No events in')])
    rmSync(folder, { recursive: true })
  })
})
