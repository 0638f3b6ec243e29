// Snapshots that are damaged, of another log or of other rules are not trusted: they are found out or never looked at, and made anew.
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { booking } from '../../projections/booking/booking.js'
import { type Cut, resolveCut } from '../../src/engine/cut.js'
import type { Projection } from '../../src/engine/projection.js'
import type { EventStore } from '../../src/log/event-store.js'
import { NowWithoutDeadlinesError } from '../../src/snapshots/advance.js'
import { SnapshotDamagedError } from '../../src/snapshots/damaged.js'
import { DeltaTooLargeError } from '../../src/snapshots/delta.js'
import { fittingCut } from '../../src/snapshots/fitting.js'
import { makeSnapshots } from '../../src/snapshots/make-snapshots.js'
import { openSeries } from '../../src/snapshots/open-series.js'
import { Past } from '../../src/snapshots/past.js'
import { scanFrom } from '../../src/snapshots/scan-from.js'
import type { Series } from '../../src/snapshots/series.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { generate } from '../../src/workload/generate.js'
import { writeWorkload } from '../../src/workload/write-store.js'
import { anEvent } from '../controls/events.js'
import { appendTold } from '../controls/logs-in-time.js'
import { parcels } from '../controls/parcels.js'
import { seedFor } from '../controls/seed.js'
import { captured } from '../projections/booking/history.js'
import { askTwice, newSeries } from './series-at-random.js'

const rules = booking as Projection
const folder = mkdtempSync(join(tmpdir(), 'makegood-mistrust-'))
afterAll(() => rmSync(folder, { recursive: true }))

const EVERY = 60
const seed = seedFor('snapshots not trusted')

async function storeOf(bookings: number): Promise<{ store: EventStore; now: number; cut: Cut }> {
  const store = openMemoryStore()
  const workload = generate({ bookings, seed, scenario: 'mixed' })
  await writeWorkload(store, workload)
  const cut = (await resolveCut(store, { kind: 'head' }, 0)) as Cut
  return { store, now: Date.parse(workload.marker.now), cut }
}

describe('a series', () => {
  let log: Awaited<ReturnType<typeof storeOf>>
  let series: Series
  let whole: ReadonlyMap<string, Buffer>
  const contents = () =>
    new Map(readdirSync(series.folder).map((name) => [name, readFileSync(join(series.folder, name))]))

  beforeAll(async () => {
    log = await storeOf(120)
    series = (await newSeries(log.store, rules, folder)) as Series
    await makeSnapshots(log.store, rules, series, { every: EVERY })
    whole = contents()
    expect(whole.size).toBeGreaterThan(8)
  })

  async function ask(): Promise<'found out' | 'equal'> {
    try {
      const { fromSnapshot, fromStart } = await askTwice(log.store, rules, series, log)
      expect(fromSnapshot).toBe(fromStart)
      return 'equal'
    } catch (error) {
      if (error instanceof SnapshotDamagedError) return 'found out'
      throw error
    }
  }

  it('is never believed where a bit is wrong or an end is missing, and is made anew', async () => {
    const names = [...whole.keys()]
    const ends = { 'found out': 0, equal: 0 }
    const property = fc.asyncProperty(fc.nat(), fc.nat(), fc.boolean(), async (which, where, isCut) => {
      const name = names[which % names.length] as string
      const path = join(series.folder, name)
      const bytes = Buffer.from(whole.get(name) as Buffer)
      const at = where % bytes.length
      if (isCut) truncateSync(path, at)
      else
        writeFileSync(
          path,
          Buffer.concat([bytes.subarray(0, at), Buffer.from([(bytes[at] as number) ^ 4]), bytes.subarray(at + 1)]),
        )
      ends[await ask()] += 1
      writeFileSync(path, bytes)
    })
    await fc.assert(property, { seed, numRuns: 80 })
    expect(ends['found out']).toBeGreaterThan(5)
    expect(ends.equal).toBeGreaterThan(0)
  })

  it('is made anew from the start where a damaged file is needed to go on', async () => {
    const newest = [...whole.keys()].sort().at(-1) as string
    truncateSync(join(series.folder, newest), 100)
    const why: string[] = []
    await makeSnapshots(log.store, rules, series, { every: EVERY, onDropped: (text) => why.push(text) })
    expect(why).toHaveLength(1)
    expect([...contents().keys()]).toEqual([...whole.keys()])
    expect(await ask()).toBe('equal')
    whole = contents()
  })

  it('is not believed where one of its files is of another making', async () => {
    const other = (await newSeries(log.store, rules, folder)) as Series
    await makeSnapshots(log.store, rules, other, { every: EVERY + 7 })
    const ends: string[] = []
    for (const name of readdirSync(other.folder)) {
      writeFileSync(join(series.folder, name), readFileSync(join(other.folder, name)))
      ends.push(await ask())
      writeFileSync(join(series.folder, name), whole.get(name) as Buffer)
    }
    expect(ends).toContain('found out')
  })

  it('is not used for a now before those by which it was judged', async () => {
    expect(await fittingCut(log.store, series, { ...log, now: log.now - 1 })).toBe(0)
    expect(await fittingCut(log.store, series, log)).toBe(whole.size)
  })

  it('is given up where more came since than may be held in memory', async () => {
    const past = new Past(series, 1)
    const scanning = scanFrom(past, log.store, rules, { ...log, bytesMax: 10_000 })
    await expect(scanning).rejects.toThrow(DeltaTooLargeError)
    past.close()
  })

  it('is another one for other rules, another version of the program and another log', async () => {
    const of = async (store: EventStore, projection: Projection, maker = 'test') =>
      (await openSeries(store, projection, { root: folder, maker }))?.folder
    const folders = [
      await of(log.store, rules),
      await of(log.store, { ...rules, version: '2' }),
      await of(log.store, { ...rules, policy: { graceMinutes: 1 } }),
      await of(log.store, { ...rules, rules: rules.rules.slice(1) }),
      await of(log.store, rules, 'another'),
      await of((await storeOf(3)).store, { ...rules, categories: ['ticket'] }),
    ]
    expect(new Set(folders).size).toBe(folders.length)
    expect(await of(log.store, rules)).toBe(folders[0])
  })
})

describe('a log that was set back', () => {
  it('has those cuts used that are still its own, and the others made anew', async () => {
    const { store, now } = await storeOf(60)
    const series = (await newSeries(store, rules, folder)) as Series
    await makeSnapshots(store, rules, series, { every: EVERY })
    const shorter = openMemoryStore()
    const half = EVERY * 2 + 10
    let copied = 0
    for await (const { events } of store.readAll()) {
      for (const event of events) if (copied++ < half) await shorter.append(event.stream, [event], 'any')
    }
    for (let index = 0; index < EVERY * 3; index += 1)
      await appendTold(shorter, { ...captured(), subject: `n${index}` }, index)
    const cut = (await resolveCut(shorter, { kind: 'head' }, 0)) as Cut
    const { number, fromSnapshot, fromStart } = await askTwice(shorter, rules, series, { cut, now })
    expect(number).toBe(2)
    expect(fromSnapshot).toBe(fromStart)
    const dropped: string[] = []
    await makeSnapshots(shorter, rules, series, { every: EVERY, onDropped: (why) => dropped.push(why) })
    expect(dropped).toHaveLength(1)
    const again = await askTwice(shorter, rules, series, { cut, now })
    expect(again.number).toBe(series.count())
    expect(again.fromSnapshot).toBe(fromStart)
  })
})

describe('rules that look at now without saying when', () => {
  it('get no snapshots', async () => {
    const store = openMemoryStore()
    await store.append('order-1', [anEvent({ type: 'Paid' })], 'any')
    const [first, ...others] = parcels.rules
    const when = { late: (_: unknown, { now }: { now: number }) => now > 0 }
    const impatient = { ...parcels, rules: [{ ...first, when }, ...others] } as unknown as Projection
    const series = (await newSeries(store, impatient, folder)) as Series
    await expect(makeSnapshots(store, impatient, series, { every: 1 })).rejects.toThrow(NowWithoutDeadlinesError)
    expect(series.count()).toBe(0)
    expect(readdirSync(series.folder)).toEqual([])
  })
})
