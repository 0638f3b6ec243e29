// Writing against servers that misbehave (scripted here): what cannot be known is told as unknown, nothing is sent twice, and one call's failure
// is no other's.
import shared from '@eventstore/db-client/generated/shared_pb.js'
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { anEvent, someEvents } from '../../controls/events.js'
import { open, until } from './opened.js'
import {
  APPEND,
  BATCH_APPEND,
  DELETE,
  FEATURES,
  type Handler,
  type Status,
  type Stub,
  type StubCall,
  startStub,
} from './stub-server.js'

const NO_LEADER = { exception: 'not-leader' }

function appended(revision: number): Uint8Array {
  const position = new streams.AppendResp.Position().setCommitPosition('90').setPreparePosition('80')
  const success = new streams.AppendResp.Success().setCurrentRevision(String(revision)).setPosition(position)
  return new streams.AppendResp().setSuccess(success).serializeBinary()
}

const answerWell: Handler = async (call) => {
  await call.request()
  call.send(appended(4))
  call.end()
}

function failing(status: Status): Handler {
  return async (call) => {
    await call.request()
    call.end(status)
  }
}

const leaderAt = (port: number) => ({
  ...NO_LEADER,
  'leader-endpoint-host': '127.0.0.1',
  'leader-endpoint-port': String(port),
})

/** What a server that leads elsewhere says to every write. */
const leadsTo = (port: number): Handler => failing({ code: 5, trailers: leaderAt(port) })

describe('an append', () => {
  test('is one call of its own with the bytes as they are, asked of the leader', async () => {
    const stub = await startStub({ [APPEND]: answerWell })
    const store = await open(stub.url)
    const sent = anEvent({ data: Buffer.from('{ "n": 9007199254740993 }'), metadata: Buffer.from('not JSON') })
    expect(await store.append('s-1', [sent], 3)).toEqual({
      kind: 'appended',
      revision: 4,
      position: { commit: 90n, prepare: 80n },
    })
    const [call] = stub.callsOf(APPEND) as [StubCall]
    expect(call.headers['requires-leader']).toBe('true')
    const [options, proposed] = (await call.request()).map((bytes) => streams.AppendReq.deserializeBinary(bytes))
    expect(options?.getOptions()?.getRevision()).toBe('3')
    const message = proposed?.getProposedMessage()
    expect(Buffer.from(message?.getData_asU8() ?? []).toString()).toBe('{ "n": 9007199254740993 }')
    expect(Buffer.from(message?.getCustomMetadata_asU8() ?? []).toString()).toBe('not JSON')
    expect(message?.getMetadataMap().get('content-type')).toBe('application/json')
  })

  test('never goes by BatchAppend, and asks for no features that an error would spoil for good', async () => {
    const stub = await startStub({ [APPEND]: answerWell, [FEATURES]: failing({ code: 13 }) })
    const store = await open(stub.url)
    await store.append('s-1', [anEvent()], 'any')
    expect([stub.callsOf(BATCH_APPEND).length, stub.callsOf(FEATURES).length]).toEqual([0, 0])
  })

  test('tells the revision that a conflict found', async () => {
    const conflict = (answer: streams.AppendResp.WrongExpectedVersion) =>
      new streams.AppendResp().setWrongExpectedVersion(answer).serializeBinary()
    const answers = [
      conflict(new streams.AppendResp.WrongExpectedVersion().setCurrentRevision('7')),
      conflict(new streams.AppendResp.WrongExpectedVersion().setCurrentNoStream(new shared.Empty())),
    ]
    const stub = await startStub({
      [APPEND]: async (call) => {
        await call.request()
        call.send(answers.shift() ?? new Uint8Array(0))
        call.end()
      },
    })
    const store = await open(stub.url)
    expect(await store.append('s-1', [anEvent()], 3)).toEqual({ kind: 'conflict', actual: 7 })
    expect(await store.append('s-1', [anEvent()], 3)).toEqual({ kind: 'conflict', actual: 'noStream' })
    expect(await store.append('s-1', [anEvent()], 3)).toMatchObject({ kind: 'unknown' })
  })

  test.each([
    [{ code: 9, trailers: { exception: 'stream-deleted', 'stream-name': 's-1' } }, 'refused stream-deleted'],
    [{ code: 7, trailers: { exception: 'access-denied' } }, 'refused access-denied'],
    [{ code: 7 }, 'refused access-denied'],
    [{ code: 16 }, 'refused access-denied'],
    [{ code: 3, trailers: { exception: 'maximum-append-size-exceeded' } }, 'refused too-large'],
    [{ code: 8 }, 'unknown'],
    [{ code: 3, trailers: { exception: 'missing-required-metadata-property' } }, 'refused invalid'],
    [{ code: 12 }, 'unknown'],
    [{ code: 2, message: 'Exception was thrown by handler.' }, 'unknown'],
    [{ code: 10, message: 'Operation timed out' }, 'unknown'],
    [{ code: 14, message: 'Server Is Busy' }, 'unknown'],
    [{ code: 4 }, 'unknown'],
    [{ code: 13 }, 'unknown'],
    [{ code: 1 }, 'unknown'],
    // A type whose trailers are not there must not end the process, as it does in the client.
    [{ code: 9, trailers: { exception: 'scavenge-not-found' } }, 'unknown'],
  ] as const)('that ends with %j is %s, and is sent once', async (status, outcome) => {
    const stub = await startStub({ [APPEND]: failing(status) })
    const store = await open(stub.url)
    const result = await store.append('s-1', [anEvent()], 'any')
    expect(result.kind === 'refused' ? `refused ${result.reason}` : result.kind).toBe(outcome)
    expect(stub.callsOf(APPEND)).toHaveLength(1)
  })

  test.each<[string, Handler]>([
    ['is never answered', () => undefined],
    ['is ended without an answer', (call) => call.end()],
    ['is reset', async (call) => call.request().then(() => call.reset(2))],
    ['is answered with what is no answer', (call) => call.send(Buffer.from([0xff, 0xff]))],
  ])('that %s is unknown in bounded time', async (_title, handler) => {
    const stub = await startStub({ [APPEND]: handler })
    const store = await open(`${stub.url}&defaultDeadline=300`)
    expect(await store.append('s-1', [anEvent()], 'any')).toMatchObject({ kind: 'unknown' })
    expect(stub.callsOf(APPEND)).toHaveLength(1)
  })

  test('whose connection is cut is unknown; the next one goes through', async () => {
    const stub = await startStub({ [APPEND]: () => stub.cut() })
    const store = await open(stub.url)
    expect(await store.append('s-1', [anEvent()], 'any')).toMatchObject({ kind: 'unknown' })
    stub.on(APPEND, answerWell)
    expect(await store.append('s-1', [anEvent()], 'any')).toMatchObject({ kind: 'appended' })
    expect(stub.callsOf(APPEND)).toHaveLength(2)
  })

  test('that fails leaves others alone, on the same store and on another', async () => {
    const held: StubCall[] = []
    const stub = await startStub({ [APPEND]: async (call) => void held.push(call) })
    const [store, other] = [await open(stub.url), await open(stub.url)]
    const results = [store, store, other].map((each) => each.append('s-1', [anEvent()], 'any'))
    await until(() => held.length === 3)
    held[0]?.end({ code: 14, message: 'Server Is Busy' })
    await until(() => held[0]?.isOver ?? false)
    for (const call of held.slice(1)) {
      call.send(appended(1))
      call.end()
    }
    const kinds = (await Promise.all(results)).map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'unknown')).toHaveLength(1)
    expect(kinds.filter((kind) => kind === 'appended')).toHaveLength(2)
  })

  test('that fails leaves the connection as it is', async () => {
    const stub = await startStub({ [APPEND]: failing({ code: 14, message: 'Server Is Busy' }) })
    const store = await open(stub.url)
    for (let i = 0; i < 3; i += 1) await store.append('s-1', [anEvent()], 'any')
    expect(new Set(stub.callsOf(APPEND).map((call) => call.stream.session)).size).toBe(1)
  })

  test('that gRPC itself forgets is unknown all the same', async () => {
    const call = { on: () => call, write: () => true, end: () => call, cancel: vi.fn() }
    const forgetful = vi.spyOn(streamsGrpc.StreamsClient.prototype, 'append').mockReturnValue(call as never)
    onTestFinished(() => forgetful.mockRestore())
    const stub = await startStub()
    const store = await open(`${stub.url}&defaultDeadline=100`)
    expect(await store.append('s-1', [anEvent()], 'any')).toMatchObject({ kind: 'unknown' })
    expect(call.cancel).toHaveBeenCalledOnce()
  })

  test('to a server that is gone throws in bounded time: nothing was sent', async () => {
    const stub = await startStub({ [APPEND]: answerWell })
    const store = await open(stub.url, { outageMsMax: 100 })
    await stub.stop()
    // Time to notice; without it only the wait for a connection would be longer.
    await new Promise((resolve) => setTimeout(resolve, 50))
    await expect(store.append('s-1', [anEvent()], 'any')).rejects.toMatchObject({ name: 'StoreUnavailableError' })
    expect(stub.callsOf(APPEND)).toHaveLength(0)
  })

  test('that no server may see never gets there', async () => {
    const stub = await startStub({ [APPEND]: answerWell, [DELETE]: answerWell })
    const store = await open(stub.url)
    expect(await store.append('$$', [anEvent()], 'any')).toMatchObject({ kind: 'refused', reason: 'invalid' })
    expect(await store.deleteStream('$$', 'any')).toMatchObject({ kind: 'refused', reason: 'invalid' })
    const huge = anEvent({ data: Buffer.alloc(16 * 1024 * 1024 + 1) })
    expect(await store.append('s-1', [huge], 'any')).toMatchObject({ kind: 'refused', reason: 'too-large' })
    expect(stub.callsOf(APPEND).length + stub.callsOf(DELETE).length).toBe(0)
  })

  test('closing the store waits for it', async () => {
    const stub = await startStub({
      [APPEND]: async (call) => {
        await call.request()
        setTimeout(() => {
          call.send(appended(0))
          call.end()
        }, 200)
      },
    })
    const store = await open(stub.url)
    const result = store.append('s-1', someEvents(2), 'any')
    await until(() => stub.callsOf(APPEND).length === 1)
    let isSettled = false
    void result.then(() => {
      isSettled = true
    })
    await store.close()
    expect(isSettled).toBe(true)
    expect(await result).toMatchObject({ kind: 'appended' })
  })
})

test('closing the store ends a write that finds nobody to take it', async () => {
  const stub = await startStub({ [APPEND]: failing({ code: 5, trailers: NO_LEADER }) })
  const store = await open(stub.url, { outageMsMax: 1_000_000 })
  const result = expect(store.append('s-1', [anEvent()], 'any')).rejects.toMatchObject({
    message: 'The store is closed',
  })
  await until(() => stub.callsOf(APPEND).length >= 2)
  await store.close()
  await result
})

describe('a leader elsewhere', () => {
  test('gets the write that another node did not take', async () => {
    const leader = await startStub({ [APPEND]: answerWell })
    const follower = await startStub({ [APPEND]: leadsTo(leader.port) })
    const store = await open(follower.url)
    expect(await store.append('s-1', [anEvent()], 'any')).toMatchObject({ kind: 'appended' })
    expect(await store.append('s-1', [anEvent()], 'any')).toMatchObject({ kind: 'appended' })
    expect([follower.callsOf(APPEND).length, leader.callsOf(APPEND).length]).toEqual([1, 2])
  })

  test('that is not there is not waited for: the node that was named is asked again', async () => {
    const dead = await startStub()
    await dead.stop()
    const follower: Stub = await startStub({ [APPEND]: leadsTo(dead.port) })
    const store = await open(`${follower.url}`, { outageMsMax: 20_000 })
    const result = store.append('s-1', [anEvent()], 'any')
    await until(() => follower.callsOf(APPEND).length === 1)
    follower.on(APPEND, answerWell)
    expect(await result).toMatchObject({ kind: 'appended' })
    expect(follower.callsOf(APPEND)).toHaveLength(2)
  })

  test('that nobody knows is waited for', async () => {
    const stub = await startStub({ [APPEND]: failing({ code: 5, trailers: NO_LEADER }) })
    const store = await open(stub.url)
    const result = store.append('s-1', [anEvent()], 'any')
    await until(() => stub.callsOf(APPEND).length >= 3)
    stub.on(APPEND, answerWell)
    expect(await result).toMatchObject({ kind: 'appended' })
  })
})

describe('a delete', () => {
  test.each([
    ['-1', 'noStream'],
    ['6', 6],
  ])('that finds the stream at %s tells so', async (actual, expected) => {
    const trailers = { exception: 'wrong-expected-version', 'stream-name': 's-1', 'actual-version': actual }
    const stub = await startStub({ [DELETE]: failing({ code: 9, trailers }) })
    const store = await open(stub.url)
    expect(await store.deleteStream('s-1', 'streamExists')).toEqual({ kind: 'conflict', actual: expected })
    const [message] = (await stub.callsOf(DELETE)[0]?.request()) ?? []
    const options = streams.DeleteReq.deserializeBinary(message ?? Buffer.alloc(0)).getOptions()
    expect(options?.hasStreamExists()).toBe(true)
  })

  test('that is never answered is unknown', async () => {
    const stub = await startStub({ [DELETE]: () => undefined })
    const store = await open(`${stub.url}&defaultDeadline=300`)
    expect(await store.deleteStream('s-1', 'any')).toMatchObject({ kind: 'unknown' })
  })
})
