// Cuts: which event a head, a time or a position ends at, and which cuts cannot be made.
import { describe, expect, it } from 'vitest'
import { CutError, type CutSpec, eventAt, resolveCut } from '../../src/engine/cut.js'
import type { EventStore } from '../../src/log/event-store.js'
import type { Position } from '../../src/log/position.js'
import { parseTicks, type Ticks } from '../../src/log/ticks.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { eventsOfLog } from '../controls/events.js'
import { write } from '../controls/log-writer.js'

const minute = (n: number) => Date.parse('2026-05-01T10:00:00Z') + n * 60_000
const CLOCK = minute(60)

/** A log with one event at each of these minutes, in this order, and the event's ids. */
async function logAt(...minutes: number[]): Promise<{ store: EventStore; ids: string[] }> {
  let now = 0
  const store = openMemoryStore({ clock: () => now })
  const ids: string[] = []
  for (const each of minutes) {
    now = minute(each)
    ids.push(...(await write(store, `order-${ids.length}`, { type: 'Paid' })))
  }
  return { store, ids }
}

const time = (n: number, ticksMore: Ticks = 0n): CutSpec => ({
  kind: 'time',
  ticks: (parseTicks(new Date(minute(n)).toISOString()) ?? 0n) + ticksMore,
})
const at = (position: Position): CutSpec => ({ kind: 'position', position })

async function cutId(store: EventStore, spec: CutSpec): Promise<string | undefined> {
  return (await resolveCut(store, spec, CLOCK))?.eventId
}

describe('the head', () => {
  it('is the last event of the log, whatever its category, with its place and time', async () => {
    const { store, ids } = await logAt(0, 1)
    const [, last] = await eventsOfLog(store)
    expect(await resolveCut(store, { kind: 'head' }, CLOCK)).toEqual({
      position: last?.position,
      time: '2026-05-01T10:01:00.0000000Z',
      eventId: ids[1],
    })
  })

  it('of an empty log is no cut', async () => {
    expect(await resolveCut(openMemoryStore(), { kind: 'head' }, CLOCK)).toBeUndefined()
  })
})

describe('a time', () => {
  it('ends before the first event created after it; an event created exactly then is in', async () => {
    const { store, ids } = await logAt(0, 1, 2)
    expect(await cutId(store, time(1))).toBe(ids[1])
    expect(await cutId(store, time(1, -1n))).toBe(ids[0])
    expect(await cutId(store, time(1, 1n))).toBe(ids[1])
    expect(await cutId(store, time(2, -1n))).toBe(ids[1])
  })

  it('after the last event ends at it', async () => {
    const { store, ids } = await logAt(0, 1)
    expect(await cutId(store, time(30))).toBe(ids[1])
  })

  it('ends at the same event when clocks stepped back behind it', async () => {
    const { store, ids } = await logAt(0, 5, 2, 1, 6)
    expect(await cutId(store, time(3))).toBe(ids[0])
    expect(await cutId(store, time(1))).toBe(ids[0])
    expect(await cutId(store, time(5))).toBe(ids[3])
  })

  it('later than the clock is refused, because it is not final; the clock itself is not', async () => {
    const { store, ids } = await logAt(0)
    await expect(cutId(store, time(60, 1n))).rejects.toThrow(CutError)
    await expect(cutId(store, time(60, 1n))).rejects.toThrow('2026-05-01T11:00:00.0000001Z is in the future')
    expect(await cutId(store, time(60))).toBe(ids[0])
  })

  it('before the first event, or of an empty log, is refused', async () => {
    const { store } = await logAt(0)
    await expect(cutId(store, time(0, -1n))).rejects.toThrow(CutError)
    await expect(cutId(store, time(0, -1n))).rejects.toThrow('2026-05-01T09:59:59.9999999Z')
    await expect(cutId(openMemoryStore(), time(0))).rejects.toThrow(CutError)
  })
})

describe('a position', () => {
  it('of an event ends at it', async () => {
    const { store, ids } = await logAt(0, 1, 2)
    for (const [index, event] of (await eventsOfLog(store)).entries()) {
      expect(await cutId(store, at(event.position))).toBe(ids[index])
    }
  })

  it('of no event ends at the last one before it', async () => {
    const { store, ids } = await logAt(0, 1, 2)
    const [, { position }] = (await eventsOfLog(store)) as [unknown, { position: Position }]
    const { commit, prepare } = position
    expect(await cutId(store, at({ commit: commit + 1n, prepare: prepare + 1n }))).toBe(ids[1])
    expect(await cutId(store, at({ commit, prepare: prepare + 1n }))).toBe(ids[1])
    expect(await cutId(store, at({ commit, prepare: prepare - 1n }))).toBe(ids[0])
    expect(await cutId(store, at({ commit: commit - 1n, prepare: prepare - 1n }))).toBe(ids[0])
  })

  it('beyond the last event is refused, because what will stand before it is not final', async () => {
    const { store } = await logAt(0, 1)
    const beyond = cutId(store, at({ commit: 999_999n, prepare: 0n }))
    await expect(beyond).rejects.toThrow(CutError)
    await expect(beyond).rejects.toThrow('999999/0 is beyond the end of the log')
  })

  it('before the first event is refused and told', async () => {
    const { store } = await logAt(0)
    await expect(cutId(store, at({ commit: 0n, prepare: 0n }))).rejects.toThrow(CutError)
    await expect(cutId(store, at({ commit: 1n, prepare: 1n }))).rejects.toThrow('1/1')
  })
})

describe('just before an event', () => {
  const upTo = (eventId: string): CutSpec => ({ kind: 'before', eventId })

  it('ends at the event in front of it, whatever its stream', async () => {
    const { store, ids } = await logAt(0, 1, 2)
    expect(await cutId(store, upTo(ids[1] as string))).toBe(ids[0])
    expect(await cutId(store, upTo(ids[2] as string))).toBe(ids[1])
  })

  it('that is the first, or that is not there, is refused and told', async () => {
    const { store, ids } = await logAt(0, 1)
    await expect(cutId(store, upTo(ids[0] as string))).rejects.toThrow(`before event ${ids[0]}`)
    const unknown = cutId(store, upTo('7a1c1a52-3c6e-4f3c-9a5b-6d1f1f0c2b11'))
    await expect(unknown).rejects.toThrow(CutError)
    await expect(unknown).rejects.toThrow('No event 7a1c1a52-3c6e-4f3c-9a5b-6d1f1f0c2b11 is in the log')
  })
})

describe('the event at a position', () => {
  it('is there only where one stands exactly', async () => {
    const { store, ids } = await logAt(0, 1)
    const [first] = await eventsOfLog(store)
    const { commit, prepare } = (first as NonNullable<typeof first>).position
    expect((await eventAt(store, { commit, prepare }))?.id).toBe(ids[0])
    expect(await eventAt(store, { commit: commit + 1n, prepare })).toBeUndefined()
    expect(await eventAt(store, { commit: commit * 1_000n, prepare })).toBeUndefined()
    expect(await eventAt(store, { commit: 0n, prepare: 0n })).toBeUndefined()
  })

  it('is not made up when the store fails', async () => {
    const { store } = await logAt(0)
    await store.close()
    await expect(eventAt(store, { commit: 10n, prepare: 10n })).rejects.toThrow('closed')
  })
})
