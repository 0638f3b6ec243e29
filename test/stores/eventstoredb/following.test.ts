// Subscriptions over cuts and ends (servers scripted here) and over the restart of a real server: nothing is lost, nothing comes twice.
import net, { type AddressInfo, type Socket } from 'node:net'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { EventStore, SubscriptionMessage } from '../../../src/log/event-store.js'
import { startServer } from '../../../src/server/start-server.js'
import { openMemoryStore } from '../../../src/stores/memory/memory-store.js'
import { anEvent, someEvents } from '../../controls/events.js'
import { open, until } from './opened.js'
import { type Handler, READ, type StubCall, scriptedEvent, startStub } from './stub-server.js'

const CONFIRMATION = new streams.ReadResp()
  .setConfirmation(new streams.ReadResp.SubscriptionConfirmation().setSubscriptionId('x'))
  .serializeBinary()
const CAUGHT_UP = new streams.ReadResp().setCaughtUp(new streams.ReadResp.CaughtUp()).serializeBinary()

function checkpointAt(place: number): Uint8Array {
  const checkpoint = new streams.ReadResp.Checkpoint()
    .setCommitPosition(String(place))
    .setPreparePosition(String(place))
  return new streams.ReadResp().setCheckpoint(checkpoint).serializeBinary()
}

/** A few words for each message. */
function wordsOf(message: SubscriptionMessage): string[] {
  if (message.kind === 'events') return message.events.map(({ revision }) => String(revision))
  return [message.kind === 'checkpoint' ? `checkpoint ${message.position.commit}` : message.kind]
}

/** Takes messages until so many words came, then leaves. */
async function take(messages: AsyncIterable<SubscriptionMessage>, count: number): Promise<string[]> {
  const words: string[] = []
  for await (const message of messages) {
    words.push(...wordsOf(message))
    if (words.length >= count) break
  }
  return words
}

/** Where a subscription was asked to begin. */
async function placeOf(call: StubCall): Promise<string> {
  const options = await call.readOptions()
  const [stream, log] = [options.getStream(), options.getAll()]
  if (stream?.hasRevision()) return stream.getRevision()
  const position = log?.getPosition()
  if (position) return position.getCommitPosition()
  return stream?.hasStart() || log?.hasStart() ? 'start' : 'end'
}

/** Answers the first subscription, the second, …; the last answer is for all that come. */
function inTurn(...answers: readonly Handler[]): Handler {
  let turn = 0
  return async (call) => {
    const answer = answers[Math.min(turn, answers.length - 1)]
    if ((await call.readOptions()).hasSubscription()) turn += 1
    await answer?.(call)
  }
}

const ENDINGS: readonly [string, (call: StubCall) => void][] = [
  ['ends well', (call) => call.end()],
  ['is reset', (call) => setTimeout(() => call.reset(), 20)],
  ['ends as unavailable', (call) => call.end({ code: 14 })],
]

describe.each(ENDINGS)('a subscription whose call %s', (_title, endCall) => {
  test('to a stream goes on after the last event and tells that it fell behind', async () => {
    const stub = await startStub({
      [READ]: inTurn(
        (call) => {
          call.send(CONFIRMATION)
          call.sendEvents([scriptedEvent(0), scriptedEvent(1)])
          call.send(CAUGHT_UP)
          endCall(call)
        },
        (call) => {
          call.send(CONFIRMATION)
          call.sendEvents([scriptedEvent(2)])
          call.send(CAUGHT_UP)
        },
      ),
    })
    const store = await open(stub.url)
    const words = await take(store.subscribeToStream('s-1'), 6)
    expect(words).toEqual(['0', '1', 'caughtUp', 'fellBehind', '2', 'caughtUp'])
    expect(await Promise.all(stub.callsOf(READ).map(placeOf))).toEqual(['start', '1'])
  })

  test('to the log goes on after the last checkpoint', async () => {
    const stub = await startStub({
      [READ]: inTurn(
        (call) => {
          call.send(CONFIRMATION)
          call.sendEvents([scriptedEvent(0)])
          call.send(checkpointAt(70), checkpointAt(60))
          endCall(call)
        },
        (call) => {
          call.send(CONFIRMATION)
          call.sendEvents([scriptedEvent(8)])
        },
      ),
    })
    const store = await open(stub.url)
    const filter = { streamPrefixes: ['s-'] }
    expect(await take(store.subscribeToAll({ filter }), 3)).toEqual(['0', 'checkpoint 70', '8'])
    expect(await Promise.all(stub.callsOf(READ).map(placeOf))).toEqual(['start', '70'])
  })

  test('before anything came begins where it began, also from the end', async () => {
    const stub = await startStub({
      [READ]: async (call) => {
        if (!(await call.readOptions()).hasSubscription()) {
          call.sendEvents([scriptedEvent(4)])
          call.end()
        } else if ((await countOfSubscriptions(stub.callsOf(READ))) === 1) endCall(call)
        else call.sendEvents([scriptedEvent(5)])
      },
    })
    const store = await open(stub.url)
    expect(await take(store.subscribeToStream('s-1', { after: 'end' }), 1)).toEqual(['5'])
    expect(await Promise.all(stub.callsOf(READ).map(placeOf))).toEqual(['end', '4', '4'])
  })
})

async function countOfSubscriptions(calls: readonly StubCall[]): Promise<number> {
  const options = await Promise.all(calls.map((call) => call.readOptions()))
  return options.filter((each) => each.hasSubscription()).length
}

describe('a subscription', () => {
  test('may be silent for as long as it likes once it stands', async () => {
    const stub = await startStub({
      [READ]: (call) => {
        call.send(CONFIRMATION)
        setTimeout(() => call.sendEvents([scriptedEvent(0)]), 500)
      },
    })
    const store = await open(stub.url, { silenceMsMax: 100 })
    expect(await take(store.subscribeToAll(), 1)).toEqual(['0'])
    expect(stub.callsOf(READ)).toHaveLength(1)
  })

  test('that is never confirmed throws in bounded time', async () => {
    const stub = await startStub({ [READ]: () => undefined })
    const store = await open(stub.url, { silenceMsMax: 100, outageMsMax: 300 })
    await expect(take(store.subscribeToAll(), 1)).rejects.toMatchObject({ name: 'StoreUnavailableError' })
  })

  test('that is given an event twice does not pass it on', async () => {
    const stub = await startStub({ [READ]: (call) => void call.sendEvents([scriptedEvent(0), scriptedEvent(0)]) })
    const store = await open(stub.url)
    await expect(take(store.subscribeToAll(), 2)).rejects.toMatchObject({ name: 'StoreCorruptError' })
    await expect(take(store.subscribeToStream('s-1'), 2)).rejects.toMatchObject({ name: 'StoreCorruptError' })
  })

  test('asks the server to filter and to tell how far it is', async () => {
    const stub = await startStub({ [READ]: (call) => void call.send(CONFIRMATION, CAUGHT_UP) })
    const store = await open(stub.url)
    await take(store.subscribeToAll({ filter: { streamPrefixes: ['a-', 'b-'] } }), 1)
    const filter = (await (stub.callsOf(READ)[0] as StubCall).readOptions()).getFilter()
    expect(filter?.getStreamIdentifier()?.getPrefixList()).toEqual(['a-', 'b-'])
    expect([filter?.getMax() ?? 0, filter?.getCheckpointintervalmultiplier() ?? 0].every((n) => n > 0)).toBe(true)
  })

  test('more of them than a connection may have stand side by side', async () => {
    const stub = await startStub({ [READ]: (call) => void call.send(CONFIRMATION, CAUGHT_UP) }, { callsMax: 10 })
    const store = await open(stub.url)
    const iterators = Array.from({ length: 35 }, () => store.subscribeToAll()[Symbol.asyncIterator]())
    const first = await Promise.all(iterators.map((iterator) => iterator.next()))
    expect(first.every(({ value }) => value?.kind === 'caughtUp')).toBe(true)
    await Promise.all(iterators.map((iterator) => iterator.return?.()))
  })
})

test('a connection that swallows everything is noticed by a ping, and a subscription goes on over another', async () => {
  const home = openMemoryStore()
  const server = await startServer({ store: home, drainMs: 200 })
  onTestFinished(() => server.stop())
  const holes: Socket[] = []
  const proxy = net.createServer((client) => {
    const upstream = net.connect(server.port, '127.0.0.1')
    for (const socket of [client, upstream]) socket.on('error', () => socket.destroy())
    client.pipe(upstream).pipe(client)
    holes.push(client, upstream)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void proxy.close())
  const { port } = proxy.address() as AddressInfo
  const store = await open(`esdb://127.0.0.1:${port}?tls=false&keepAliveInterval=300&keepAliveTimeout=1000`)
  const words: string[] = []
  const following = collect(store.subscribeToStream('s-1'), words)
  await until(() => words.includes('caughtUp'))
  // Nothing passes any more, in either direction, and nobody is told.
  for (const socket of holes.splice(0)) socket.unpipe().pause()
  await home.append('s-1', [anEvent()], 'any')
  await until(() => words.includes('0'))
  await store.close()
  await following
  expect(words.filter((word) => word === '0')).toHaveLength(1)
})

describe('a server that is stopped and started again', () => {
  test('costs a subscription no event', async () => {
    const home = openMemoryStore()
    let server = await startServer({ store: home, drainMs: 200 })
    const { port } = server
    const store = await open(server.connectionString, { outageMsMax: 20_000 })
    onTestFinished(async () => {
      await store.close()
      await server.stop()
    })
    const [ofStream, ofLog]: [string[], string[]] = [[], []]
    const following = [
      collect(store.subscribeToStream('s-1', { after: 'end' }), ofStream),
      collect(store.subscribeToAll({ after: 'end', filter: { streamPrefixes: ['s-'] } }), ofLog),
    ]
    await until(() => ofStream.includes('caughtUp') && ofLog.includes('caughtUp'))
    await home.append('s-1', someEvents(3), 'any')
    await until(() => ofLog.includes('2') && ofStream.includes('2'))
    await server.stop()
    await home.append('s-1', someEvents(3), 'any')
    server = await startServer({ store: home, port, drainMs: 200 })
    await home.append('s-1', [anEvent()], 'any')
    await until(() => ofLog.includes('6') && ofStream.includes('6'))
    await store.close()
    await Promise.all(following)
    const numbers = (words: string[]) => words.filter((word) => /^\d+$/.test(word))
    expect(numbers(ofStream)).toEqual(['0', '1', '2', '3', '4', '5', '6'])
    expect(numbers(ofLog)).toEqual(['0', '1', '2', '3', '4', '5', '6'])
    expect(ofStream).toContain('fellBehind')
  })

  test('costs a reading no event, and an append its outcome at most', async () => {
    const home = openMemoryStore()
    let server = await startServer({ store: home, drainMs: 200 })
    const { port } = server
    const store: EventStore = await open(server.connectionString, { outageMsMax: 20_000 })
    const big = () => Array.from({ length: 100 }, () => anEvent({ data: Buffer.alloc(8_000, 'x') }))
    for (let i = 0; i < 10; i += 1) await home.append('s-1', big(), 'any')
    const revisions: number[] = []
    for await (const { events } of store.readAll({ filter: { streamPrefixes: ['s-'] } })) {
      revisions.push(...events.map(({ revision }) => revision))
      if (revisions.length > 100 && server.port === port && revisions.length < 250) {
        await server.stop()
        server = await startServer({ store: home, port, drainMs: 200 })
      }
    }
    expect(revisions).toEqual(Array.from({ length: 1000 }, (_, i) => i))
    expect(await store.append('s-1', [anEvent()], 999)).toMatchObject({ kind: 'appended', revision: 1000 })
    await store.close()
    await server.stop()
  })
})

async function collect(messages: AsyncIterable<SubscriptionMessage>, words: string[]): Promise<void> {
  for await (const message of messages) words.push(...wordsOf(message))
}
