// Who reads slowly slows down who writes to it, and never fills the server's memory; who waits costs little. Measured on a process of its own.
import { once } from 'node:events'
import type { ClientHttp2Stream } from 'node:http2'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { binaryEvent, jsonEvent } from '@eventstore/db-client'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import { describe, expect, it, onTestFinished } from 'vitest'
import { answerOf, beginCall, connectRaw, framed } from './raw-call.js'
import { appendOptions, EMPTY, identifier, Options, proposal, proposed, readAllOptions, uuid } from './requests.js'
import {
  cpuMsOf,
  memoryOf,
  type ServeProcess,
  settledMemoryOf,
  startServe,
  TELLS_MEMORY,
  temporaryFolder,
} from './serve-process.js'
import { connect } from './served.js'

const MIB = 1024 * 1024
const LARGE_EVENTS = 80

const measured = describe.skipIf(!TELLS_MEMORY)

/** A server with 80 MiB in its log. */
async function serveMuch(): Promise<ServeProcess> {
  const serving = await startServe(['--insecure', '--store', join(temporaryFolder(), 'store')])
  const client = connect(serving.connectionString)
  const event = () => binaryEvent({ type: 'Large', data: Buffer.alloc(MIB, 7) })
  for (let n = 0; n < LARGE_EVENTS; n++) await client.appendToStream('large', event())
  return serving
}

const READINGS = {
  'a reading': framed(new streams.ReadReq().setOptions(readAllOptions().setCount('1000000'))),
  'a subscription': framed(
    new streams.ReadReq().setOptions(readAllOptions().setSubscription(new Options.SubscriptionOptions())),
  ),
}

/** Calls whose first bytes have come and that are read no further. */
async function stalledCalls(port: number, request: Buffer, count: number): Promise<ClientHttp2Stream[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const stream = beginCall(connectRaw(port), 'Read')
      stream.end(request)
      await once(stream, 'readable')
      return stream
    }),
  )
}

measured('a slow reader', () => {
  it.each(Object.entries(READINGS))(
    'of %s costs what is on its way, not what it has yet to read',
    async (name, request) => {
      const { pid, port } = await serveMuch()
      const before = await settledMemoryOf(pid)
      const stalled = await stalledCalls(port, request, 5)
      const grown = (await settledMemoryOf(pid)) - before
      process.stdout.write(`5 stalled readers (${name}) of ${LARGE_EVENTS} MiB each: +${grown.toFixed(0)} MiB\n`)
      expect(grown).toBeLessThan(LARGE_EVENTS)
      // And it gets everything once it goes on.
      const [first] = stalled
      expect(await bytesOf(first)).toBeGreaterThan(LARGE_EVENTS * MIB)
    },
  )

  it('of answers is not listened to any further', async () => {
    const { pid, port, connectionString } = await startServe(['--insecure', '--store', 'memory:'])
    const stream = beginCall(connectRaw(port), 'BatchAppend')
    const before = await settledMemoryOf(pid)
    let waiting = false
    for (let sent = 0; sent < 20_000 && !waiting; sent++) {
      const taken = new Promise<boolean>((resolve) => stream.write(batch(sent), () => resolve(true)))
      waiting = !(await Promise.race([taken, sleep(2_000).then(() => false)]))
    }
    expect(waiting).toBe(true)
    expect(memoryOf(pid) - before).toBeLessThan(100)
    await connect(connectionString).appendToStream('others', jsonEvent({ type: 'Counted', data: {} }))
  })
})

measured('500 idle subscriptions', () => {
  it('cost little, and each is told what comes', async () => {
    const { pid, port, connectionString } = await startServe([
      '--insecure',
      '--store',
      join(temporaryFolder(), 'store'),
    ])
    const client = connect(connectionString)
    await client.appendToStream('first', jsonEvent({ type: 'Counted', data: {} }))
    const before = await settledMemoryOf(pid)
    const session = connectRaw(port)
    const calls = Array.from({ length: 500 }, () => {
      const call = beginCall(session, 'Read')
      call.end(READINGS['a subscription'])
      return { call, told: untilTold(call, 'awaited') }
    })
    await Promise.all(calls.map(({ call }) => once(call, 'response')))
    const grown = (await settledMemoryOf(pid)) - before
    const [cpuBefore, began] = [cpuMsOf(pid), performance.now()]
    await sleep(2_000)
    const busy = (cpuMsOf(pid) - cpuBefore) / (performance.now() - began)
    process.stdout.write(`500 idle subscriptions: +${grown.toFixed(0)} MiB, ${(busy * 100).toFixed(1)} % of a core\n`)
    expect(grown).toBeLessThan(100)
    expect(busy).toBeLessThan(0.5)
    await client.appendToStream('awaited', jsonEvent({ type: 'Counted', data: {} }))
    await Promise.all(calls.map(({ told }) => told))
  })
})

measured('a server at rest', () => {
  it('holds little', async () => {
    const { pid } = await startServe(['--insecure', '--store', join(temporaryFolder(), 'store')])
    await settledMemoryOf(pid)
    const held = memoryOf(pid, 'VmRSS')
    process.stdout.write(`at rest: ${held.toFixed(0)} MiB\n`)
    expect(held).toBeLessThan(150)
  })
})

it('a call that was begun may end while the server stops', async () => {
  const { port, end } = await startServe(['--insecure', '--store', join(temporaryFolder(), 'store')])
  const session = connectRaw(port)
  const call = beginCall(session, 'Append')
  const answer = answerOf(call)
  call.write(framed(appendOptions('last')))
  await answerOf(beginCall(session, '/').end())
  const refusing = once(session, 'goaway')
  const ended = end('SIGTERM')
  await refusing
  call.end(framed(proposed(proposal())))
  expect(await answer).toMatchObject({ code: 0, messages: [expect.anything()] })
  expect(await ended).toMatchObject({ code: 0 })
})

function batch(n: number): Buffer {
  const event = new streams.BatchAppendReq.ProposedMessage().setId(uuid())
  event.getMetadataMap().set('type', 'Counted').set('content-type', 'application/json')
  const options = new streams.BatchAppendReq.Options()
  options.setStreamIdentifier(identifier(`batch-${n % 10}`)).setAny(EMPTY as never)
  const request = new streams.BatchAppendReq().setCorrelationId(uuid()).setOptions(options)
  return framed(request.addProposedMessages(event) && request.setIsFinal(true))
}

async function bytesOf(stream: ClientHttp2Stream | undefined): Promise<number> {
  let bytes = 0
  stream?.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  while (stream && bytes <= LARGE_EVENTS * MIB && !stream.closed) await sleep(20)
  return bytes
}

/** Resolves when a call has sent these words. */
function untilTold(call: ClientHttp2Stream, words: string): Promise<void> {
  onTestFinished(() => call.close())
  return new Promise((resolve) => {
    let told = Buffer.alloc(0)
    call.on('data', (chunk: Buffer) => {
      told = Buffer.concat([told, chunk])
      if (told.includes(words)) resolve()
    })
  })
}
