// What holds for the homes that take a log back as it was.
import { describe, expect, test } from 'vitest'
import type { LineEvent } from '../../src/log/event-line.js'
import { isRestorable, type RestorableStore, type RestoreResult } from '../../src/log/restorable-store.js'
import { TOMBSTONE_REVISION } from '../../src/log/revision.js'
import { metadataStreamOf } from '../../src/log/stream.js'
import { SOFT_DELETE_TB } from '../../src/log/stream-metadata.js'
import { anEvent, eventsOf, eventsOfLog, someEvents } from '../controls/events.js'
import type { MakeStore, StoreHarness } from './store-harness.js'

const CREATED = 17_776_296_001_234_567n

function placed(stream: string, revision: number, fields: Partial<LineEvent> = {}): LineEvent {
  return { ...anEvent(), stream, revision, created: CREATED + BigInt(revision % 1_000), ...fields }
}

function metadataOf(stream: string, revision: number, json: string): LineEvent {
  return placed(metadataStreamOf(stream), revision, { type: '$metadata', data: new TextEncoder().encode(json) })
}

function tombstoneOf(stream: string): LineEvent {
  return placed(stream, TOMBSTONE_REVISION, {
    type: '$streamDeleted',
    contentType: 'application/octet-stream',
    data: new Uint8Array(0),
  })
}

const restored = (added: number, present: number, gaps = 0): RestoreResult => ({
  kind: 'restored',
  added,
  present,
  gaps,
})

export function restoringContract(name: string, makeStore: MakeStore): void {
  const open = async (): Promise<StoreHarness & { readonly restorable: RestorableStore }> => {
    const harness = await makeStore()
    if (!isRestorable(harness.store)) throw new Error(`${name} cannot restore`)
    return Object.assign(harness, { restorable: harness.store })
  }
  const logOf = async (store: RestorableStore) =>
    (await eventsOfLog(store)).map(({ position: _position, ...event }) => ({
      ...event,
      data: Uint8Array.from(event.data),
      metadata: Uint8Array.from(event.metadata),
    }))

  describe(`${name} takes a log back`, () => {
    test('with ids, revisions, times and bytes as given, in the order given', async () => {
      const { restorable, dispose } = await open()
      const events = [placed('a', 0), placed('b', 0), placed('a', 1, { metadata: Uint8Array.of(0, 255) })]
      expect(await restorable.restore(events)).toEqual(restored(3, 0))
      expect(await logOf(restorable)).toEqual(events)
      await dispose()
    })

    test('once: the same events again, also twice in one batch, are present', async () => {
      const { restorable, dispose } = await open()
      const [first, second] = [placed('a', 0), placed('a', 1)]
      expect(await restorable.restore([first, first, second])).toEqual(restored(2, 1))
      expect(await restorable.restore([first, second, placed('a', 2)])).toEqual(restored(1, 2))
      expect(await restorable.restore([{ ...first, id: first.id.toUpperCase() }])).toEqual(restored(0, 1))
      await dispose()
    })

    test('an event without a time is stamped, and is present again whatever time it got', async () => {
      const { restorable, dispose } = await open()
      const event = placed('a', 0, { created: undefined })
      await restorable.restore([event])
      expect(await restorable.restore([event])).toEqual(restored(0, 1))
      expect((await eventsOf(restorable, 'a'))[0]?.created).toBeGreaterThan(CREATED)
      await dispose()
    })

    test.each<[string, Partial<LineEvent>]>([
      ['id', { id: anEvent().id }],
      ['type', { type: 'Other' }],
      ['contentType', { contentType: 'application/octet-stream' }],
      ['data', { data: Uint8Array.of(1) }],
      ['metadata', { metadata: Uint8Array.of(1) }],
      ['created', { created: CREATED + 1n }],
    ])(
      'refuses an event of another %s at a place that is taken, and writes nothing of the batch',
      async (field, change) => {
        const { restorable, dispose } = await open()
        const event = placed('a', 0)
        await restorable.restore([event])
        const result = await restorable.restore([placed('b', 0), { ...event, ...change }, placed('c', 0)])
        expect(result).toEqual({
          kind: 'refused',
          index: 1,
          message: `another event stands there: its ${field} differ`,
        })
        expect(await logOf(restorable)).toEqual([event])
        await dispose()
      },
    )

    test('refuses names and ids that no log holds', async () => {
      const { restorable, dispose } = await open()
      for (const event of [placed('', 0), placed('$$', 0), placed('\ud800', 0), placed('a', 0, { type: '' })]) {
        expect(await restorable.restore([event])).toMatchObject({ kind: 'refused', index: 0 })
      }
      await dispose()
    })

    test('behind what others appended, and appends go on behind it', async () => {
      const { restorable, dispose } = await open()
      await restorable.append('a', someEvents(2), 'noStream')
      expect(await restorable.restore([placed('a', 2)])).toEqual(restored(1, 0))
      expect(await restorable.append('a', someEvents(1), 2)).toMatchObject({ kind: 'appended', revision: 3 })
      expect(await restorable.append('a', someEvents(1), 2)).toMatchObject({ kind: 'conflict', actual: 3 })
      await dispose()
    })

    test('streams that begin above 0 and have holes read across them in both directions', async () => {
      const { restorable, dispose } = await open()
      const events = [5, 6, 9, 10].map((revision) => placed('a', revision))
      expect(await restorable.restore(events)).toEqual(restored(4, 0, 2))
      const revisions = async (options = {}) =>
        (await eventsOf(restorable, 'a', options)).map(({ revision }) => revision)
      expect(await revisions()).toEqual([5, 6, 9, 10])
      expect(await revisions({ direction: 'backwards' })).toEqual([10, 9, 6, 5])
      expect(await revisions({ from: 7 })).toEqual([9, 10])
      expect(await revisions({ from: 8, direction: 'backwards' })).toEqual([6, 5])
      expect(await revisions({ from: 2, direction: 'backwards' })).toEqual([])
      expect(await revisions({ from: 3, maxCount: 1 })).toEqual([5])
      expect(await restorable.restore(events)).toEqual(restored(0, 4))
      expect(await restorable.restore([placed('a', 7)])).toMatchObject({
        kind: 'refused',
        message: 'the stream goes to revision 10 and has no such event',
      })
      expect(await restorable.append('a', someEvents(1), 10)).toMatchObject({ kind: 'appended', revision: 11 })
      await dispose()
    })

    test('a subscriber is given what stands behind a hole', async () => {
      const { restorable, dispose } = await open()
      await restorable.restore([placed('a', 3), placed('a', 7)])
      const ending = new AbortController()
      const seen: number[] = []
      for await (const message of restorable.subscribeToStream('a', { signal: ending.signal })) {
        if (message.kind === 'events') seen.push(...message.events.map(({ revision }) => revision))
        if (message.kind === 'caughtUp') await restorable.restore([placed('a', 12)])
        if (seen.includes(12)) ending.abort()
      }
      expect(seen).toEqual([3, 7, 12])
      await dispose()
    })

    test('metadata takes effect as it does when appended', async () => {
      const { restorable, dispose } = await open()
      await restorable.restore([placed('a', 0), placed('a', 1), metadataOf('a', 0, '{"$maxCount":1}'), placed('a', 2)])
      expect((await eventsOf(restorable, 'a')).map(({ revision }) => revision)).toEqual([2])
      await dispose()
    })

    test('a soft delete hides its stream, and only the metadata given ends it', async () => {
      const { restorable, dispose } = await open()
      await restorable.restore([placed('a', 0), metadataOf('a', 0, `{"$tb":${SOFT_DELETE_TB}}`)])
      expect(await restorable.readStream('a')).toEqual({ kind: 'missing' })
      await restorable.restore([placed('a', 1)])
      expect(await restorable.readStream('a')).toEqual({ kind: 'missing' })
      await restorable.restore([metadataOf('a', 1, '{"$tb":1}')])
      expect((await eventsOf(restorable, 'a')).map(({ revision }) => revision)).toEqual([1])
      expect(await eventsOfLog(restorable)).toHaveLength(4)
      await dispose()
    })

    test('a tombstone closes its stream, also for what is restored later', async () => {
      const { restorable, dispose } = await open()
      const events = [placed('a', 0), tombstoneOf('a')]
      expect(await restorable.restore(events)).toEqual(restored(2, 0))
      expect(await restorable.readStream('a')).toEqual({ kind: 'tombstoned' })
      expect(await restorable.restore(events)).toEqual(restored(0, 2))
      expect(await restorable.restore([placed('a', 1)])).toMatchObject({ message: 'the stream is deleted for ever' })
      expect(await restorable.restore([tombstoneOf('a')])).toMatchObject({ kind: 'refused' })
      expect(await restorable.append('a', someEvents(1), 'any')).toMatchObject({ reason: 'stream-deleted' })
      await dispose()
    })

    test('a batch of nothing is taken', async () => {
      const { restorable, dispose } = await open()
      expect(await restorable.restore([])).toEqual(restored(0, 0))
      expect(await eventsOfLog(restorable)).toEqual([])
      await dispose()
    })
  })
}
