// The adapter's own reader gives what the official client gives, event by event, on odd data; and what that loses: bytes, digits, time.
import { randomBytes } from 'node:crypto'
import { type AllStreamRecordedEvent, EventStoreDBClient } from '@eventstore/db-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ProposedEvent, RecordedEvent } from '../../../src/log/event.js'
import type { EventStore } from '../../../src/log/event-store.js'
import { comparePositions } from '../../../src/log/position.js'
import { TOMBSTONE_REVISION } from '../../../src/log/revision.js'
import { metadataStreamOf } from '../../../src/log/stream.js'
import { type RunningServer, startServer } from '../../../src/server/start-server.js'
import { openEventStoreDbStore } from '../../../src/stores/eventstoredb/eventstoredb-store.js'
import { openMemoryStore } from '../../../src/stores/memory/memory-store.js'
import { setMetadata } from '../../contract/metadata-contract.js'
import { anEvent, eventsOf, eventsOfLog, someEvents } from '../../controls/events.js'
import { asPoured, pouredOf } from '../../controls/poured.js'

let home: EventStore
let server: RunningServer
let store: EventStore
let client: EventStoreDBClient

const BINARY = 'application/octet-stream'
const ODD: Readonly<Record<string, ProposedEvent>> = {
  'no data': anEvent({ data: new Uint8Array(0) }),
  'no data, binary': anEvent({ data: new Uint8Array(0), contentType: BINARY }),
  binary: anEvent({ data: Uint8Array.from({ length: 256 }, (_, i) => i), contentType: BINARY }),
  'large numbers': anEvent({ data: Buffer.from('{"n":9007199254740993,"m":1e400}') }),
  spacing: anEvent({ data: Buffer.from('{ "a" : 1,\n "a" : 2 }') }),
  'malformed JSON': anEvent({ data: Buffer.from('{"a":') }),
  'broken UTF-8': anEvent({ data: Buffer.from([0x22, 0xff, 0xfe, 0x22]) }),
  'binary metadata': anEvent({ metadata: Buffer.from([0, 255, 1]) }),
  'JSON metadata': anEvent({ metadata: Buffer.from('{"$causationId":"x"}') }),
  'a type in other scripts': anEvent({ type: 'Événement 漢字 😀' }),
  'a type as long as can be': anEvent({ type: 't'.repeat(5_000) }),
  'a link': anEvent({ type: '$>', data: Buffer.from('0@odd-1'), contentType: BINARY }),
  'a link to nowhere': anEvent({ type: '$>', data: Buffer.from('7@nowhere-1'), contentType: BINARY }),
}

beforeAll(async () => {
  home = openMemoryStore()
  server = await startServer({ store: home })
  store = await openEventStoreDbStore({ connectionString: server.connectionString })
  client = EventStoreDBClient.connectionString(server.connectionString)
  await store.append('odd-1', Object.values(ODD), 'noStream')
  for (const name of ['odd-é漢😀', 'odd-soft', 'odd-hard', 'odd-cut'])
    await store.append(name, someEvents(4), 'noStream')
  await store.deleteStream('odd-soft', 3)
  await store.tombstone('odd-hard', 3)
  await setMetadata(store, 'odd-cut', { $tb: 2 })
})
afterAll(async () => {
  await store.close()
  await client.dispose()
  await server.stop()
  await home.close()
})

async function byClient(): Promise<AllStreamRecordedEvent[]> {
  const events: AllStreamRecordedEvent[] = []
  for await (const { event } of client.readAll()) if (event) events.push(event)
  return events
}

const msOf = (ticks: bigint | undefined) => Number((ticks ?? 0n) / 10_000n)

describe('reading over the wire', () => {
  test('gives the events of the log that the official client gives, with the same fields', async () => {
    const [ours, theirs] = [await eventsOfLog(store), await byClient()]
    const common = (event: {
      id: string
      type: string
      isJson: boolean
      stream: string
      revision: number
      ms: number
      commit: bigint
    }) => event
    expect(
      ours.map(({ id, type, contentType, stream, revision, created, position }) =>
        common({
          id,
          type,
          isJson: contentType === 'application/json',
          stream,
          revision,
          ms: msOf(created),
          commit: position.commit,
        }),
      ),
    ).toEqual(
      theirs.map(({ id, type, isJson, streamId, revision, created, position }) =>
        common({
          id,
          type,
          isJson,
          stream: streamId,
          revision: Number(revision),
          ms: created.getTime(),
          commit: position?.commit ?? 0n,
        }),
      ),
    )
    expect(ours.length).toBeGreaterThan(30)
    expect(ours.some(({ revision }) => revision === TOMBSTONE_REVISION)).toBe(true)
  })

  test('gives binary data as the client does, and JSON that means the same', async () => {
    const [ours, theirs] = [await eventsOfLog(store), await byClient()]
    ours.forEach((event, i) => {
      const other = theirs[i]?.data
      if (other instanceof Uint8Array) expect(Buffer.from(event.data).equals(other)).toBe(true)
      else expect(meaningOf(event)).toEqual(other)
    })
  })

  test('gives every field exactly as the home behind the server holds it', async () => {
    const plain = (event: RecordedEvent) => ({ ...event, data: [...event.data], metadata: [...event.metadata] })
    const [ours, held] = [await eventsOfLog(store), await eventsOfLog(home)]
    expect(ours.map(plain)).toEqual(held.map(plain))
    expect(ours.some(({ created }) => (created ?? 0n) % 10_000n !== 0n)).toBe(true)
    for (const stream of ['odd-1', 'odd-é漢😀', 'odd-cut', metadataStreamOf('odd-soft'), metadataStreamOf('odd-cut')]) {
      const [read, there] = [await eventsOf(store, stream), await eventsOf(home, stream)]
      expect(read.map(plain)).toEqual(there.map(plain))
    }
  })

  test('pours the same events, with every field, from any place to any other and filtered', async () => {
    const all = await eventsOfLog(store)
    const places = all.filter((_, i) => i % 5 === 0 || i === all.length - 1).map(({ position }) => position)
    for (const to of places) {
      const until = all.filter(({ position }) => comparePositions(position, to) <= 0)
      expect(await pouredOf(store, { to })).toEqual(until.map(asPoured))
      for (const after of places) {
        const between = until.filter(({ position }) => comparePositions(position, after) > 0)
        expect(await pouredOf(store, { after, to })).toEqual(between.map(asPoured))
      }
      for (const streamPrefixes of [['odd-1', '$$odd-'], ['odd-h', 'odd-é'], ['nothing-'], []]) {
        const wanted = until.filter(({ stream }) => streamPrefixes.some((prefix) => stream.startsWith(prefix)))
        expect(await pouredOf(store, { to, filter: { streamPrefixes } })).toEqual(wanted.map(asPoured))
      }
    }
  })

  test('pours to a place that no event has, and to one beyond the end', async () => {
    const all = await eventsOfLog(store)
    const [third, fourth] = [all[2], all[3]] as [RecordedEvent, RecordedEvent]
    const between = { commit: third.position.commit, prepare: third.position.commit + 1n }
    expect(comparePositions(between, fourth.position)).toBeLessThan(0)
    expect(await pouredOf(store, { to: between })).toEqual(all.slice(0, 3).map(asPoured))
    for (const end of [2n ** 53n + 1n, 2n ** 63n - 1n])
      expect(await pouredOf(store, { to: { commit: end, prepare: end } })).toEqual(all.map(asPoured))
  })

  test.each(Object.entries(ODD))('gives %s back byte for byte', async (_title, sent) => {
    const found = (await eventsOf(store, 'odd-1')).find(({ id }) => id === sent.id)
    expect([Buffer.from(found?.data ?? []), Buffer.from(found?.metadata ?? [])]).toEqual([
      Buffer.from(sent.data),
      Buffer.from(sent.metadata),
    ])
    expect([found?.type, found?.contentType]).toEqual([sent.type, sent.contentType])
  })

  test('gives an event that is larger than all that may be on its way at once', async () => {
    const large = openMemoryStore({ maxAppendBytes: 8_000_000 })
    const roomy = await startServer({ store: large, maxAppendBytes: 8_000_000, commitTimeoutMs: 30_000 })
    const reader = await openEventStoreDbStore({ connectionString: roomy.connectionString })
    const sent = anEvent({ data: randomBytes(6_000_000), contentType: BINARY })
    expect(await reader.append('large-1', [sent], 'noStream')).toMatchObject({ kind: 'appended' })
    const [found] = await eventsOf(reader, 'large-1')
    expect(Buffer.from(found?.data ?? []).equals(sent.data)).toBe(true)
    await reader.close()
    await roomy.stop()
  })

  test('filtered by the server gives what a filter on this side gives', async () => {
    const all = await eventsOfLog(store)
    for (const streamPrefixes of [['odd-'], ['odd-1', '$$odd-'], ['odd-h', 'odd-é'], ['nothing-']]) {
      const filtered = await eventsOfLog(store, { filter: { streamPrefixes } })
      const expected = all.filter(({ stream }) => streamPrefixes.some((prefix) => stream.startsWith(prefix)))
      expect(filtered).toEqual(expected)
    }
  })

  test('is the same from any event on, in either direction', async () => {
    const all = await eventsOfLog(store)
    for (const { position } of all.filter((_, i) => i % 5 === 0)) {
      const later = all.filter((event) => comparePositions(event.position, position) >= 0)
      const earlier = all.filter((event) => comparePositions(event.position, position) < 0).reverse()
      expect(await eventsOfLog(store, { from: position })).toEqual(later)
      expect(await eventsOfLog(store, { from: position, direction: 'backwards' })).toEqual(earlier)
    }
  })
})

/** What the client makes of JSON: its meaning, or the text where it has none. */
function meaningOf({ data }: RecordedEvent): unknown {
  const text = Buffer.from(data).toString()
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
