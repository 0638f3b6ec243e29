// One HTTP/2 connection to a node: made, watched by pings, and used for gRPC calls.
import http2, { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2'
import { type Endpoint, formatEndpoint } from '../endpoint.js'
import { connectionLost } from './call-error.js'
import { frame } from './frame.js'
import { ServerCall } from './server-call.js'

/** How much of one call may be on its way before it was read: reading ahead is bounded by this. */
const CALL_WINDOW_BYTES = 1024 * 1024
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024
/** Node's limit on what all calls of a connection hold together; the default is less than the windows. */
const SESSION_MEMORY_MB = 64

/** As long as a timer can wait: for "no limit". */
const KEEP_ALIVE_MS_MAX = 2 ** 31 - 1

/** TLS: PEM texts. Without `ca` the authorities that Node.js knows. */
export interface TlsFiles {
  readonly ca?: Buffer
  readonly cert?: Buffer
  readonly key?: Buffer
}

export interface SessionOptions {
  /** Undefined: no TLS. */
  readonly tls: TlsFiles | undefined
  readonly connectTimeoutMs: number
  /** A connection with calls is pinged so often; -1 never. */
  readonly keepAliveIntervalMs: number
  /** A ping not answered in this time ends the connection. */
  readonly keepAliveTimeoutMs: number
}

export interface CallOptions {
  /** Beside those that every call has. */
  readonly headers: Readonly<Record<string, string>>
  readonly silenceMs: number
  readonly signal?: AbortSignal | undefined
  /** More messages are to follow the first: see ServerCall.write. */
  readonly open?: boolean
}

export class Session {
  readonly #session: ClientHttp2Session
  #calls = 0
  #usable = true

  private constructor(session: ClientHttp2Session) {
    this.#session = session
    const end = () => {
      this.#usable = false
    }
    session.on('goaway', end)
    session.on('close', end)
    session.on('error', end)
    session.unref()
  }

  /** Throws CallError where the node is not there, does not speak HTTP/2, or shows another certificate than the one wanted. */
  static connect(endpoint: Endpoint, options: SessionOptions): Promise<Session> {
    const { tls, connectTimeoutMs } = options
    const session = http2.connect(`${tls ? 'https' : 'http'}://${formatEndpoint(endpoint)}`, {
      ...tls,
      maxSessionMemory: SESSION_MEMORY_MB,
      settings: { enablePush: false, initialWindowSize: CALL_WINDOW_BYTES },
    })
    return new Promise((resolve, reject) => {
      const fail = (details: string, cause?: unknown) => {
        clearTimeout(timer)
        session.destroy()
        reject(connectionLost(`${details} (${formatEndpoint(endpoint)})`, cause))
      }
      const timer = setTimeout(() => fail(`no answer in ${connectTimeoutMs} ms`), connectTimeoutMs)
      session.on('error', (error) => fail(reasonOf(error), error))
      const failClosed = () => fail(CLOSED)
      session.once('close', failClosed)
      // Not `connect`: only a server that has sent its settings speaks HTTP/2.
      session.once('remoteSettings', () => {
        clearTimeout(timer)
        session.off('close', failClosed)
        session.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
        const made = new Session(session)
        made.#keepAlive(options)
        resolve(made)
      })
    })
  }

  /** Whether it can take one call more. */
  get hasRoom(): boolean {
    const limit = this.#session.remoteSettings.maxConcurrentStreams ?? Number.POSITIVE_INFINITY
    return this.#usable && !this.#session.closed && !this.#session.destroyed && this.#calls < limit
  }

  /** Whether it has no calls and takes none. */
  get isUseless(): boolean {
    return this.#calls === 0 && !this.hasRoom
  }

  /** Begins a call with one message. Throws CallError where the connection has just gone. */
  call(path: string, message: Uint8Array, { headers, silenceMs, signal, open }: CallOptions): ServerCall {
    const stream = this.#begin(path, headers)
    this.#count(1)
    stream.once('close', () => this.#count(-1))
    const call = new ServerCall(stream, { silenceMs, signal })
    if (open) call.write(message)
    else stream.end(frame(message))
    return call
  }

  close(): void {
    this.#usable = false
    this.#session.destroy()
  }

  #begin(path: string, headers: Readonly<Record<string, string>>): ClientHttp2Stream {
    try {
      return this.#session.request({
        ...headers,
        [constants.HTTP2_HEADER_METHOD]: 'POST',
        [constants.HTTP2_HEADER_PATH]: path,
        'content-type': 'application/grpc',
        'grpc-accept-encoding': 'identity',
        te: 'trailers',
      })
    } catch (cause) {
      this.#usable = false
      throw connectionLost('The connection has gone', cause)
    }
  }

  /** Only a connection with calls keeps the process alive. */
  #count(change: 1 | -1): void {
    this.#calls += change
    if (this.#session.destroyed) return
    if (this.#calls > 0) this.#session.ref()
    else this.#session.unref()
  }

  #keepAlive({ keepAliveIntervalMs, keepAliveTimeoutMs }: SessionOptions): void {
    if (keepAliveIntervalMs < 0) return
    const session = this.#session
    let late: NodeJS.Timeout | undefined
    const timer = setInterval(() => {
      // One at a time: Node.js forgets pings beyond a few that are not answered.
      if (this.#calls === 0 || late || session.destroyed) return
      const end = () => session.destroy(new Error(`a ping was not answered in ${keepAliveTimeoutMs} ms`))
      late = setTimeout(end, keepAliveTimeoutMs < 0 ? KEEP_ALIVE_MS_MAX : keepAliveTimeoutMs).unref()
      session.ping(() => {
        clearTimeout(late)
        late = undefined
      })
    }, keepAliveIntervalMs).unref()
    session.once('close', () => {
      clearInterval(timer)
      clearTimeout(late)
    })
  }
}

const CLOSED = 'the connection was closed at once; does one side use TLS and the other not?'

const HINTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'the name is not known',
  ECONNRESET: CLOSED,
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not use TLS: say tls=false, or start it with a certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of an unknown authority: name that with tlsCAFile',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed: name it with tlsCAFile',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is of an unknown authority: name that with tlsCAFile',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is of an unknown authority: name that with tlsCAFile',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for other names',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_HTTP2_ERROR: 'it does not speak HTTP/2; is it a server of another kind?',
}

function reasonOf(error: Error): string {
  const code = 'code' in error ? String(error.code) : ''
  return HINTS[code] ?? (error.message || code)
}
