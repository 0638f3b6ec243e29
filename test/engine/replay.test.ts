// Replays: they end exactly at their cut, tell what they cover, report what was asked for, and can be stopped.
import { describe, expect, it } from 'vitest'
import { type Cut, resolveCut } from '../../src/engine/cut.js'
import { type Progress, type ReplayOptions, type ReplayResult, replay } from '../../src/engine/replay.js'
import { scan } from '../../src/engine/scan.js'
import type { EventBatch } from '../../src/log/event.js'
import type { EventStore } from '../../src/log/event-store.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { eventsOfLog } from '../controls/events.js'
import { write, writeMetadata } from '../controls/log-writer.js'
import { parcels } from '../controls/parcels.js'

const NOW = Date.parse('2026-05-02T12:00:00Z')

async function headOf(store: EventStore): Promise<Cut> {
  return (await resolveCut(store, { kind: 'head' }, NOW)) as Cut
}

const run = (store: EventStore, options: Partial<ReplayOptions> = {}): Promise<ReplayResult> =>
  replay(store, parcels, { now: NOW, ...options })

/** Orders 1 to n, all paid; those in `sent` have their parcel. */
async function paidOrders(count: number, sent: readonly number[] = []): Promise<EventStore> {
  const store = openMemoryStore()
  for (let n = 1; n <= count; n += 1) await write(store, `order-${n}`, { type: 'Paid' })
  for (const n of sent) await write(store, `parcel-${n}`, { type: 'Sent' })
  return store
}

const subjectsOf = ({ findings }: ReplayResult) => findings.map(({ subject }) => subject)

describe('a replay', () => {
  it('finds what is wrong, in the order of subject, rule and id, and proposes what makes it good, in the order of the log', async () => {
    const store = await paidOrders(0)
    for (const id of ['b', 'a', '\u{1F6EB}', '\uFF5E']) await write(store, `order-${id}`, { type: 'Paid' })
    await write(store, 'order-b', { type: 'Disputed' })
    await write(store, 'parcel-a', { type: 'Sent' })
    const result = await run(store)
    expect(result.findings.map(({ subject, rule }) => `${subject} ${rule}`)).toEqual([
      'b disputed',
      'b paid-not-sent',
      '\uFF5E paid-not-sent',
      '\u{1F6EB} paid-not-sent',
    ])
    expect(result.compensations.map(({ subject }) => subject)).toEqual(['\u{1F6EB}', '\uFF5E'])
    expect(result.summary.findings).toEqual({ 'paid-not-sent': 3, disputed: 1 })
  })

  it('of an empty log finds nothing and covers nothing, completely', async () => {
    const { summary, findings, compensations } = await run(openMemoryStore())
    expect({ findings, compensations, cut: summary.cut, counts: summary.findings }).toEqual({
      findings: [],
      compensations: [],
      cut: null,
      counts: {},
    })
    expect(summary.coverage).toEqual({
      complete: true,
      events: 0,
      streams: 0,
      subjects: 0,
      undecodable: 0,
      gaps: 0,
      unattributable: 0,
      unreadable: 0,
    })
  })

  it('names projection, version, now and the cut in its summary', async () => {
    const store = await paidOrders(1)
    const cut = await headOf(store)
    const { summary } = await run(store, { cut })
    expect(summary).toMatchObject({
      projection: 'parcels',
      version: '1',
      filters: {},
      now: '2026-05-02T12:00:00.0000000Z',
      cut,
    })
  })

  it('without a cut ends at the last event of its categories', async () => {
    const store = await paidOrders(1)
    const cut = await headOf(store)
    await write(store, 'elsewhere-1', { type: 'X' })
    expect((await run(store)).summary.cut).toEqual(cut)
  })

  it('carries the evidence: events, and the head of each stream that it read', async () => {
    const store = openMemoryStore()
    const [paid] = await write(store, 'order-1', { type: 'Paid' }, { type: 'Seen' })
    const { findings, compensations } = await run(store)
    expect(findings[0]?.evidence).toEqual({ events: [paid], revisions: { 'order-1': 1, 'parcel-1': null } })
    expect(compensations[0]?.heads).toMatchObject({ order: { stream: 'order-1', revision: 1 } })
    expect(compensations[0]?.intents[0]?.answers).toEqual([findings[0]?.id])
  })
})

describe('a cut', () => {
  it('takes in its own event and nothing behind it, for every event of the log', async () => {
    const store = openMemoryStore()
    for (let n = 0; n < 5; n += 1) {
      await write(store, `order-${n}`, { type: 'Paid' })
      await write(store, `elsewhere-${n}`, { type: 'X' })
    }
    for (const [index, event] of (await eventsOfLog(store)).entries()) {
      const cut = { position: event.position, time: null, eventId: event.id }
      const { summary } = await run(store, { cut })
      expect(summary.coverage.events).toBe(Math.floor(index / 2) + 1)
      expect(summary.cut).toEqual(cut)
    }
  })

  it('is honoured while others append: what is written during the reading is not in the result', async () => {
    const store = await paidOrders(2_500)
    const cut = await headOf(store)
    const before = await run(store, { cut })
    let written = 0
    const during = await run(store, {
      cut,
      onProgress: () => {
        written += 1
        void store.append(`order-late-${written}`, [], 'any')
        void write(store, `order-late-${written}`, { type: 'Paid' })
      },
    })
    expect(written).toBeGreaterThan(1)
    expect(await headOf(store)).not.toEqual(cut)
    expect(during.summary.digest).toBe(before.summary.digest)
    expect(during.summary.coverage).toEqual(before.summary.coverage)
  })

  it('beyond the last event of the categories ends the reading all the same', async () => {
    const store = await paidOrders(1)
    for (let n = 0; n < 3; n += 1) await write(store, 'elsewhere-1', { type: 'X' })
    expect((await run(store, { cut: await headOf(store) })).summary.coverage.events).toBe(1)
  })

  it('in the middle of a batch that a store gives beyond it cuts the batch', async () => {
    const store = await paidOrders(10)
    const events = await eventsOfLog(store)
    const third = events[2] as (typeof events)[number]
    let batches = 0
    const reader: Pick<EventStore, 'readAll' | 'readStream'> = {
      readStream: store.readStream.bind(store),
      async *readAll(): AsyncIterable<EventBatch> {
        for (const half of [events.slice(0, 6), events.slice(6)]) {
          batches += 1
          yield { events: half, position: (half.at(-1) as typeof third).position }
        }
      },
    }
    const cut = { position: third.position, time: null, eventId: third.id }
    const { summary } = await replay(reader, parcels, { now: NOW, cut })
    expect(summary.coverage.events).toBe(3)
    expect(batches).toBe(1)
  })
})

describe('coverage', () => {
  it('counts events, streams, subjects, gaps and what could not be decoded', async () => {
    const store = await paidOrders(2, [1])
    await write(store, 'order-2', { type: 'Paid', data: '{"amountMinor":"x"}' })
    await writeMetadata(store, 'order-3', { $maxCount: 1 })
    const { summary, findings } = await run(store)
    expect(summary.coverage).toEqual({
      complete: true,
      events: 4,
      streams: 3,
      subjects: 3,
      undecodable: 1,
      gaps: 0,
      unattributable: 0,
      unreadable: 0,
    })
    expect(findings.map(({ subject, rule }) => `${subject} ${rule}`)).toEqual([
      '2 paid-not-sent',
      '2 unknown-event',
      '3 history-incomplete',
    ])
  })

  it('is not complete where an event belongs to nobody known', async () => {
    const store = await paidOrders(1)
    await write(store, 'parcel-', { type: 'Sent' })
    expect((await run(store)).summary.coverage).toMatchObject({ complete: false, unattributable: 1, events: 1 })
  })

  it('is not complete where lines of the source could not be read, counted after the reading', async () => {
    const store = await paidOrders(1)
    let unreadable = 0
    const onProgress = () => {
      unreadable = 3
    }
    const { summary } = await run(store, { countUnreadable: () => unreadable, onProgress })
    expect(summary.coverage).toMatchObject({ complete: false, unreadable: 3 })
  })
})

describe('progress', () => {
  it('rises with the batches to the whole, in events and in the fraction of the way to the cut', async () => {
    const store = await paidOrders(2_500)
    const told: Progress[] = []
    let ticks = 0
    const { summary } = await run(store, {
      cut: await headOf(store),
      onProgress: (progress) => told.push(progress),
      elapsedClock: () => (ticks += 10),
    })
    expect(told.length).toBeGreaterThan(1)
    for (const key of ['events', 'fraction', 'elapsedMs'] as const) {
      const values = told.map((progress) => progress[key] ?? -1)
      expect(values).toEqual(values.toSorted((a, b) => a - b))
    }
    expect(told.at(-1)).toMatchObject({ events: 2_500, fraction: 1 })
    expect(told[0]?.fraction).toBeLessThan(1)
    expect(summary.elapsedMs).toBeGreaterThan(told.at(-1)?.elapsedMs ?? Number.POSITIVE_INFINITY)
  })

  it('has no fraction while the end is not known', async () => {
    const told: Progress[] = []
    await run(await paidOrders(1), { onProgress: (progress) => told.push(progress) })
    expect(told[0]?.fraction).toBeUndefined()
  })
})

describe('filters', () => {
  it('by subject narrow findings and compensations, by rule findings alone; everything is folded all the same', async () => {
    const store = await paidOrders(3)
    await write(store, 'order-3', { type: 'Disputed' })
    const bySubject = await run(store, { filters: { subjects: ['2', '3'] } })
    expect(subjectsOf(bySubject)).toEqual(['2', '3', '3'])
    expect(bySubject.compensations.map(({ subject }) => subject)).toEqual(['2'])
    const byRule = await run(store, { filters: { rules: ['disputed'] } })
    expect(subjectsOf(byRule)).toEqual(['3'])
    expect(byRule.summary.coverage).toEqual(bySubject.summary.coverage)
    expect(byRule.summary.filters).toEqual({ rules: ['disputed'] })
  })

  it('do not lift what holds a repair: a rule that was not asked for still forbids it', async () => {
    const store = await paidOrders(1)
    await write(store, 'order-1', { type: 'Disputed' })
    const { findings, compensations } = await run(store, { filters: { rules: ['paid-not-sent'] } })
    expect(findings.map(({ heldBy }) => heldBy)).toEqual([['disputed']])
    expect(compensations).toEqual([])
  })

  it('that name nobody report nothing', async () => {
    const { findings, compensations } = await run(await paidOrders(1), { filters: { subjects: [], rules: [] } })
    expect({ findings, compensations }).toEqual({ findings: [], compensations: [] })
  })
})

describe('an abort', () => {
  it('before or during the reading ends the replay with its reason', async () => {
    const store = await paidOrders(2_500)
    const reason = new Error('enough')
    await expect(run(store, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    let batches = 0
    const aborted = run(store, {
      signal: controller.signal,
      onProgress: () => {
        batches += 1
        controller.abort(reason)
      },
    })
    await expect(aborted).rejects.toBe(reason)
    expect(batches).toBe(1)
  })
})

describe('a scan', () => {
  it('settles its cut itself, at the head or as of a cut', async () => {
    const store = await paidOrders(2)
    const [first] = await eventsOfLog(store)
    expect(subjectsOf(await scan(store, parcels))).toEqual(['1', '2'])
    const asOf = { kind: 'position', position: (first as NonNullable<typeof first>).position } as const
    const early = await scan(store, parcels, { asOf, now: NOW })
    expect(subjectsOf(early)).toEqual(['1'])
    expect(early.summary.cut?.eventId).toBe(first?.id)
    expect((await scan(openMemoryStore(), parcels)).summary.cut).toBeNull()
  })
})
