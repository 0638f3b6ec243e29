// Reading against servers that misbehave (scripted here): a reading comes to its end whole, each event once, or it throws in bounded time.
import streams from '@eventstore/db-client/generated/streams_pb.js'
import { describe, expect, test } from 'vitest'
import { eventsOf, eventsOfLog, gather } from '../../controls/events.js'
import { asPoured, pouredOf } from '../../controls/poured.js'
import { open } from './opened.js'
import { answerTo, askedBy, BACKWARDS, EVENTS, FORWARDS, givingUp, revisions } from './scripted-log.js'
import { type Handler, READ, type StubCall, scriptedEvent, startStub } from './stub-server.js'

/** Behind all events. */
const BEYOND = { commit: 10n ** 15n, prepare: 10n ** 15n }

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

  test('of the log as bytes gives each event once, in order, and no more than was asked for', async () => {
    const stub = await startStub({ [READ]: givingUp(4, then) })
    const store = await open(stub.url, { silenceMsMax: 200 })
    const to = scriptedEvent(8).position
    expect(await pouredOf(store, { to })).toEqual(EVENTS.slice(0, 9).map(asPoured))
    expect(await pouredOf(store, { after: scriptedEvent(2).position, to })).toEqual(EVENTS.slice(3, 9).map(asPoured))
    expect(stub.callsOf(READ).length).toBeGreaterThanOrEqual(4)
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
    isCut = false
    expect(await pouredOf(store, { to: BEYOND })).toEqual(EVENTS.map(asPoured))
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
    await expect(pouredOf(store, { to: BEYOND })).rejects.toMatchObject({ name: 'StoreUnavailableError' })
  })

  test.each([
    [{ code: 16 }, 'StoreUnavailableError', 'user or password is wrong'],
    [{ code: 7, trailers: { exception: 'access-denied' } }, 'StoreUnavailableError', 'access denied'],
    [{ code: 2, message: 'Exception was thrown by handler.' }, 'StoreUnavailableError', 'Exception was thrown'],
    [{ code: 15, message: 'checksum' }, 'StoreCorruptError', 'checksum'],
    [{ code: 2, message: 'Unexpected ReadAllResult: InvalidPosition' }, 'InvalidPositionError', 'position 7/7'],
  ])('that ends with %j throws %s at once, and asks once each', async (status, name, words) => {
    const stub = await startStub({ [READ]: (call) => call.end(status) })
    const store = await open(stub.url)
    const reading = eventsOfLog(store, { from: { commit: 7n, prepare: 7n } })
    await expect(reading).rejects.toMatchObject({ name, message: expect.stringContaining(words) })
    const pouring = pouredOf(store, { after: { commit: 7n, prepare: 7n }, to: BEYOND })
    await expect(pouring).rejects.toMatchObject({ name, message: expect.stringContaining(words) })
    expect(stub.callsOf(READ)).toHaveLength(2)
  })

  test('of what is no message is told as that', async () => {
    const stub = await startStub({ [READ]: (call) => void call.send(Buffer.from([0x0a, 0xff, 0x01])) })
    const store = await open(stub.url)
    await expect(eventsOfLog(store)).rejects.toMatchObject({ name: 'StoreCorruptError' })
    await expect(pouredOf(store, { to: BEYOND })).rejects.toMatchObject({ name: 'StoreCorruptError' })
  })

  test('whose events come out of order is told as that', async () => {
    const stub = await startStub({ [READ]: (call) => void call.sendEvents([scriptedEvent(3), scriptedEvent(2)]) })
    const store = await open(stub.url)
    await expect(eventsOfLog(store)).rejects.toMatchObject({ name: 'StoreCorruptError' })
    await expect(pouredOf(store, { to: BEYOND })).rejects.toMatchObject({ name: 'StoreCorruptError' })
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
    expect(await pouredOf(store, { to: BEYOND, filter: { streamPrefixes: [] } })).toEqual([])
    expect(await pouredOf(store, { after: BEYOND, to: BEYOND })).toEqual([])
    expect(stub.callsOf(READ)).toHaveLength(0)
  })
})
