// Reading against servers that misbehave (scripted here): a reading comes to its end whole, each event once, or it throws in bounded time.
import streams from '@eventstore/db-client/generated/streams_pb.js'
import { describe, expect, test } from 'vitest'
import type { RecordedEvent } from '../../../src/log/event.js'
import { eventsOf, eventsOfLog, gather } from '../../controls/events.js'
import { open, until } from './opened.js'
import { type Handler, READ, type StubCall, scriptedEvent, startStub } from './stub-server.js'

const EVENTS = Array.from({ length: 10 }, (_, i) => scriptedEvent(i))

interface Asked {
  readonly backwards: boolean
  readonly count: number
  /** Of a reading of one stream. */
  readonly revision: number | undefined
  /** Of a reading of the log. */
  readonly commit: bigint | undefined
  readonly ofStream: boolean
}

async function askedBy(call: StubCall): Promise<Asked> {
  const options = await call.readOptions()
  const stream = options.getStream()
  const position = options.getAll()?.getPosition()
  return {
    backwards: options.getReadDirection() === streams.ReadReq.Options.ReadDirection.BACKWARDS,
    count: Number(options.getCount()),
    revision: stream?.hasRevision() ? Number(stream.getRevision()) : undefined,
    commit: position ? BigInt(position.getCommitPosition()) : undefined,
    ofStream: stream !== undefined,
  }
}

/** What a server that behaves would give. */
function answerTo({ backwards, count, revision, commit, ofStream }: Asked): RecordedEvent[] {
  const wanted = EVENTS.filter((event) => {
    if (ofStream) return revision === undefined || (backwards ? event.revision <= revision : event.revision >= revision)
    return commit === undefined || (backwards ? event.position.commit < commit : event.position.commit >= commit)
  })
  return (backwards ? wanted.reverse() : wanted).slice(0, count)
}

/** Gives at most so many events a call, then does something. */
function givingUp(most: number, then: (call: StubCall) => void): Handler {
  return async (call) => {
    const events = answerTo(await askedBy(call))
    if (events.length > 0) call.sendEvents(events.slice(0, most))
    if (events.length > most) then(call)
    else call.end()
  }
}

const revisions = (events: readonly RecordedEvent[]) => events.map(({ revision }) => revision)
const FORWARDS = EVENTS.map(({ revision }) => revision)
const BACKWARDS = [...FORWARDS].reverse()

describe.each<[string, (call: StubCall) => void]>([
  ['ends as if that were all', (call) => call.end()],
  ['is reset without a status', (call) => setTimeout(() => call.reset(), 20)],
  ['is cancelled', (call) => setTimeout(() => call.reset(8), 20)],
  ['ends as unavailable', (call) => call.end({ code: 14, message: 'Server Is Not Ready' })],
  [
    'ends within a message',
    (call) => {
      call.sendBytes(Buffer.from([0, 0, 0, 0, 9, 1]))
      call.end()
    },
  ],
  ['says no more', () => undefined],
])('a reading whose every call %s', (_title, then) => {
  test.each([
    ['a stream', 'forwards', FORWARDS],
    ['a stream', 'backwards', BACKWARDS],
    ['the log', 'forwards', FORWARDS],
    ['the log', 'backwards', BACKWARDS],
  ] as const)('of %s %s gives each event once, in order', async (what, direction, expected) => {
    const stub = await startStub({ [READ]: givingUp(4, then) })
    const store = await open(stub.url, { silenceMsMax: 200 })
    const events =
      what === 'a stream' ? await eventsOf(store, 's-1', { direction }) : await eventsOfLog(store, { direction })
    expect(revisions(events)).toEqual(expected)
    expect(stub.callsOf(READ).length).toBeGreaterThanOrEqual(3)
  })

  test('gives no more than was asked for', async () => {
    const stub = await startStub({ [READ]: givingUp(4, then) })
    const store = await open(stub.url, { silenceMsMax: 200 })
    expect(revisions(await eventsOf(store, 's-1', { from: 1, maxCount: 6 }))).toEqual([1, 2, 3, 4, 5, 6])
    expect(revisions(await eventsOfLog(store, { from: scriptedEvent(2).position, maxCount: 6 }))).toEqual([
      2, 3, 4, 5, 6, 7,
    ])
  })
})

describe('a reading', () => {
  test('whose connection is cut goes on over another', async () => {
    let isCut = false
    const stub = await startStub({
      [READ]: async (call) => {
        const events = answerTo(await askedBy(call))
        call.sendEvents(isCut ? events : events.slice(0, 5))
        if (isCut) call.end()
        else setTimeout(() => stub.cut(), 30)
        isCut = true
      },
    })
    const store = await open(stub.url)
    expect(revisions(await eventsOfLog(store))).toEqual(FORWARDS)
  })

  test.each([
    ['is silent', () => undefined],
    ['ends every call early', (call: StubCall) => call.end()],
    [
      'gives the first event again and again',
      (call: StubCall) => {
        call.sendEvents([scriptedEvent(0)])
        call.end()
      },
    ],
    ['refuses every call', (call: StubCall) => call.end({ code: 14, message: 'Server Is Busy' })],
  ] as const)('of a server that %s throws in bounded time', async (_title, handler) => {
    const stub = await startStub({
      [READ]: async (call) => {
        // The look from the other side is answered, so that what is missing is known.
        const asked = await askedBy(call)
        if (asked.count !== 1) return handler(call)
        call.sendEvents(answerTo(asked))
        call.end()
      },
    })
    const store = await open(stub.url, { outageMsMax: 300, silenceMsMax: 100 })
    await expect(eventsOfLog(store)).rejects.toMatchObject({ name: 'StoreUnavailableError' })
    await expect(eventsOf(store, 's-1')).rejects.toMatchObject({ name: expect.stringMatching(/^Store/) })
  })

  test.each([
    [{ code: 16 }, 'StoreUnavailableError', 'user or password is wrong'],
    [{ code: 7, trailers: { exception: 'access-denied' } }, 'StoreUnavailableError', 'access denied'],
    [{ code: 2, message: 'Exception was thrown by handler.' }, 'StoreUnavailableError', 'Exception was thrown'],
    [{ code: 15, message: 'checksum' }, 'StoreCorruptError', 'checksum'],
    [{ code: 2, message: 'Unexpected ReadAllResult: InvalidPosition' }, 'InvalidPositionError', 'position 7/7'],
  ])('that ends with %j throws %s at once, and asks once', async (status, name, words) => {
    const stub = await startStub({ [READ]: (call) => call.end(status) })
    const store = await open(stub.url)
    const reading = eventsOfLog(store, { from: { commit: 7n, prepare: 7n } })
    await expect(reading).rejects.toMatchObject({ name, message: expect.stringContaining(words) })
    expect(stub.callsOf(READ)).toHaveLength(1)
  })

  test('of what is no message is told as that', async () => {
    const stub = await startStub({ [READ]: (call) => void call.send(Buffer.from([0x0a, 0xff, 0x01])) })
    const store = await open(stub.url)
    await expect(eventsOfLog(store)).rejects.toMatchObject({ name: 'StoreCorruptError' })
  })

  test('whose events come out of order is told as that', async () => {
    const stub = await startStub({ [READ]: (call) => void call.sendEvents([scriptedEvent(3), scriptedEvent(2)]) })
    const store = await open(stub.url)
    await expect(eventsOfLog(store)).rejects.toMatchObject({ name: 'StoreCorruptError' })
    await expect(eventsOf(store, 's-1')).rejects.toMatchObject({ name: 'StoreCorruptError' })
  })

  test('of a stream that is deleted while it is read does not pass for whole', async () => {
    const notFound = new streams.ReadResp().setStreamNotFound(new streams.ReadResp.StreamNotFound()).serializeBinary()
    const answers: Handler[] = [
      (call) => {
        call.sendEvents(EVENTS.slice(0, 3))
        setTimeout(() => call.reset(), 20)
      },
      (call) => {
        call.send(notFound)
        call.end()
      },
    ]
    const stub = await startStub({ [READ]: (call) => answers.shift()?.(call) })
    const store = await open(stub.url)
    await expect(eventsOf(store, 's-1')).rejects.toMatchObject({ message: expect.stringContaining('was deleted') })
  })

  test('asks for the filter, which the server applies, and for what decides the leader', async () => {
    const stub = await startStub({ [READ]: (call) => call.end() })
    const store = await open(`${stub.url}&nodePreference=follower`)
    await gather(store.readAll({ filter: { streamPrefixes: ['payment-', '$$payment-'] }, maxCount: 5 }))
    await store.readStream('s-1')
    const [log, stream] = [stub.callsOf(READ)[0], stub.callsOf(READ).at(-1)] as [StubCall, StubCall]
    const filter = (await log.readOptions()).getFilter()
    expect(filter?.getStreamIdentifier()?.getPrefixList()).toEqual(['payment-', '$$payment-'])
    expect(filter?.getMax()).toBeGreaterThan(0)
    expect([log.headers['requires-leader'], stream.headers['requires-leader']]).toEqual([undefined, 'true'])
  })

  test('from a place that no integer of the log can be is from the last that can', async () => {
    const stub = await startStub({ [READ]: (call) => call.end() })
    const store = await open(stub.url)
    const from = { commit: 2n ** 63n + 5n, prepare: 2n ** 63n + 5n }
    expect(await eventsOfLog(store, { from })).toEqual([])
    await store.readStream('s-1', { from: 2 ** 63 })
    const options = await Promise.all(stub.callsOf(READ).map((call) => call.readOptions()))
    const places = options.map(
      (each) => each.getAll()?.getPosition()?.getCommitPosition() ?? each.getStream()?.getRevision(),
    )
    expect(places).toContain(String(2n ** 63n - 1n))
    expect(places.every((place) => place === '' || place === undefined || BigInt(place) < 2n ** 63n)).toBe(true)
  })

  test('that can give nothing is not asked for: a real server would not answer', async () => {
    const stub = await startStub({ [READ]: () => undefined })
    const store = await open(stub.url)
    expect(await eventsOfLog(store, { maxCount: 0 })).toEqual([])
    expect(await eventsOfLog(store, { filter: { streamPrefixes: [] } })).toEqual([])
    expect(await eventsOfLog(store, { from: 'end' })).toEqual([])
    expect(stub.callsOf(READ)).toHaveLength(0)
  })

  test.each<[string, (store: Awaited<ReturnType<typeof open>>) => Promise<unknown>]>([
    [
      'the log',
      async (store) => {
        for await (const _ of store.readAll()) break
      },
    ],
    [
      'a stream',
      async (store) => {
        const read = await store.readStream('s-1')
        if (read.kind === 'found') for await (const _ of read.events) break
      },
    ],
    [
      'a subscription',
      async (store) => {
        for await (const _ of store.subscribeToAll()) break
      },
    ],
    [
      'a subscription, by an error of its own',
      async (store) => {
        const failing = async () => {
          for await (const _ of store.subscribeToAll()) throw new Error('mine')
        }
        await expect(failing()).rejects.toThrow('mine')
      },
    ],
    [
      'the log, by a signal',
      async (store) => {
        const controller = new AbortController()
        const reading = async () => {
          for await (const _ of store.readAll({ signal: controller.signal })) controller.abort(new Error('enough'))
        }
        await expect(reading()).rejects.toThrow('enough')
      },
    ],
  ])('left early (%s) lets its call go', async (_title, leave) => {
    const stub = await startStub({ [READ]: (call) => void call.sendEvents(EVENTS) })
    const store = await open(stub.url, { silenceMsMax: 60_000 })
    await leave(store)
    await until(() => stub.callsOf(READ).every((call) => call.isOver))
    expect(stub.callsOf(READ)).toHaveLength(1)
  })

  test('that nobody goes on with lets its call go, and goes on when somebody does', async () => {
    const stub = await startStub({ [READ]: givingUp(4, () => undefined) })
    const store = await open(stub.url, { silenceMsMax: 200 })
    const read = await store.readStream('s-1')
    await until(() => stub.callsOf(READ)[0]?.isOver ?? false)
    const runs = read.kind === 'found' ? await gather(read.events) : []
    expect(revisions(runs.flat())).toEqual(FORWARDS)
  })

  test('closing the store ends it', async () => {
    const stub = await startStub({ [READ]: (call) => void call.sendEvents(EVENTS) })
    const store = await open(stub.url)
    const reading = async () => {
      for await (const _ of store.readAll()) await store.close()
    }
    await expect(reading()).rejects.toMatchObject({ name: 'StoreUnavailableError', message: 'The store is closed' })
  })

  test('takes a bounded amount ahead of a reader that rests, and does not hold up others meanwhile', async () => {
    const big = Array.from({ length: 400 }, (_, i) => scriptedEvent(i, { data: Buffer.alloc(64 * 1024, 120) }))
    let sent = 0
    const stub = await startStub({
      [READ]: async (call) => {
        const { ofStream } = await askedBy(call)
        for (const event of ofStream ? EVENTS : big) {
          if (!call.sendEvents([event])) await new Promise((resolve) => call.stream.once('drain', resolve))
          if (!ofStream) sent += 1
        }
        call.end()
      },
    })
    const store = await open(stub.url)
    let count = 0
    for await (const { events } of store.readAll({ maxCount: big.length })) {
      if (count === 0) {
        await new Promise((resolve) => setTimeout(resolve, 500))
        // The window of one call is 1 MiB, that is 16 of these; both ends keep a few more.
        expect(sent).toBeLessThan(40)
        expect(revisions(await eventsOf(store, 's-1', { maxCount: EVENTS.length }))).toEqual(FORWARDS)
      }
      count += events.length
    }
    expect(count).toBe(big.length)
  })

  test('of a server that is slow but goes on is one call', async () => {
    const stub = await startStub({
      [READ]: async (call) => {
        for (const event of EVENTS.slice(0, 7)) {
          call.sendEvents([event])
          await new Promise((resolve) => setTimeout(resolve, 350))
        }
        call.end()
      },
    })
    const store = await open(stub.url, { silenceMsMax: 1_500 })
    expect(await eventsOfLog(store, { maxCount: 7 })).toHaveLength(7)
    expect(stub.callsOf(READ)).toHaveLength(1)
  })
})
