// One gRPC call over one HTTP/2 stream: its messages in and out, how it ends (status in trailers), its deadline, and that who
// reads slowly slows down who writes.
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { CODE, deadlineExceeded, StatusError, statusOf } from '../status.js'
import { FrameReader } from './framing.js'

/** The reason for which a call's signal is aborted when its client has left: nobody waits for an answer. */
export class ClientLeftError extends Error {
  override readonly name = 'ClientLeftError'
}

/** The reason when the server stops. As on a real server the stream is reset: an end without an error would look like the end of what was read. */
export class ServerStoppingError extends Error {
  override readonly name = 'ServerStoppingError'
}

const TRAILER_CHARACTERS_MAX = 1_000

const OK = new StatusError(CODE.ok, '')
const DEADLINE = /^(\d{1,8})([HMSmun])$/
const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 }
/** What a timer can wait at most; a later deadline never comes. */
const MAX_TIMER_MS = 2 ** 31 - 1

export class GrpcCall {
  /** `/service/method`. */
  readonly path: string
  /** The `authorization` header as sent. */
  readonly authorization: string | undefined
  /** What the client calls this server: `host:port`. */
  readonly authority: string
  /** What the client calls its connection; empty where it does not say. */
  readonly connectionName: string
  /** Set by calls that end only when one side leaves: a server that stops does not wait for them. */
  endless = false
  /** Resolves when the client has been sent everything, or has gone. */
  readonly closed: Promise<void>
  readonly #stream: ServerHttp2Stream
  readonly #leaving = new AbortController()
  readonly #maxMessageBytes: number
  readonly #encoding: string | undefined
  readonly #timer: NodeJS.Timeout | undefined
  #ended = false
  #wake: () => void = () => undefined
  #onDrain: () => void = () => undefined
  /** All who send at once wait for the same moment. */
  #draining: Promise<void> | undefined

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, maxMessageBytes: number) {
    this.#stream = stream
    this.#maxMessageBytes = maxMessageBytes
    this.path = headers[':path'] ?? ''
    this.authorization = headers.authorization
    this.#encoding = headers['grpc-encoding']?.toString()
    this.authority = headers[':authority'] ?? headers.host ?? ''
    this.connectionName = String(headers['connection-name'] ?? '')
    this.#timer = startDeadline(headers['grpc-timeout'], () => this.abort(deadlineExceeded()))
    this.closed = new Promise((resolve) => stream.once('close', resolve))
    stream.on('drain', () => this.#onDrain())
    for (const event of ['readable', 'end']) stream.on(event, () => this.#wake())
    for (const event of ['error', 'aborted', 'close']) stream.on(event, () => this.abort(new ClientLeftError()))
  }

  /** Aborted when the client leaves, the deadline passes or the server stops; the reason says which. */
  get signal(): AbortSignal {
    return this.#leaving.signal
  }

  /** Ends what the call is doing. Does nothing once the signal is aborted. */
  abort(reason: StatusError | ClientLeftError | ServerStoppingError): void {
    clearTimeout(this.#timer)
    this.#leaving.abort(reason)
    this.#wake()
    this.#onDrain()
  }

  /** The messages of the client, until it has sent its last. Throws the signal's reason once that is aborted. */
  async *messages(): AsyncGenerator<Uint8Array, void, undefined> {
    const reader = new FrameReader(this.#maxMessageBytes, this.#encoding)
    for (;;) {
      for (let message = reader.next(); message; message = reader.next()) yield message
      const chunk: Buffer | null = this.#stream.read()
      if (chunk) reader.push(chunk)
      else if (this.#stream.readableEnded || !(await this.#untilReadable())) return reader.mustBeEmpty()
    }
  }

  /** The one message of a client that sends one. */
  async message(): Promise<Uint8Array> {
    for await (const message of this.messages()) return message
    throw new StatusError(CODE.unknown, 'The request holds no message')
  }

  /** Sends framed messages. Resolves when the client can take more. Throws the signal's reason once that is aborted. */
  async send(framed: Uint8Array): Promise<void> {
    this.signal.throwIfAborted()
    this.#respond()
    if (this.#stream.write(framed)) return
    this.#draining ??= this.#untilDrained()
    await this.#draining
    this.signal.throwIfAborted()
  }

  /** Sends the response's headers now, before any message. */
  sendHeaders(): void {
    this.#respond()
  }

  /** Ends the call without an error. */
  succeed(): void {
    this.#end(OK)
  }

  /** Ends the call with the status of what was thrown, or lets it go where nobody waits for one. */
  fail(error: unknown): void {
    if (error instanceof ClientLeftError) this.#stream.close(constants.NGHTTP2_CANCEL)
    else if (error instanceof ServerStoppingError) this.#stream.close(constants.NGHTTP2_NO_ERROR)
    else this.#end(statusOf(error))
    clearTimeout(this.#timer)
  }

  #respond(): void {
    if (this.#stream.destroyed) throw new ClientLeftError()
    if (!this.#stream.headersSent) this.#stream.respond(responseHeaders(), { waitForTrailers: true })
  }

  #end(status: StatusError): void {
    clearTimeout(this.#timer)
    const stream = this.#stream
    if (this.#ended || stream.destroyed || stream.closed) return
    this.#ended = true
    if (!stream.headersSent && status.code !== CODE.ok) {
      stream.respond({ ...responseHeaders(), ...trailersOf(status) }, { endStream: true })
      this.#endRequest()
      return
    }
    this.#respond()
    stream.once('wantTrailers', () => {
      stream.sendTrailers(trailersOf(status))
      this.#endRequest()
    })
    stream.end()
  }

  /** Tells a client that is still sending that nobody listens any more. */
  #endRequest(): void {
    if (this.#stream.readableEnded) return
    // While somebody listens for it nothing is passed over, and a stream with something unread never closes.
    this.#stream.removeAllListeners('readable')
    this.#stream.resume()
    setImmediate(() => this.#stream.close(constants.NGHTTP2_NO_ERROR))
  }

  async #untilDrained(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onDrain = resolve
    })
    this.#draining = undefined
  }

  /** Whether there is more to read; false at the request's end. */
  async #untilReadable(): Promise<boolean> {
    this.signal.throwIfAborted()
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.signal.throwIfAborted()
    return !this.#stream.readableEnded
  }
}

function startDeadline(timeout: string | string[] | undefined, onPassed: () => void): NodeJS.Timeout | undefined {
  const match = typeof timeout === 'string' ? DEADLINE.exec(timeout) : null
  if (!match) return undefined
  const ms = Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0)
  return ms > MAX_TIMER_MS ? undefined : setTimeout(onPassed, ms)
}

function responseHeaders() {
  return { ':status': 200, 'content-type': 'application/grpc', server: 'makegood' }
}

function trailersOf({ code, details, trailers }: StatusError): Record<string, string> {
  const named = Object.entries(trailers).map(([name, value]) => [name, asciiOf(shortened(value))])
  return {
    'grpc-status': String(code),
    ...(details !== '' && { 'grpc-message': percentEncoded(shortened(details)) }),
    ...Object.fromEntries(named),
  }
}

/** Names of streams may be longer than what clients take as trailers: then the status would be lost with them. */
function shortened(text: string): string {
  return text.length <= TRAILER_CHARACTERS_MAX ? text : `${text.slice(0, TRAILER_CHARACTERS_MAX - 1)}…`
}

/** A trailer's value is printable ASCII; what is not is percent-encoded, as in `grpc-message`. */
function asciiOf(value: string): string {
  return /^[\x20-\x7e]*$/.test(value) ? value : percentEncoded(value)
}

function percentEncoded(text: string): string {
  return text.replace(/[^\x20-\x24\x26-\x7e]+/gu, (part) =>
    [...Buffer.from(part)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
}
