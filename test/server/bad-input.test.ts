// What nobody should send: each is answered, in bounded time, and the server goes on. What a real server says in odd cases is in observed.test.ts.
import { randomBytes, randomUUID } from 'node:crypto'
import { connect as connectSocket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { jsonEvent } from '@eventstore/db-client'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import { describe, expect, it, onTestFinished } from 'vitest'
import { makeCertificate } from './certificate.js'
import { answerOf, beginCall, callRaw, connectRaw, framed, type RawAnswer } from './raw-call.js'
import {
  appendOptions,
  EMPTY,
  identifier,
  Options,
  type Proposal,
  proposal,
  proposed,
  readAllOptions,
  readStreamOptions,
} from './requests.js'
import { collect, type Served, serve } from './served.js'

/** A server on which a stream `here` holds three events. */
async function served(): Promise<Served> {
  const all = await serve()
  await all.client.appendToStream(
    'here',
    [0, 1, 2].map((n) => jsonEvent({ type: 'Counted', data: { n } })),
  )
  return all
}

async function expectAlive({ client }: Served): Promise<void> {
  expect(await collect(client.readStream('here'))).toHaveLength(3)
}

const read = (server: Served, options: streams.ReadReq.Options) =>
  callRaw(connectRaw(server.port), 'Read', framed(new streams.ReadReq().setOptions(options)))

describe('bytes that are no request', () => {
  it.each([
    ['of no protocol', Buffer.from('\x00\x01garbage')],
    ['like those of HTTP/2', Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), randomBytes(200)])],
    ['like those of HTTP/1', Buffer.from('GET \x00 HTTP/1.1\r\n\r\n')],
    ['of a TLS handshake', Buffer.from([22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3])],
  ])('%s end their connection and nothing else', async (_name, bytes) => {
    const server = await served()
    const socket = connectSocket(server.port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('error', () => undefined).resume()
    socket.end(bytes)
    await closed
    await expectAlive(server)
  })

  it('of HTTP/1 are answered as such', async () => {
    const { port } = await served()
    const answer = await fetch(`http://127.0.0.1:${port}/event_store.client.streams.Streams/Read`, { method: 'POST' })
    expect(answer.status).toBe(404)
    for (const target of ['//', '*', 'http://[', '/%', '/\\'])
      expect(await statusOfHttp1(port, target), target).toMatch(/^HTTP\/1\.1 [45]\d\d /)
  })

  it('that are only the beginning of HTTP/2 are waited for, idly', async () => {
    const server = await served()
    const socket = connectSocket(server.port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    await new Promise((resolve) => socket.write('PRI * HT', resolve))
    // A server that looked at them again and again would never come to anything else.
    for (let n = 0; n < 3; n++) await expectAlive(server)
    const answered = new Promise((resolve) => socket.once('data', resolve))
    socket.write(Buffer.concat([Buffer.from('TP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]))
    await answered
  })

  it('do not keep a server with TLS from stopping', async () => {
    const { port, stop } = await serve({ tls: makeCertificate() })
    const silent = connectSocket(port, '127.0.0.1')
    const halfway = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
    onTestFinished(() => [silent, halfway].forEach((socket) => void socket.destroy()))
    silent.on('error', () => undefined)
    halfway.on('error', () => undefined)
    await new Promise((resolve) => halfway.once('secureConnect', resolve))
    await stop()
  })
})

describe('messages that are none', () => {
  it.each(['Read', 'Append', 'BatchAppend', 'Delete', 'Tombstone'])(
    'of %s are an error of their call',
    async (method) => {
      const server = await served()
      const session = connectRaw(server.port)
      const bad: readonly [string, Buffer][] = [
        ['no message at all', Buffer.alloc(0)],
        ['an empty one', framed(Buffer.alloc(0))],
        ['one that ends early', framed(readStreamOptions('here')).subarray(0, -3)],
        ['a prefix that ends early', Buffer.from([0, 0])],
        ['lengths behind the end', framed(Buffer.from('0ac5ad8cdad155da01a0a3157c2e70f8cbf46cc3', 'hex'))],
        ['lengths behind the end, deeper', framed(Buffer.from('1a90d59c9f79eb085bc5f59b9e843481bf8fb24024fd', 'hex'))],
        ['one that says it is 4 GiB', Buffer.from([0, 255, 255, 255, 255, 1])],
        ['a compressed one', Buffer.from([1, 0, 0, 0, 1, 0])],
      ]
      for (const [name, bytes] of bad) {
        const { code, messages } = await callRaw(session, method, bytes)
        // A BatchAppend without a batch is a good one.
        const fine = method === 'BatchAppend' && name === 'no message at all'
        expect([2, 3, 8, 12].includes(code ?? -1), `${name}: ${code}`).toBe(!fine)
        expect(messages, name).toEqual([])
      }
      await expectAlive(server)
    },
  )
})

describe('compressed messages', () => {
  const packed = (bytes: Uint8Array) => Buffer.concat([Buffer.from([1]), framed(gzipSync(bytes)).subarray(1)])
  const request = new streams.ReadReq().setOptions(readStreamOptions('here')).serializeBinary()

  it.each([
    ['by gzip are read', packed(request), 'gzip', { code: 0, messages: Array(3).fill(expect.anything()) }],
    ['by something else are refused', packed(request), 'snappy', { code: 12, messages: [] }],
    ['by what is not said are refused', packed(request), 'identity', { code: 12, messages: [] }],
    [
      'by nothing, though they say so, are refused',
      Buffer.concat([Buffer.from([1]), framed(request).subarray(1)]),
      'gzip',
      { code: 3 },
    ],
    ['out of far too much are refused', packed(Buffer.alloc(64 * 1024 * 1024)), 'gzip', { code: 8, messages: [] }],
  ])('%s', async (_name, bytes, encoding, expected) => {
    const server = await served()
    const answer = await callRaw(connectRaw(server.port), 'Read', bytes, { 'grpc-encoding': encoding })
    expect(answer).toMatchObject(expected)
    await expectAlive(server)
  })
})

describe('calls of what is not there', () => {
  it.each([
    ['an unknown service', '/some.Service/Method'],
    ['an unknown method', '/event_store.client.streams.Streams/Rename'],
    ['a service that is not supported', '/event_store.client.projections.Projections/Create'],
    ['no method', '/'],
  ])('%s are unimplemented', async (_name, path) => {
    const { port } = await served()
    expect(await callRaw(connectRaw(port), path, framed(Buffer.alloc(0)))).toMatchObject({ code: 12 })
  })
})

describe('a reading of what there is not', () => {
  const cases: readonly [string, (options: streams.ReadReq.Options) => unknown, Partial<RawAnswer>][] = [
    ['without a count', (options) => options.clearCount(), { code: 3 }],
    ['without a filter option', (options) => options.clearNoFilter(), { code: 3 }],
    ['without a form of ids', (options) => options.clearUuidOption(), { code: 3 }],
    ['of no stream', (options) => options.clearStream(), { code: 3 }],
    ['of a stream without a name', (options) => options.getStream()?.setStreamIdentifier(identifier('')), { code: 2 }],
    ['of no events', (options) => options.setCount('0'), { code: 2 }],
    ['from a negative revision', (options) => options.getStream()?.setRevision('18446744073709551614'), { code: 2 }],
    ['in no direction', (options) => options.setReadDirection(7 as 0), { code: 3 }],
  ]
  it.each(cases)('%s', async (_name, change, expected) => {
    const server = await served()
    const options = readStreamOptions('here')
    change(options)
    expect(await read(server, options)).toMatchObject({ ...expected, messages: [] })
    await expectAlive(server)
  })

  it('from beyond the end is empty', async () => {
    const server = await served()
    const options = readStreamOptions('here')
    options.getStream()?.setRevision('1000')
    expect(await read(server, options)).toMatchObject({ code: 0, messages: [] })
    const far = new Options.Position().setCommitPosition('999999999999').setPreparePosition('999999999999')
    const all = readAllOptions().setAll(new Options.AllOptions().setPosition(far))
    expect(await read(server, all)).toMatchObject({ code: 0, messages: [] })
  })
})

describe('expressions', () => {
  const readMatching = (server: Served, regex: string) => {
    const expression = new Options.FilterOptions.Expression().setRegex(regex)
    const filter = new Options.FilterOptions().setStreamIdentifier(expression).setCount(EMPTY)
    const options = readAllOptions()
    options.clearNoFilter()
    return read(server, options.setFilter(filter))
  }

  it.each(['(a+)+$', '(a|a)*b', '(.*)(.*)(.*)(.*)(.*)x', '(a?){60}a{60}'])('%s does not explode', async (regex) => {
    const server = await served()
    const name = `${'a'.repeat(200)}!`
    await server.client.appendToStream(name, jsonEvent({ type: 'Named', data: {} }))
    expect(await readMatching(server, regex)).toMatchObject({ code: 0 })
  })

  it.each([
    ['that cannot be matched in linear time', '(?=a)b', 3],
    ['that are none', '(', 2],
    ['that are too large', '((((a{100}){100}){100}){100})', 3],
    ['that become too large', '(.?){1000}'.repeat(50), 3],
    ['that are too long', 'a|'.repeat(100_000), 3],
  ])('%s are refused', async (_name, regex, code) => {
    const server = await served()
    expect(await readMatching(server, regex)).toMatchObject({ code, messages: [] })
    await expectAlive(server)
  })
})

describe('a name that is longer than a trailer may be', () => {
  it('does not lose the status that repeats it', async () => {
    const { client } = await serve()
    const name = '漢'.repeat(50_000)
    await client.appendToStream(name, jsonEvent({ type: 'Named', data: {} }))
    const wrong = client.deleteStream(name, { expectedRevision: 5n })
    await expect(wrong).rejects.toMatchObject({ type: 'wrong-expected-version', actualVersion: 0n })
    await client.tombstoneStream(name)
    await expect(collect(client.readStream(name))).rejects.toMatchObject({ type: 'stream-deleted' })
  })
})

describe('an append of what cannot be appended', () => {
  it.each([
    ['with an id that is no UUID', (event: Proposal) => event.setId(new shared.UUID().setString('seven'))],
    ['without an id', (event: Proposal) => event.clearId()],
    [
      'with an id of zeros',
      (event: Proposal) => event.setId(new shared.UUID().setString(`0${randomUUID()}`.replace(/\w/g, '0').slice(1))),
    ],
    ['without a type', (event: Proposal) => event.getMetadataMap().del('type')],
    ['with an empty type', (event: Proposal) => event.getMetadataMap().set('type', '')],
  ])('%s writes nothing', async (_name, change) => {
    const server = await served()
    const event = proposal()
    change(event)
    const answer = await append(server, [event])
    expect(answer).toMatchObject({ code: expect.toBeOneOf([2, 3]), messages: [] })
    await expectAlive(server)
  })

  it('that never ends does not fill the memory', async () => {
    const server = await served()
    const stream = beginCall(connectRaw(server.port), 'Append')
    const answer = answerOf(stream)
    stream.write(framed(appendOptions('here')))
    // Metadata does not count as data of the append, so only this bound holds it.
    const large = framed(proposed(proposal().setCustomMetadata(Buffer.alloc(8_000_000))))
    let sent = 0
    while (!stream.closed && sent < 50) {
      sent += 1
      await new Promise((resolve) => stream.write(large, resolve))
    }
    expect(await answer).toMatchObject({ code: 8 })
    expect(sent).toBeLessThan(20)
    await expectAlive(server)
  })
})

function append({ port }: Served, events: readonly Proposal[]): Promise<RawAnswer> {
  const messages = [appendOptions('here'), ...events.map(proposed)].map(framed)
  return callRaw(connectRaw(port), 'Append', Buffer.concat(messages))
}

/** The status line of an answer to a request by hand. */
function statusOfHttp1(port: number, target: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectSocket(port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.once('data', (data) => resolve(data.toString()))
    socket.once('close', () => resolve('closed'))
    socket.write(`GET ${target} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n`)
  })
}
