// Where a log may be cut, by the cuts of whatever series: places of this log, about evenly spread; anything else is left out.
import { mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { booking } from '../../projections/booking/booking.js'
import type { Projection } from '../../src/engine/projection.js'
import type { RecordedEvent } from '../../src/log/event.js'
import type { EventStore } from '../../src/log/event-store.js'
import { comparePositions, type Position } from '../../src/log/position.js'
import { boundariesIn } from '../../src/snapshots/boundaries.js'
import { makeSnapshots } from '../../src/snapshots/make-snapshots.js'
import { openSeries } from '../../src/snapshots/open-series.js'
import type { Series } from '../../src/snapshots/series.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { generate } from '../../src/workload/generate.js'
import { writeWorkload } from '../../src/workload/write-store.js'
import { eventsOfLog } from '../controls/events.js'
import { seedFor } from '../controls/seed.js'

const folder = mkdtempSync(join(tmpdir(), 'makegood-boundaries-'))
afterAll(() => rmSync(folder, { recursive: true }))
const seed = seedFor('boundaries')

async function storeOf(bookings: number, seed: number): Promise<EventStore> {
  const store = openMemoryStore()
  await writeWorkload(store, generate({ bookings, seed, scenario: 'mixed' }))
  return store
}

async function snapshots(
  store: EventStore,
  root: string,
  every: number,
  rules = booking as Projection,
): Promise<Series> {
  const series = (await openSeries(store, rules, { root, maker: 'test' })) as Series
  await makeSnapshots(store, rules, series, { every })
  return series
}

describe('the boundaries of a log', () => {
  let store: EventStore
  let events: readonly RecordedEvent[]
  let to: Position
  const root = join(folder, 'some')

  beforeAll(async () => {
    store = await storeOf(200, seed)
    events = await eventsOfLog(store)
    to = events.at(-1)?.position as Position
    await snapshots(store, root, 50)
  })

  const boundaries = (more: Partial<Parameters<typeof boundariesIn>[2]> = {}, where = root, of = store) =>
    boundariesIn(where, of, { to, ranges: 4, eventsMin: 1, ...more })
  const placeIn = (position: Position) => events.findIndex((event) => comparePositions(event.position, position) === 0)

  it('are events of it, about evenly spread, and within what is asked for', async () => {
    const places = (await boundaries()).map(placeIn)
    expect(places).toHaveLength(3)
    for (const [index, place] of places.entries()) {
      const share = place / events.length
      expect(Math.abs(share - (index + 1) / 4)).toBeLessThan(0.1)
    }
    const half = events[Math.floor(events.length / 2)]?.position as Position
    for (const position of await boundaries({ to: half }))
      expect(comparePositions(position, half)).toBeLessThanOrEqual(0)
    expect(await boundaries({ to: half })).not.toEqual(await boundaries())
  })

  it('are no more than there are cuts, and none where the log is short or nothing was kept', async () => {
    expect(await boundaries({ to: events[60]?.position as Position, ranges: 64 })).toHaveLength(1)
    expect(await boundaries({ to: events[10]?.position as Position })).toEqual([])
    expect(await boundaries({ eventsMin: events.length + 1 })).toEqual([])
    expect(await boundaries({}, join(folder, 'nowhere'))).toEqual([])
  })

  it('are taken from whatever series has one nearest, of older rules among them', async () => {
    const both = join(folder, 'both')
    await snapshots(store, both, Math.floor(events.length / 3))
    expect((await boundaries({ ranges: 9 }, both)).length).toBeLessThan(4)
    await snapshots(store, both, 40, { ...booking, version: '0' } as Projection)
    expect(await boundaries({ ranges: 9 }, both)).toHaveLength(8)
  })

  it('are none of another log, nor of damaged files', async () => {
    expect(await boundaries({}, root, await storeOf(200, seed + 1))).toEqual([])
    const damaged = join(folder, 'damaged')
    const series = await snapshots(store, damaged, 50)
    const names = readdirSync(series.folder).sort()
    for (const name of names.slice(0, names.length / 2)) truncateSync(join(series.folder, name), 10)
    const left = await boundaries({}, damaged)
    expect(left.length).toBeLessThan(3)
    for (const position of left) expect(placeIn(position)).toBeGreaterThan(0)
  })
})
