// A scripted server of gRPC over bare HTTP/2: it answers as a test tells it to, also as no server should.
import http2, { type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import gossip from '@eventstore/db-client/generated/gossip_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import { onTestFinished } from 'vitest'
import type { RecordedEvent } from '../../../src/log/event.js'
import { EventEncoder } from '../../../src/server/streams/event-encoder.js'

export const READ = '/event_store.client.streams.Streams/Read'
export const APPEND = '/event_store.client.streams.Streams/Append'
export const BATCH_APPEND = '/event_store.client.streams.Streams/BatchAppend'
export const DELETE = '/event_store.client.streams.Streams/Delete'
export const GOSSIP = '/event_store.client.gossip.Gossip/Read'
export const FEATURES = '/event_store.client.server_features.ServerFeatures/GetSupportedMethods'

/** How a call ends. */
export interface Status {
  readonly code: number
  readonly message?: string
  readonly trailers?: Readonly<Record<string, string>>
}

/** One call as the script sees it. */
export class StubCall {
  readonly #pending: Buffer[] = []
  #isOver = false

  constructor(
    readonly path: string,
    readonly headers: IncomingHttpHeaders,
    readonly stream: ServerHttp2Stream,
  ) {
    stream.on('data', (chunk: Buffer) => this.#pending.push(chunk))
    stream.on('error', () => undefined)
    stream.on('close', () => {
      this.#isOver = true
    })
  }

  /** Whether the client has let it go, or it has ended. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** The messages that the client has sent, once it has sent its last. */
  async request(): Promise<Buffer[]> {
    if (!this.stream.readableEnded) await new Promise((resolve) => this.stream.once('end', resolve))
    const bytes = Buffer.concat(this.#pending)
    const messages: Buffer[] = []
    for (let at = 0; at < bytes.length; ) {
      const end = at + 5 + bytes.readUInt32BE(at + 1)
      messages.push(bytes.subarray(at + 5, end))
      at = end
    }
    return messages
  }

  async readOptions(): Promise<streams.ReadReq.Options> {
    const [message] = await this.request()
    const options = streams.ReadReq.deserializeBinary(message ?? Buffer.alloc(0)).getOptions()
    if (!options) throw new Error('The request has no options')
    return options
  }

  send(...messages: readonly Uint8Array[]): boolean {
    return this.sendBytes(Buffer.concat(messages.map(framed)))
  }

  sendEvents(events: readonly RecordedEvent[]): boolean {
    return this.sendBytes(new EventEncoder('string').encode(events.map((event) => ({ event }))))
  }

  sendBytes(bytes: Uint8Array): boolean {
    this.#respond()
    return this.stream.write(bytes)
  }

  end({ code, message, trailers = {} }: Status = { code: 0 }): void {
    if (this.stream.closed) return
    this.#respond()
    this.stream.once('wantTrailers', () =>
      this.stream.sendTrailers({
        'grpc-status': String(code),
        ...(message !== undefined && { 'grpc-message': encodeURIComponent(message) }),
        ...trailers,
      }),
    )
    this.stream.end()
  }

  /** Ends the stream without any status. */
  reset(code = http2.constants.NGHTTP2_NO_ERROR): void {
    this.stream.close(code)
  }

  #respond(): void {
    if (!this.stream.headersSent) {
      this.stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    }
  }
}

export type Handler = (call: StubCall) => void | Promise<void>

export interface Stub {
  readonly port: number
  readonly url: string
  /** All calls so far, in order. */
  readonly calls: readonly StubCall[]
  callsOf(path: string): StubCall[]
  /** Answers a path from now on. */
  on(path: string, handler: Handler): void
  /** Ends all connections at once; new ones are taken. */
  cut(): void
  stop(): Promise<void>
}

/**
 * Starts a server, which is gone when the test has finished. What has no handler is answered UNIMPLEMENTED. `callsMax`: how many one
 * connection may have at a time.
 */
export async function startStub(
  script: Readonly<Record<string, Handler>> = {},
  { port = 0, callsMax = 100, tls }: { port?: number; callsMax?: number; tls?: { cert: string; key: string } } = {},
): Promise<Stub> {
  const handlers = new Map(Object.entries(script))
  const sessions = new Set<ServerHttp2Session>()
  const calls: StubCall[] = []
  const server = tls
    ? // Asks for the client's certificate and takes any, so that a test can look at it.
      http2.createSecureServer({ ...tls, requestCert: true, rejectUnauthorized: false })
    : http2.createServer({ settings: { maxConcurrentStreams: callsMax } })
  server.on('session', (session) => {
    sessions.add(session)
    session.on('error', () => undefined)
    session.on('close', () => sessions.delete(session))
  })
  server.on('stream', (stream, headers) => {
    const call = new StubCall(headers[':path'] ?? '', headers, stream)
    calls.push(call)
    const handler = handlers.get(call.path)
    if (handler) void handler(call)
    else call.end({ code: 12, message: 'Method is unimplemented.' })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const taken = (server.address() as AddressInfo).port
  const cut = () => {
    for (const session of sessions) session.destroy()
  }
  const stop = async () => {
    cut()
    await new Promise((resolve) => server.close(resolve))
  }
  onTestFinished(stop)
  return {
    port: taken,
    url: `esdb://127.0.0.1:${taken}?tls=${tls !== undefined}`,
    calls,
    callsOf: (path) => calls.filter((call) => call.path === path),
    on: (path, handler) => void handlers.set(path, handler),
    cut,
    stop,
  }
}

/** A gossip answer: each member by its port and state. */
export function gossipOf(
  members: readonly {
    readonly port: number
    readonly state: keyof typeof gossip.MemberInfo.VNodeState
    alive?: boolean
  }[],
): Uint8Array {
  const infos = members.map(({ port, state, alive = true }) =>
    new gossip.MemberInfo()
      .setState(gossip.MemberInfo.VNodeState[state])
      .setIsAlive(alive)
      .setHttpEndPoint(new gossip.EndPoint().setAddress('127.0.0.1').setPort(port)),
  )
  return new gossip.ClusterInfo().setMembersList(infos).serializeBinary()
}

/** An event as a script gives it: the revision is its place in `s-1`, the position ten times that. */
export function scriptedEvent(revision: number, fields: Partial<RecordedEvent> = {}): RecordedEvent {
  const place = BigInt(revision + 1) * 10n
  return {
    stream: 's-1',
    revision,
    id: `00000000-0000-4000-8000-${revision.toString(16).padStart(12, '0')}`,
    type: 'Happened',
    contentType: 'application/json',
    data: Buffer.from(`{"n":${revision}}`),
    metadata: new Uint8Array(0),
    created: 17_000_000_000_000_000n + BigInt(revision),
    position: { commit: place, prepare: place },
    ...fields,
  }
}

function framed(message: Uint8Array): Buffer {
  const bytes = Buffer.alloc(5 + message.length)
  bytes.writeUInt32BE(message.length, 1)
  bytes.set(message, 5)
  return bytes
}
