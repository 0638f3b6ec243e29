// One gRPC call whose answer is a stream of bytes: pulled by its reader, so that a slow reader slows the server down; ended by a status, a
// cut, silence, or whoever asked.
import { setMaxListeners } from 'node:events'
import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2'
import { CallError, CODE, connectionLost } from './call-error.js'
import { frame } from './frame.js'

const OK = 0
const FINISH_MS_MAX = 1_000
const LEAVE_MS_MAX = 100
const LEAVE_BYTES_MAX = 64 * 1024

/** gRPC's code for an HTTP status with which no server of gRPC answers (gRPC over HTTP/2, "HTTP to gRPC status code mapping"). */
const CODE_OF_HTTP_STATUS: Readonly<Record<number, number>> = {
  400: CODE.internal,
  401: CODE.unauthenticated,
  403: CODE.permissionDenied,
  404: CODE.unimplemented,
  429: CODE.unavailable,
  502: CODE.unavailable,
  503: CODE.unavailable,
  504: CODE.unavailable,
}

export class ServerCall {
  readonly #stream: ClientHttp2Stream
  readonly #signal: AbortSignal | undefined
  readonly #timer: NodeJS.Timeout
  /** How the call ended, once that is known: the status, or why there is none. */
  #end: CallError | 'ok' | undefined
  #closed = false
  #wake: (() => void) | undefined

  /** `silenceMs`: how long the server may say nothing, and also how long the reader may stay away, before the call is let go. */
  constructor(stream: ClientHttp2Stream, options: { silenceMs: number; signal?: AbortSignal | undefined }) {
    this.#stream = stream
    this.#signal = options.signal
    this.#timer = setTimeout(() => this.#tooLong(options.silenceMs), options.silenceMs)
    this.#timer.unref()
    const wake = () => this.#wake?.()
    stream.on('readable', wake)
    stream.on('response', (headers) => this.#onResponse(headers))
    stream.on('trailers', (trailers) => this.#onTrailers(trailers))
    stream.on('error', (error) => this.#endWith(() => connectionLost(`The call broke off: ${error.message}`, error)))
    stream.on('close', () => this.#onClose())
    // Any number of calls may hang on one signal; Node would warn of a leak from eleven on.
    if (this.#signal) setMaxListeners(0, this.#signal)
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (this.#signal?.aborted) this.#onAbort()
  }

  /**
   * The next bytes, undefined where the server ended the call well. Throws CallError, and the signal's reason once that is aborted. Only one
   * reader at a time.
   */
  async read(): Promise<Buffer | undefined> {
    for (;;) {
      this.#signal?.throwIfAborted()
      this.#timer.refresh()
      const chunk: Buffer | null = this.#stream.read()
      if (chunk) return chunk
      if (this.#closed) return this.#result()
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
  }

  /** Sends one more message of a call that was left open. To a call that is over it does nothing. */
  write(message: Uint8Array): void {
    if (!this.#stream.destroyed && !this.#stream.writableEnded) this.#stream.write(frame(message))
  }

  /** Lets the call go once everything that was written is on its way, or after a second. */
  async finish(): Promise<void> {
    if (!this.#stream.destroyed && !this.#stream.writableEnded) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, FINISH_MS_MAX)
        for (const event of ['finish', 'close']) this.#stream.once(event, resolve)
        this.#stream.once('close', () => clearTimeout(timer))
        this.#stream.end()
      })
    }
    this.cancel()
  }

  /** From now on silence is no failure, as on a subscription that stands. */
  allowSilence(): void {
    clearTimeout(this.#timer)
  }

  /**
   * Lets a call go whose answer may be at its end: the server is given a moment to say so itself. Servers close connections on which calls are
   * reset one after the other (as of 2023 that is an attack), and whoever reads many small streams would do just that.
   */
  leave(): void {
    this.#endWith(() => new CallError(CODE.cancelled, 'The call was let go'))
    this.#release()
    const stream = this.#stream
    if (stream.destroyed) return
    let bytes = 0
    const timer = setTimeout(() => this.cancel(), LEAVE_MS_MAX)
    stream.once('close', () => clearTimeout(timer))
    stream.removeAllListeners('readable')
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > LEAVE_BYTES_MAX) this.cancel()
    })
  }

  /** Lets the call go at once. A call that has ended is not touched. */
  cancel(): void {
    this.#endWith(() => new CallError(CODE.cancelled, 'The call was let go'))
    if (!this.#stream.destroyed) this.#stream.close(constants.NGHTTP2_CANCEL)
    this.#release()
  }

  #result(): undefined {
    if (this.#end !== 'ok') throw this.#end ?? connectionLost('The call ended without a status')
    return undefined
  }

  #onResponse(headers: IncomingHttpHeaders & { ':status'?: number | undefined }): void {
    const status = headers[':status'] ?? 0
    if (headers['grpc-status'] !== undefined) this.#onTrailers(headers)
    else if (status !== 200) {
      this.#endWith(
        () => new CallError(CODE_OF_HTTP_STATUS[status] ?? CODE.unknown, `The server answered HTTP ${status}`),
      )
      this.cancel()
    }
  }

  #onTrailers(headers: IncomingHttpHeaders): void {
    if (headers['grpc-status'] === undefined) return
    const code = Number(headers['grpc-status'])
    this.#endWith(() => (code === OK ? 'ok' : new CallError(code, messageIn(headers), textsOf(headers))))
  }

  #onClose(): void {
    this.#endWith(() =>
      connectionLost(`The server ended the call without a status (RST_STREAM ${this.#stream.rstCode})`),
    )
    this.#closed = true
    this.#release()
    this.#wake?.()
  }

  readonly #onAbort = (): void => {
    this.cancel()
    this.#wake?.()
  }

  #tooLong(ms: number): void {
    const who = this.#wake ? 'The server said nothing' : 'Nobody read the answer'
    const code = this.#wake ? CODE.deadlineExceeded : CODE.unavailable
    this.#endWith(() => new CallError(code, `${who} for ${ms} ms`))
    this.cancel()
  }

  /** The first end counts. Every call is closed and let go in the end: an error that nobody will see is not made. */
  #endWith(end: () => CallError | 'ok'): void {
    this.#end ??= end()
  }

  #release(): void {
    clearTimeout(this.#timer)
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }
}

function messageIn(headers: IncomingHttpHeaders): string {
  const text = String(headers['grpc-message'] ?? '')
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function textsOf(headers: IncomingHttpHeaders): Record<string, string> {
  const texts = Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return Object.fromEntries(texts.filter(([name]) => !name.startsWith(':')))
}
