// One subject read again from its own streams: the same fold as the replay's for the same cut, and never more trusting than it.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emptySubject, Fold, incompletenessOf } from '../../src/engine/fold.js'
import { readSubject } from '../../src/engine/subject.js'
import type { RecordedEvent } from '../../src/log/event.js'
import type { EventStore } from '../../src/log/event-store.js'
import type { Position } from '../../src/log/position.js'
import { StoreCorruptError } from '../../src/log/store-errors.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { eventsOfLog } from '../controls/events.js'
import { write, writeMetadata } from '../controls/log-writer.js'
import { parcels } from '../controls/parcels.js'
import { seedFor } from '../controls/seed.js'

const SUBJECTS = ['1', '10', 'a-b']

const anyEvent = fc.record({
  stream: fc.constantFrom(...SUBJECTS.flatMap((id) => [`order-${id}`, `parcel-${id}`]), 'elsewhere-1'),
  type: fc.constantFrom('Paid', 'Sent', 'Disputed', 'Other'),
  data: fc.constantFrom('{}', '{"amountMinor":1}', '{"amountMinor":"x"}', 'no JSON'),
})

function foldUpTo(events: readonly RecordedEvent[]): Fold<unknown> {
  const fold = new Fold<unknown>(parcels)
  for (const event of events) fold.add(event)
  return fold
}

async function expectSubjectsOf(fold: Fold<unknown>, store: EventStore, upTo: Position): Promise<void> {
  for (const subject of SUBJECTS) {
    const { folded } = await readSubject(store, parcels, subject, { upTo })
    const known = fold.subjects.get(subject)
    expect({ ...folded, ordinal: 0 }).toEqual({ ...(known ?? emptySubject(parcels, subject, 0)), ordinal: 0 })
  }
}

async function incompleteness(store: EventStore, subject: string): Promise<string[]> {
  const { folded } = await readSubject(store, parcels, subject)
  return incompletenessOf(folded).map(({ shownBy, why }) => `${shownBy.stream} ${shownBy.id} ${why}`)
}

describe('a subject read from its own streams', () => {
  it('is what a replay folds it to, for every cut of any log', async () => {
    const property = fc.asyncProperty(fc.array(anyEvent, { maxLength: 12 }), async (written) => {
      const store = openMemoryStore()
      for (const { stream, ...event } of written) await write(store, stream, event)
      const log = await eventsOfLog(store)
      for (const [index, { position }] of log.entries()) {
        await expectSubjectsOf(foldUpTo(log.slice(0, index + 1)), store, position)
      }
    })
    await fc.assert(property, { seed: seedFor('subject against replay'), numRuns: 60 })
  })

  it('gives its events in the order of the log, over all of its streams and no other', async () => {
    const store = openMemoryStore()
    const ids: string[] = []
    for (const stream of ['parcel-1', 'order-1', 'order-10', 'parcel-1', 'order-1']) {
      const [id] = await write(store, stream, { type: 'Paid' })
      if (stream !== 'order-10') ids.push(id as string)
    }
    const { events, folded } = await readSubject(store, parcels, '1')
    expect(events.map(({ id }) => id)).toEqual(ids)
    expect(folded.state.seen).toEqual(['parcel-1@0 Paid', 'order-1@0 Paid', 'parcel-1@1 Paid', 'order-1@1 Paid'])
  })

  it('that nobody knows is empty and whole', async () => {
    const { folded, events } = await readSubject(openMemoryStore(), parcels, 'nobody')
    expect(events).toEqual([])
    expect(folded).toEqual({
      subject: 'nobody',
      ordinal: 0,
      state: parcels.initial('nobody'),
      heads: {},
      undecodable: [],
      holes: [],
      limits: {},
    })
  })

  it('stops reading when its signal is aborted', async () => {
    const store = openMemoryStore()
    await write(store, 'order-1', { type: 'Paid' })
    const reason = new Error('enough')
    await expect(readSubject(store, parcels, '1', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})

describe('what a replay does not trust, a subject read again does not trust either', () => {
  const cases: [string, (store: EventStore) => Promise<unknown>][] = [
    ['a limit', (store) => writeMetadata(store, 'parcel-1', { $maxCount: 1 })],
    [
      'a limit that was replaced',
      async (store) => {
        await writeMetadata(store, 'parcel-1', { $maxCount: 1 })
        await writeMetadata(store, 'parcel-1', { $maxAge: 9_999 })
      },
    ],
    ['a soft delete', (store) => store.deleteStream('parcel-1', 1)],
    [
      'a stream that was deleted and written to again',
      async (store) => {
        await store.deleteStream('parcel-1', 1)
        await write(store, 'parcel-1', { type: 'Sent' })
      },
    ],
    ['a tombstone', (store) => store.tombstone('parcel-1', 1)],
    [
      'a tombstone where no event ever was',
      async (store) => {
        await write(store, 'order-2', { type: 'Paid' })
        await store.tombstone('parcel-2', 'noStream')
      },
    ],
    ['a stream cut off at its beginning', (store) => writeMetadata(store, 'parcel-1', { $tb: 1 })],
  ]

  it.each(cases)('%s: same event, same reason', async (_, harm) => {
    const store = openMemoryStore()
    await write(store, 'order-1', { type: 'Paid' })
    await write(store, 'parcel-1', { type: 'Packed' }, { type: 'Sent' })
    await write(store, 'parcel-10', { type: 'Sent' })
    await harm(store)
    const fold = foldUpTo(await eventsOfLog(store))
    for (const [subject, folded] of fold.subjects) {
      const expected = incompletenessOf(folded).map(({ shownBy, why }) => `${shownBy.stream} ${shownBy.id} ${why}`)
      expect(await incompleteness(store, subject)).toEqual(expect.arrayContaining(expected))
    }
    expect([...fold.subjects.values()].flatMap(incompletenessOf)).not.toEqual([])
  })

  it('a limit that was cleared is none', async () => {
    const store = openMemoryStore()
    await write(store, 'order-1', { type: 'Paid' })
    await writeMetadata(store, 'order-1', { $maxCount: 5 })
    expect(await incompleteness(store, '1')).toHaveLength(1)
    await writeMetadata(store, 'order-1', {})
    expect(await incompleteness(store, '1')).toEqual([])
  })

  it('as of an older cut, what is deleted by now is not trusted: it cannot be read any more', async () => {
    for (const harm of [
      (store: EventStore) => store.deleteStream('order-1', 0),
      (store: EventStore) => store.tombstone('order-1', 0),
    ]) {
      const store = openMemoryStore()
      await write(store, 'order-1', { type: 'Paid' })
      const [{ position: upTo } = { position: undefined }] = await eventsOfLog(store)
      await harm(store)
      const { folded } = await readSubject(store, parcels, '1', { ...(upTo && { upTo }) })
      expect(folded.heads).toEqual({})
      expect(incompletenessOf(folded)).not.toEqual([])
    }
  })

  it('a tombstone that the log does not hold is no reason to trust', async () => {
    const store = openMemoryStore()
    await store.tombstone('order-1', 'noStream')
    const blind = {
      readStream: store.readStream.bind(store),
      async *readAll() {
        /* a log without records */
      },
    }
    await expect(readSubject(blind, parcels, '1')).rejects.toThrow(StoreCorruptError)
  })
})
