// Appending: every cell of the tables, batches, guards under concurrency, and what no log takes.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { comparePositions } from '../../src/log/position.js'
import { metadataStreamOf } from '../../src/log/stream.js'
import { anEvent, eventsOf, eventsOfLog, Letters, someEvents, uniqueStream } from '../controls/events.js'
import {
  type AppendCase,
  LIVE,
  MAX_COUNT_1,
  METADATA_ONLY,
  MISSING,
  prepareStream,
  SOFT_DELETED,
  type Start,
  TOMBSTONED,
  tryAppend,
} from './append-cases.js'
import { setMetadata } from './metadata-contract.js'
import type { MakeStore, StoreHarness } from './store-harness.js'

const TABLES: readonly (readonly [string, readonly AppendCase[], Start])[] = [
  ['a live stream', LIVE, { head: 2, readableFrom: 0, prepare: appendAbc }],
  [
    'a softly deleted stream',
    SOFT_DELETED,
    {
      head: 2,
      readableFrom: Number.POSITIVE_INFINITY,
      prepare: async (store, stream, letters) => {
        await appendAbc(store, stream, letters)
        await store.deleteStream(stream, 'any')
      },
    },
  ],
  [
    'a stream that keeps one event',
    MAX_COUNT_1,
    {
      head: 2,
      readableFrom: 2,
      keeps: 1,
      prepare: async (store, stream, letters) => {
        await setMetadata(store, stream, { $maxCount: 1 })
        await appendAbc(store, stream, letters)
      },
    },
  ],
  [
    'a tombstoned stream',
    TOMBSTONED,
    {
      head: 2,
      readableFrom: Number.POSITIVE_INFINITY,
      prepare: async (store, stream, letters) => {
        await appendAbc(store, stream, letters)
        await store.tombstone(stream, 'any')
      },
    },
  ],
  ['a stream that never was', MISSING, { head: -1, readableFrom: 0, prepare: async () => undefined }],
  [
    'a stream with metadata only',
    METADATA_ONLY,
    { head: -1, readableFrom: 0, prepare: (store, stream) => setMetadata(store, stream, { k: 1 }) },
  ],
]

async function appendAbc(store: StoreHarness['store'], stream: string, letters: Letters): Promise<void> {
  expect(await store.append(stream, letters.events('abc'), 'any')).toMatchObject({ kind: 'appended', revision: 2 })
}

export function appendingContract(makeStore: MakeStore): void {
  describe('appending', () => {
    let harness: StoreHarness
    beforeAll(async () => {
      harness = await makeStore()
    })
    afterAll(async () => {
      await harness.dispose()
    })

    for (const [title, cells, start] of TABLES) {
      describe(`to ${title}`, () => {
        test.each(cells.map((cell) => [cell.ids || 'no ids', cell.expected, cell.outcome, cell] as const))(
          '%s, expected %s: %s',
          async (_ids, _expected, _outcome, cell) => {
            await tryAppend(harness.store, await prepareStream(harness.store, start), { start, cell })
          },
        )
      })
    }

    test('an empty append to a softly deleted stream leaves it existing and empty', async () => {
      const stream = uniqueStream()
      await harness.store.append(stream, someEvents(3), 'noStream')
      await harness.store.deleteStream(stream, 2)
      expect(await harness.store.append(stream, [], 2)).toMatchObject({ kind: 'appended', revision: 2 })
      expect(await eventsOf(harness.store, stream)).toEqual([])
    })

    test('after later appends the ids of any part are a retry, in any order', async () => {
      const [stream, letters] = [uniqueStream(), new Letters()]
      await harness.store.append(stream, letters.events('abc'), 'any')
      await harness.store.append(stream, letters.events('def'), 'any')
      for (const [word, revision] of Object.entries({ abc: 2, def: 5, cd: 3, ac: 2, ba: 0 })) {
        const result = await harness.store.append(stream, letters.events(word), 'any')
        expect([word, result]).toEqual([word, expect.objectContaining({ kind: 'appended', revision })])
      }
      expect(await harness.store.append(stream, letters.events('abc'), 'noStream')).toMatchObject({ revision: 2 })
      expect(await harness.store.append(stream, letters.events('def'), 2)).toMatchObject({ revision: 5 })
      expect(letters.describe(await eventsOf(harness.store, stream))).toBe('a@0 b@1 c@2 d@3 e@4 f@5')
    })

    test('an id belongs to the stream that got it first: elsewhere it is written, and a retry there writes again', async () => {
      const [first, second, letters] = [uniqueStream(), uniqueStream(), new Letters()]
      await harness.store.append(first, letters.events('abc'), 'any')
      expect(await harness.store.append(second, letters.events('abc'), 'any')).toMatchObject({ revision: 2 })
      expect(await harness.store.append(second, letters.events('abc'), 'any')).toMatchObject({ revision: 5 })
      expect(await harness.store.append(first, letters.events('abc'), 'any')).toMatchObject({ revision: 2 })
      expect(await eventsOf(harness.store, first)).toHaveLength(3)
      expect(await eventsOf(harness.store, second)).toHaveLength(6)
    })

    test('an event comes back with every byte that was sent', async () => {
      const stream = uniqueStream()
      const sent = [
        anEvent({ type: 'Té漢', data: Buffer.from('{"n":9007199254740993}'), metadata: Buffer.from('{"m":2}') }),
        anEvent({ contentType: 'application/octet-stream', data: Buffer.of(0, 1, 254, 255), metadata: Buffer.of(255) }),
        anEvent({ data: new Uint8Array(0), metadata: new Uint8Array(0), contentType: 'application/octet-stream' }),
        anEvent({ data: Buffer.from('not JSON') }),
      ]
      await harness.store.append(stream, sent, 'noStream')
      const given = await eventsOf(harness.store, stream)
      expect(given.map(asSent)).toEqual(sent.map(asSent))
      expect(given.every((event) => event.stream === stream)).toBe(true)
    })

    test('an id is kept in lower case and known in any', async () => {
      const [stream, id] = [uniqueStream(), randomUUID()]
      await harness.store.append(stream, [anEvent({ id: id.toUpperCase() })], 'any')
      expect(await harness.store.append(stream, [anEvent({ id })], 'any')).toMatchObject({
        kind: 'appended',
        revision: 0,
      })
      expect((await eventsOf(harness.store, stream)).map((event) => event.id)).toEqual([id])
    })

    test('events are stamped with the time, those of one append not all with the same', async () => {
      const stream = uniqueStream()
      await harness.store.append(stream, someEvents(8), 'any')
      const times = (await eventsOf(harness.store, stream)).map(({ created }) => created as bigint)
      expect(new Set(times).size).toBeGreaterThan(1)
      expect(times.every((time, i) => i === 0 || time >= (times[i - 1] as bigint))).toBe(true)
    })

    test('a batch stands together in the log, its result naming the last event', async () => {
      const [stream, other] = [uniqueStream(), uniqueStream()]
      await Promise.all([
        harness.store.append(stream, someEvents(50), 'any'),
        harness.store.append(other, someEvents(50), 'any'),
      ])
      const filter = { streamPrefixes: [stream, other] }
      const streams = (await eventsOfLog(harness.store, { filter })).map((event) => event.stream)
      expect(new Set(streams.slice(0, 50)).size).toBe(1)
      expect(new Set(streams.slice(50)).size).toBe(1)
      const result = await harness.store.append(stream, someEvents(3), 49)
      const last = (await eventsOf(harness.store, stream)).at(-1)
      expect(result).toEqual({ kind: 'appended', revision: 52, position: last?.position })
    })

    test('a thousand events fit into one append', async () => {
      const stream = uniqueStream()
      expect(await harness.store.append(stream, someEvents(1000), 'noStream')).toMatchObject({ revision: 999 })
      const revisions = (await eventsOf(harness.store, stream)).map(({ revision }) => revision)
      expect(revisions).toEqual(Array.from({ length: 1000 }, (_, i) => i))
    })

    test('of appends that expect the same revision one wins', async () => {
      const stream = uniqueStream()
      await harness.store.append(stream, someEvents(2), 'noStream')
      const tries = Array.from({ length: 50 }, () => harness.store.append(stream, [anEvent()], 1))
      const results = await Promise.all(tries)
      expect(results.filter(({ kind }) => kind === 'appended')).toHaveLength(1)
      const losers = results.filter(({ kind }) => kind !== 'appended')
      expect(losers).toEqual(losers.map(() => ({ kind: 'conflict', actual: 2 })))
      expect(await eventsOf(harness.store, stream)).toHaveLength(3)
    })

    test('unguarded appends side by side are all there, densely', async () => {
      const stream = uniqueStream()
      const results = await Promise.all(
        Array.from({ length: 200 }, () => harness.store.append(stream, [anEvent()], 'any')),
      )
      const revisions = results.map((result) => (result.kind === 'appended' ? result.revision : undefined))
      expect(new Set(revisions).size).toBe(200)
      const events = await eventsOf(harness.store, stream)
      expect(events.map(({ revision }) => revision)).toEqual(Array.from({ length: 200 }, (_, i) => i))
      expect(
        events.every((event, i) => i === 0 || comparePositions((events[i - 1] ?? event).position, event.position) < 0),
      ).toBe(true)
    })

    test('a reading that begins after an append was acknowledged sees it', async () => {
      const stream = uniqueStream()
      for (let i = 0; i < 20; i += 1) {
        await harness.store.append(stream, [anEvent()], i === 0 ? 'noStream' : i - 1)
        expect(await eventsOf(harness.store, stream)).toHaveLength(i + 1)
      }
    })

    test.each([
      ['a space', ' '],
      ['a newline', 'a\nb'],
      ['a terminal escape', '\u001b[31mred\u001b[0m'],
      ['markup', '<script>alert(1)</script>'],
      ['other scripts', 'é漢😀'],
      ['a path', '../../etc/passwd?x#y%20'],
      ['__proto__', '__proto__'],
      ['5,000 characters', 'n'.repeat(5000)],
      ['70,000 characters', 'n'.repeat(70_000)],
    ])('a name may hold %s', async (_title, part) => {
      const stream = `${part}${uniqueStream()}`
      const twin = `${stream}x`
      expect(await harness.store.append(stream, someEvents(2), 'noStream')).toMatchObject({ revision: 1 })
      expect(await harness.store.append(twin, someEvents(1), 'noStream')).toMatchObject({ revision: 0 })
      expect(await eventsOf(harness.store, stream)).toHaveLength(2)
      expect(await eventsOf(harness.store, twin)).toHaveLength(1)
      const filter = { streamPrefixes: [stream] }
      expect(await eventsOfLog(harness.store, { filter })).toHaveLength(3)
      await harness.store.append(metadataStreamOf(stream), [anEvent({ data: Buffer.from('{"$tb":1}') })], 'any')
      expect(await eventsOf(harness.store, stream)).toHaveLength(1)
    })

    test.each([
      ['an empty name', '', {}],
      ['the name $$', '$$', {}],
      ['an id that is no UUID', undefined, { id: 'no-uuid' }],
      ['an id of zeroes', undefined, { id: '00000000-0000-0000-0000-000000000000' }],
      ['an empty type', undefined, { type: '' }],
    ] as const)('%s is refused and nothing is written', async (_title, name, fields) => {
      const stream = name ?? uniqueStream()
      const result = await harness.store.append(stream, [anEvent(fields)], 'any')
      expect(result).toMatchObject({ kind: 'refused', reason: 'invalid', message: expect.any(String) })
      if (name === undefined) expect(await harness.store.readStream(stream)).toEqual({ kind: 'missing' })
    })

    test('a mebibyte of data fits into an append, a byte more is refused', async () => {
      const stream = uniqueStream()
      const halves = (size: number) => [
        anEvent({ data: Buffer.alloc(524_288), contentType: 'application/octet-stream' }),
        anEvent({
          data: Buffer.alloc(size - 524_288),
          metadata: Buffer.alloc(1000, 32),
          contentType: 'application/octet-stream',
        }),
      ]
      expect(await harness.store.append(stream, halves(1_048_577), 'any')).toMatchObject({
        kind: 'refused',
        reason: 'too-large',
      })
      expect(await harness.store.readStream(stream)).toEqual({ kind: 'missing' })
      expect(await harness.store.append(stream, halves(1_048_576), 'any')).toMatchObject({
        kind: 'appended',
        revision: 1,
      })
      expect((await eventsOf(harness.store, stream)).map(({ data }) => data.length)).toEqual([524_288, 524_288])
    })

    test('a place between two records is refused', async () => {
      const stream = uniqueStream()
      const result = await harness.store.append(stream, someEvents(2), 'any')
      const last = result.kind === 'appended' ? result.position : undefined
      const between = { commit: (last?.commit ?? 0n) - 1n, prepare: (last?.commit ?? 0n) - 1n }
      await expect(eventsOfLog(harness.store, { from: between })).rejects.toMatchObject({
        name: 'InvalidPositionError',
      })
      await expect(eventsOfLog(harness.store, { from: between, direction: 'backwards' })).rejects.toMatchObject({
        name: 'InvalidPositionError',
      })
    })
  })
}

function asSent({ id, type, contentType, data, metadata }: ReturnType<typeof anEvent>) {
  return {
    id,
    type,
    contentType,
    data: Buffer.from(data).toString('hex'),
    metadata: Buffer.from(metadata).toString('hex'),
  }
}
