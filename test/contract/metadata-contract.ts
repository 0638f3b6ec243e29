// Metadata of streams: which limits it sets on reading, and which values are without effect.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jsonEvent } from '../../src/log/event.js'
import type { EventStore } from '../../src/log/event-store.js'
import { metadataStreamOf } from '../../src/log/stream.js'
import { readStreamMetadata } from '../../src/log/stream-metadata.js'
import { anEvent, eventsOf, eventsOfLog, someEvents, textOf, uniqueStream } from '../controls/events.js'
import type { MakeStore, StoreHarness } from './store-harness.js'

/** Writes a stream's metadata anew. */
export async function setMetadata(store: EventStore, stream: string, metadata: object): Promise<void> {
  const event = jsonEvent({ id: randomUUID(), type: '$metadata', data: metadata })
  const result = await store.append(metadataStreamOf(stream), [event], 'any')
  expect(result).toMatchObject({ kind: 'appended' })
}

export function metadataContract(makeStore: MakeStore): void {
  describe('metadata', () => {
    let harness: StoreHarness
    beforeAll(async () => {
      harness = await makeStore()
    })
    afterAll(async () => {
      await harness.dispose()
    })

    test.each([
      [{ $maxCount: 2 }, [3, 4]],
      [{ $tb: 2 }, [2, 3, 4]],
      [{ $tb: 3, $maxCount: 3 }, [3, 4]],
      [{ $tb: 100 }, []],
      [{ $maxAge: 3600 }, [0, 1, 2, 3, 4]],
    ])('%j leaves revisions %j of five readable', async (metadata, readable) => {
      const stream = await streamOfFive(harness.store)
      await setMetadata(harness.store, stream, metadata)
      const revisions = async (options = {}) => (await eventsOf(harness.store, stream, options)).map((e) => e.revision)
      expect(await revisions()).toEqual(readable)
      expect(await revisions({ direction: 'backwards' })).toEqual([...readable].reverse())
      expect(await revisions({ from: 0, maxCount: 1 })).toEqual(readable.slice(0, 1))
      expect(await revisions({ direction: 'backwards', from: 1 })).toEqual(readable.filter((r) => r <= 1).reverse())
      expect(await eventsOfLog(harness.store, { filter: { streamPrefixes: [stream] } })).toHaveLength(5)
    })

    test('$maxCount counts from the last event, also from one appended later', async () => {
      const stream = await streamOfFive(harness.store)
      await setMetadata(harness.store, stream, { $maxCount: 2 })
      await harness.store.append(stream, [anEvent()], 4)
      expect((await eventsOf(harness.store, stream)).map(({ revision }) => revision)).toEqual([4, 5])
    })

    test('$maxAge hides events that are older', async () => {
      const stream = await streamOfFive(harness.store)
      await setMetadata(harness.store, stream, { $maxAge: 1 })
      const deadline = Date.now() + 20_000
      while ((await eventsOf(harness.store, stream)).length > 0) {
        expect(Date.now()).toBeLessThan(deadline)
        await sleep(100)
      }
      await harness.store.append(stream, [anEvent()], 4)
      const revisions = (await eventsOf(harness.store, stream)).map(({ revision }) => revision)
      expect(revisions.filter((revision) => revision < 5)).toEqual([])
    })

    test.each([
      '{"$maxCount":0}',
      '{"$maxCount":-1}',
      '{"$maxCount":1.5}',
      '{"$maxCount":"x"}',
      '{"$maxCount":9223372036854775807}',
      '{"$maxAge":0}',
      '{"$tb":-5}',
      '[1]',
      'null',
      'hello',
      '',
    ])('%s is taken and without effect', async (text) => {
      const stream = await streamOfFive(harness.store)
      const event = anEvent({ type: '$metadata', data: Buffer.from(text) })
      expect(await harness.store.append(metadataStreamOf(stream), [event], 'any')).toMatchObject({ revision: 0 })
      expect(await eventsOf(harness.store, stream)).toHaveLength(5)
      expect(await harness.store.append(stream, [anEvent()], 4)).toMatchObject({ revision: 5 })
    })

    test('the type of the metadata event is not looked at', async () => {
      const stream = await streamOfFive(harness.store)
      await harness.store.append(metadataStreamOf(stream), [anEvent({ data: Buffer.from('{"$maxCount":1}') })], 'any')
      expect(await eventsOf(harness.store, stream)).toHaveLength(1)
    })

    test('new metadata replaces the old wholly, and its stream shows only the last', async () => {
      const stream = uniqueStream()
      await setMetadata(harness.store, stream, { $maxCount: 3, k: 1 })
      await setMetadata(harness.store, stream, { j: 2 })
      const events = await eventsOf(harness.store, metadataStreamOf(stream))
      expect(events.map((event) => [event.revision, textOf(event)])).toEqual([[1, '{"j":2}']])
      const read = await readStreamMetadata(harness.store, stream)
      expect([read?.revision, read && textOf(read)]).toEqual([1, '{"j":2}'])
    })

    test('a stream with metadata only is missing, and so is metadata that never was', async () => {
      const stream = uniqueStream()
      expect(await harness.store.readStream(metadataStreamOf(stream))).toEqual({ kind: 'missing' })
      expect(await readStreamMetadata(harness.store, stream)).toBeUndefined()
      await setMetadata(harness.store, stream, { k: 1 })
      expect(await harness.store.readStream(stream)).toEqual({ kind: 'missing' })
    })

    test('writing it is guarded as any append is', async () => {
      const stream = metadataStreamOf(uniqueStream())
      expect(await harness.store.append(stream, [anEvent()], 'noStream')).toMatchObject({ revision: 0 })
      expect(await harness.store.append(stream, [anEvent()], 'noStream')).toEqual({ kind: 'conflict', actual: 0 })
      expect(await harness.store.append(stream, [anEvent()], 0)).toMatchObject({ revision: 1 })
      expect(await harness.store.append(stream, [anEvent()], 7)).toEqual({ kind: 'conflict', actual: 1 })
      expect(await harness.store.append(stream, [anEvent()], 'streamExists')).toMatchObject({ revision: 2 })
    })

    test('written on a softly deleted stream it undeletes it, leaving it empty', async () => {
      const stream = await streamOfFive(harness.store)
      await harness.store.deleteStream(stream, 'any')
      await setMetadata(harness.store, stream, { k: 1 })
      expect(await eventsOf(harness.store, stream)).toEqual([])
      const metadata = await readStreamMetadata(harness.store, stream)
      expect(metadata && JSON.parse(textOf(metadata))).toEqual({ k: 1, $tb: 5 })
      expect(await harness.store.append(stream, [anEvent()], 'any')).toMatchObject({ revision: 5 })
      expect((await eventsOf(harness.store, stream)).map(({ revision }) => revision)).toEqual([5])
    })
  })
}

async function streamOfFive(store: EventStore): Promise<string> {
  const stream = uniqueStream()
  await store.append(stream, someEvents(5), 'noStream')
  return stream
}
