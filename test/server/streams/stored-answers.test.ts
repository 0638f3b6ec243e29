// A store whose events are sent on as it holds them gives clients the very bytes that they would get of events that are read.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EventStore } from '../../../src/log/event-store.js'
import { type RunningServer, startServer } from '../../../src/server/start-server.js'
import { openEmbeddedStore } from '../../../src/stores/embedded/embedded-store.js'
import { setMetadata } from '../../contract/metadata-contract.js'
import { anEvent, someEvents } from '../../controls/events.js'
import { callRaw, connectRaw, framed } from '../raw-call.js'
import { EMPTY, Options, readAllOptions, readStreamOptions } from '../requests.js'

const BINARY = 'application/octet-stream'
const LONG_NAME = `odd-${'n'.repeat(3_000)}`
const ODD = [
  anEvent({ data: new Uint8Array(0), contentType: BINARY }),
  anEvent({
    data: Uint8Array.from({ length: 256 }, (_, i) => i),
    metadata: Buffer.from([0, 255]),
    contentType: BINARY,
  }),
  anEvent({ data: Buffer.from('{"a":'), metadata: Buffer.from('{"$causationId":"x"}') }),
  anEvent({ data: Buffer.alloc(200_000, ' ') }),
  anEvent({ type: 'Événement 漢字 😀' }),
]
const LINKS = ['1@odd-1', '7@nowhere-1', '0@odd-hard', '0@odd-soft', '0@odd-cut', 'no link'].map((target) =>
  anEvent({ type: '$>', data: Buffer.from(target), contentType: BINARY }),
)

let folder: string
let store: EventStore
let asHeld: RunningServer
let asRead: RunningServer

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'stored-answers-'))
  store = await openEmbeddedStore({ folder })
  await store.append('odd-1', ODD, 'noStream')
  for (const name of ['odd-é漢😀', 'odd-soft', 'odd-hard', 'odd-cut', LONG_NAME])
    await store.append(name, someEvents(4), 'noStream')
  await store.append('links-1', LINKS, 'noStream')
  await store.deleteStream('odd-soft', 3)
  await store.tombstone('odd-hard', 3)
  await setMetadata(store, 'odd-cut', { $tb: 2 })
  asHeld = await startServer({ store })
  asRead = await startServer({ store: withoutStored(store) })
})
afterAll(async () => {
  await asHeld.stop()
  await asRead.stop()
  await store.close()
  rmSync(folder, { recursive: true })
})

/** The same store, which does not say how it holds events. */
function withoutStored(whole: EventStore): EventStore {
  return new Proxy(whole, {
    get: (target, key: keyof EventStore) => (key === 'stored' ? undefined : target[key]?.bind(target)),
  })
}

const REQUESTS: Readonly<Record<string, () => streams.ReadReq.Options>> = {
  'the log': () => readAllOptions().setCount('1000'),
  'the log, ten of it': () => readAllOptions(),
  'the log backwards': () =>
    readAllOptions()
      .setCount('1000')
      .setAll(new Options.AllOptions().setEnd(EMPTY))
      .setReadDirection(Options.ReadDirection.BACKWARDS),
  'the log, ids in halves': () =>
    readAllOptions().setCount('1000').setUuidOption(new Options.UUIDOption().setStructured(EMPTY)),
  'the log, links resolved': () => readAllOptions().setCount('1000').setResolveLinks(true),
  'the log by prefixes of streams': () => filtered((filter, { prefixes }) => filter.setStreamIdentifier(prefixes)),
  'the log by prefixes of types': () => filtered((filter, { prefixes }) => filter.setEventType(prefixes)),
  'the log by an expression on types': () => filtered((filter, { regex }) => filter.setEventType(regex)),
  'the log by an expression on streams': () => filtered((filter, { regex }) => filter.setStreamIdentifier(regex)),
  ...Object.fromEntries(
    ['odd-1', 'odd-é漢😀', 'odd-soft', 'odd-hard', 'odd-cut', 'links-1', '$$odd-cut', 'nowhere-1', LONG_NAME].map(
      (name) => [
        `the stream ${name.slice(0, 20)}`,
        () => readStreamOptions(name).setControlOption(new Options.ControlOption().setCompatibility(1)),
      ],
    ),
  ),
  'a stream backwards, links resolved': () => {
    const place = readStreamOptions('links-1').getStream()?.setEnd(EMPTY)
    return readStreamOptions('links-1')
      .setStream(place)
      .setReadDirection(Options.ReadDirection.BACKWARDS)
      .setResolveLinks(true)
  },
}

type Filter = streams.ReadReq.Options.FilterOptions

function filtered(
  on: (filter: Filter, by: Record<'prefixes' | 'regex', streams.ReadReq.Options.FilterOptions.Expression>) => Filter,
): streams.ReadReq.Options {
  const { FilterOptions } = Options
  const prefixes = new FilterOptions.Expression().setPrefixList(['odd-', 'É'])
  const regex = new FilterOptions.Expression().setRegex('^(odd|É|\\$>)')
  return readAllOptions()
    .setCount('1000')
    .setFilter(on(new FilterOptions().setMax(32).setCheckpointintervalmultiplier(1), { prefixes, regex }))
}

describe('what is sent as the store holds it', () => {
  test.each(Object.keys(REQUESTS))('is what would be sent of events that are read: %s', async (title) => {
    const request = framed(new streams.ReadReq().setOptions(REQUESTS[title]?.()))
    const [held, read] = await Promise.all(
      [asHeld, asRead].map(({ port }) => callRaw(connectRaw(port), 'Read', request)),
    )
    expect(held?.messages.map((message) => message.toString('hex'))).toEqual(
      read?.messages.map((message) => message.toString('hex')),
    )
    expect([held?.code, held?.details]).toEqual([read?.code, read?.details])
    expect([0, 9]).toContain(held?.code)
  })

  test('is something, for each kind of reading', async () => {
    const counts = []
    for (const options of Object.values(REQUESTS)) {
      const answer = await callRaw(connectRaw(asHeld.port), 'Read', framed(new streams.ReadReq().setOptions(options())))
      counts.push(answer.messages.length)
    }
    // Only the tombstoned stream gives nothing but its status.
    expect(counts.filter((count) => count === 0)).toHaveLength(1)
  })
})
