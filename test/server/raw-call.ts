// gRPC calls made by hand over HTTP/2: what no client would send.
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from 'node:http2'
import { onTestFinished } from 'vitest'

const STREAMS = '/event_store.client.streams.Streams'

/** How a call ended. */
export interface RawAnswer {
  /** gRPC's status; undefined where the stream was reset without one. */
  readonly code: number | undefined
  readonly details: string
  readonly trailers: IncomingHttpHeaders
  readonly messages: readonly Buffer[]
}

/** A connection for one test. */
export function connectRaw(port: number): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`)
  session.on('error', () => undefined)
  onTestFinished(() => session.destroy())
  return session
}

/** A message with gRPC's prefix. */
export function framed(message: { serializeBinary(): Uint8Array } | Uint8Array): Buffer {
  const bytes = message instanceof Uint8Array ? message : message.serializeBinary()
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([prefix, bytes])
}

/** Begins a call of a method of the Streams service, or of any other path. */
export function beginCall(
  session: ClientHttp2Session,
  method: string,
  headers: IncomingHttpHeaders = {},
): ClientHttp2Stream {
  const path = method.startsWith('/') ? method : `${STREAMS}/${method}`
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  })
  stream.on('error', () => undefined)
  return stream
}

/** Makes a call that sends these bytes and then ends its side. */
export function callRaw(
  session: ClientHttp2Session,
  method: string,
  sent: Uint8Array,
  headers: IncomingHttpHeaders = {},
): Promise<RawAnswer> {
  const stream = beginCall(session, method, headers)
  stream.end(sent)
  return answerOf(stream)
}

/** Waits for the end of a call. */
export function answerOf(stream: ClientHttp2Stream): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let trailers: IncomingHttpHeaders = {}
    const take = (headers: IncomingHttpHeaders) => {
      if (headers['grpc-status'] !== undefined) trailers = headers
    }
    stream.on('response', take)
    stream.on('trailers', take)
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('close', () => {
      const status = trailers['grpc-status']
      const details = decodeURIComponent(String(trailers['grpc-message'] ?? ''))
      const code = status === undefined ? undefined : Number(status)
      resolve({ code, details, trailers, messages: messagesIn(Buffer.concat(chunks)) })
    })
  })
}

function messagesIn(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = []
  for (let at = 0; at + 5 <= bytes.length; ) {
    const end = at + 5 + bytes.readUInt32BE(at + 1)
    messages.push(bytes.subarray(at + 5, end))
    at = end
  }
  return messages
}
