// Soft deletes and tombstones, by the tables observed on EventStoreDB 24.6.0, and what is left of a stream after them.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DeleteResult, EventStore } from '../../src/log/event-store.js'
import { type ExpectedRevision, TOMBSTONE_REVISION } from '../../src/log/revision.js'
import { metadataStreamOf } from '../../src/log/stream.js'
import { anEvent, eventsOf, eventsOfLog, someEvents, textOf, uniqueStream } from '../controls/events.js'
import { setMetadata } from './metadata-contract.js'
import type { MakeStore, StoreHarness } from './store-harness.js'

const GUARDS: readonly ExpectedRevision[] = ['any', 'streamExists', 'noStream', 0, 2, 3]

/** By state of the stream, the outcome for each guard: ok, W conflict, D stream deleted. */
//                       any exists noStr 0  2  3
const DELETE = {
  missing: '             W   W      W     W  W  W',
  live: '                ok  ok     W     W  ok W',
  'softly deleted': '    ok  D      ok    W  ok W',
  tombstoned: '          D   D      D     D  D  D',
  'metadata only': '     ok  ok     ok    W  W  W',
} as const

const TOMBSTONE = {
  missing: '             ok  W      ok    W  W  W',
  live: '                ok  ok     W     W  ok W',
  'softly deleted': '    ok  D      ok    W  ok W',
  tombstoned: '          D   D      D     D  D  D',
  'metadata only': '     ok  ok     ok    W  W  W',
} as const

type State = keyof typeof DELETE

export function deletingContract(makeStore: MakeStore): void {
  describe('deleting', () => {
    let harness: StoreHarness
    beforeAll(async () => {
      harness = await makeStore()
    })
    afterAll(async () => {
      await harness.dispose()
    })

    describe.each(Object.keys(DELETE) as State[])('a stream that is %s', (state) => {
      test.each(GUARDS.map((guard, i) => [guard, outcomesOf(DELETE[state])[i]] as const))(
        'softly, expected %s: %s',
        async (expected, outcome) => {
          const stream = await streamThatIs(harness.store, state)
          expectOutcome(await harness.store.deleteStream(stream, expected), { outcome, state })
          if (outcome === 'ok') expect(await harness.store.readStream(stream)).toEqual({ kind: 'missing' })
        },
      )
      test.each(GUARDS.map((guard, i) => [guard, outcomesOf(TOMBSTONE[state])[i]] as const))(
        'for ever, expected %s: %s',
        async (expected, outcome) => {
          const stream = await streamThatIs(harness.store, state)
          expectOutcome(await harness.store.tombstone(stream, expected), { outcome, state })
          if (outcome === 'ok') expect(await harness.store.readStream(stream)).toEqual({ kind: 'tombstoned' })
        },
      )
    })

    test('after a soft delete and an append the guards are those of a live stream', async () => {
      for (const [expected, outcome] of [
        [0, 'W'],
        [2, 'W'],
        ['noStream', 'W'],
        [3, 'ok'],
        ['any', 'ok'],
        ['streamExists', 'ok'],
      ] as const) {
        const stream = await streamThatIs(harness.store, 'softly deleted')
        await harness.store.append(stream, [anEvent()], 'any')
        const result = await harness.store.deleteStream(stream, expected)
        expect(result.kind).toBe(outcome === 'ok' ? 'deleted' : 'conflict')
        if (outcome === 'W') expect(result).toMatchObject({ actual: 3 })
      }
    })

    test('a soft delete wipes the metadata, and the next append goes on from the last revision', async () => {
      const stream = await streamThatIs(harness.store, 'live')
      await setMetadata(harness.store, stream, { $maxCount: 5, k: 'v' })
      await harness.store.deleteStream(stream, 'any')
      expect(await metadataOf(harness.store, stream)).toEqual(['1 $metadata {"$tb":9223372036854775807}'])
      const event = anEvent()
      expect(await harness.store.append(stream, [event], 'any')).toMatchObject({ kind: 'appended', revision: 3 })
      expect((await eventsOf(harness.store, stream)).map(({ id, revision }) => [id, revision])).toEqual([[event.id, 3]])
      expect(await metadataOf(harness.store, stream)).toEqual(['2 $metadata {"$tb":3}'])
      const backwards = await eventsOf(harness.store, stream, { direction: 'backwards' })
      expect(backwards.map(({ revision }) => revision)).toEqual([3])
    })

    test('metadata with the largest $tb is a soft delete', async () => {
      const stream = await streamThatIs(harness.store, 'live')
      const data = Buffer.from('{"$tb":9223372036854775807}')
      await harness.store.append(metadataStreamOf(stream), [anEvent({ type: '$metadata', data })], 'any')
      expect(await harness.store.readStream(stream)).toEqual({ kind: 'missing' })
      expect(await harness.store.append(stream, [anEvent()], 'streamExists')).toMatchObject({
        reason: 'stream-deleted',
      })
      expect(await harness.store.append(stream, [anEvent()], 'noStream')).toMatchObject({ revision: 3 })
    })

    test('deleted and tombstoned events stay in the log, with the events that deleted them', async () => {
      const [soft, hard] = [await streamThatIs(harness.store, 'softly deleted'), uniqueStream()]
      await harness.store.append(hard, someEvents(2), 'any')
      const result = await harness.store.tombstone(hard, 1)
      const filter = { streamPrefixes: [soft, hard, metadataStreamOf(soft)] }
      const events = await eventsOfLog(harness.store, { filter })
      expect(events.map(({ stream, type, revision }) => `${stream} ${type} ${revision}`)).toEqual([
        ...[0, 1, 2].map((revision) => `${soft} Happened ${revision}`),
        `${metadataStreamOf(soft)} $metadata 0`,
        ...[0, 1].map((revision) => `${hard} Happened ${revision}`),
        `${hard} $streamDeleted ${TOMBSTONE_REVISION}`,
      ])
      expect(result).toEqual({ kind: 'deleted', position: events.at(-1)?.position })
      expect(events.at(-1)).toMatchObject({ contentType: 'application/octet-stream' })
    })

    test('a tombstone closes the metadata stream too', async () => {
      const [bare, described] = [
        await streamThatIs(harness.store, 'live'),
        await streamThatIs(harness.store, 'metadata only'),
      ]
      for (const stream of [bare, described]) {
        await harness.store.tombstone(stream, 'any')
        expect(await harness.store.readStream(metadataStreamOf(stream))).toEqual({ kind: 'tombstoned' })
      }
      const written = await harness.store.append(metadataStreamOf(bare), [anEvent()], 'any')
      expect(written).toMatchObject({ kind: 'refused', reason: 'stream-deleted' })
    })

    test('a metadata stream can be deleted and tombstoned', async () => {
      const stream = await streamThatIs(harness.store, 'metadata only')
      expect(await harness.store.deleteStream(metadataStreamOf(stream), 'any')).toMatchObject({ kind: 'deleted' })
      expect(await harness.store.tombstone(metadataStreamOf(stream), 'any')).toMatchObject({ kind: 'deleted' })
      expect(await harness.store.readStream(metadataStreamOf(stream))).toEqual({ kind: 'tombstoned' })
    })
  })
}

async function streamThatIs(store: EventStore, state: State): Promise<string> {
  const stream = uniqueStream()
  if (state === 'metadata only') await setMetadata(store, stream, { k: 1 })
  else if (state !== 'missing') await store.append(stream, someEvents(3), 'noStream')
  if (state === 'softly deleted') await store.deleteStream(stream, 'any')
  if (state === 'tombstoned') await store.tombstone(stream, 'any')
  return stream
}

function outcomesOf(row: string): string[] {
  return row.trim().split(/\s+/)
}

function expectOutcome(result: DeleteResult, { outcome, state }: { outcome: string | undefined; state: State }): void {
  if (outcome === 'ok') expect(result).toMatchObject({ kind: 'deleted', position: { commit: expect.anything() } })
  else if (outcome === 'D') expect(result).toMatchObject({ kind: 'refused', reason: 'stream-deleted' })
  else
    expect(result).toEqual({
      kind: 'conflict',
      actual: state === 'live' || state === 'softly deleted' ? 2 : 'noStream',
    })
}

async function metadataOf(store: EventStore, stream: string): Promise<string[]> {
  const events = await eventsOf(store, metadataStreamOf(stream))
  return events.map((event) => `${event.revision} ${event.type} ${textOf(event)}`)
}
