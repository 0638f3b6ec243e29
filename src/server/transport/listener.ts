// One port for everything: the first bytes of a connection tell HTTP/2, which gRPC needs, from HTTP/1, which scripts and
// containers speak. With TLS it is the same after the handshake.
import { once } from 'node:events'
import http, { type RequestListener } from 'node:http'
import http2, { type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import net, { type AddressInfo, type Server, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import tls from 'node:tls'
import type { ServerCredentials } from './certificates.js'
import { holderOfPort } from './port-holder.js'

/** With these bytes, and a few more, every HTTP/2 connection begins; no HTTP/1 request does. */
const HTTP2_START = Buffer.from('PRI * HTTP/2.0')

/** A connection that says nothing for so long, before it has said what it speaks or amid a request of HTTP/1, is dropped. */
const SILENCE_MS = 30_000

/** After so much silence the system asks whether the other side is still there. */
const KEEP_ALIVE_MS = 30_000

/** How long a connection without calls may take to end when the server stops. */
const FAREWELL_MS = 500

/** How much one stream may send before it was read. */
const STREAM_WINDOW_BYTES = 1024 * 1024

/** Node's limit on what all streams of a connection hold; the default of 10 MB refuses streams under many concurrent appends. */
const SESSION_MEMORY_MB = 1_024

export interface ListenerOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  /** Undefined: without TLS. */
  readonly credentials: ServerCredentials | undefined
  readonly onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void
  readonly onRequest: RequestListener
}

/** The port cannot be listened on. The message is for a person. */
export class PortUnavailableError extends Error {
  override readonly name = 'PortUnavailableError'
}

export class Listener {
  readonly #server: Server
  readonly #sessions = new Set<ServerHttp2Session>()
  readonly #sockets = new Set<Socket>()
  readonly #http1: http.Server
  readonly #http2: http2.Http2Server

  private constructor({ credentials, onStream, onRequest }: ListenerOptions) {
    this.#http1 = http.createServer(onRequest)
    this.#http1.timeout = SILENCE_MS
    this.#http2 = http2.createServer({
      maxSessionMemory: SESSION_MEMORY_MB,
      settings: { initialWindowSize: STREAM_WINDOW_BYTES },
    })
    this.#http2.on('session', (session) => this.#keep(session))
    this.#http2.on('stream', onStream)
    this.#http2.on('sessionError', () => undefined)
    const accept = (socket: Socket) => this.#accept(socket)
    this.#server = credentials
      ? tls.createServer({ ...credentials, ALPNProtocols: ['h2', 'http/1.1'], handshakeTimeout: SILENCE_MS }, accept)
      : net.createServer(accept)
    // Before the handshake too: a connection that never ends it must not keep a server from stopping.
    this.#server.on('connection', (socket: Socket) => this.#hold(socket))
  }

  /** Throws PortUnavailableError. */
  static async open(options: ListenerOptions): Promise<Listener> {
    const listener = new Listener(options)
    await new Promise<void>((resolve, reject) => {
      // For good: later errors are of single connections that could not be taken, and must not end the process.
      listener.#server.on('error', (cause) => reject(portUnavailable(options, cause)))
      listener.#server.listen(options.port, options.host, resolve)
    })
    return listener
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Takes no connections and no streams any more; those that are open may end. */
  refuseNew(): void {
    this.#server.close()
    for (const session of this.#sessions) session.close()
    this.#http1.closeIdleConnections()
  }

  /** Lets connections say what they have still to say, and drops those that do not end by themselves. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    await Promise.race([Promise.all([...this.#sessions].map((session) => once(session, 'close'))), pause(FAREWELL_MS)])
    for (const session of this.#sessions) session.destroy()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #keep(session: ServerHttp2Session): void {
    this.#sessions.add(session)
    session.once('close', () => this.#sessions.delete(session))
  }

  #hold(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.setNoDelay(true)
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
  }

  #accept(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    socket.setTimeout(SILENCE_MS, () => socket.destroy())
    const chunks: Buffer[] = []
    const look = () => {
      for (let chunk: Buffer | null = socket.read(); chunk; chunk = socket.read()) chunks.push(chunk)
      const start = Buffer.concat(chunks)
      if (start.length === 0) return
      const known = Math.min(start.length, HTTP2_START.length)
      const likeHttp2 = start.subarray(0, known).equals(HTTP2_START.subarray(0, known))
      if (likeHttp2 && known < HTTP2_START.length) return
      socket.removeListener('readable', look)
      socket.removeAllListeners('timeout')
      socket.setTimeout(0)
      // Only now: bytes that were put back would be readable again at once, and for ever.
      socket.unshift(start)
      const server = likeHttp2 ? this.#http2 : this.#http1
      server.emit('connection', socket)
    }
    socket.on('readable', look)
  }
}

function portUnavailable({ host, port }: ListenerOptions, cause: NodeJS.ErrnoException): PortUnavailableError {
  return new PortUnavailableError(`Cannot listen on port ${port} of ${host}: ${reasonOf(cause, port)}`, { cause })
}

function reasonOf({ code, message }: NodeJS.ErrnoException, port: number): string {
  switch (code) {
    case 'EADDRINUSE':
      return `${holderOfPort(port) ?? 'another process'} listens on it; stop it or choose another port, 0 for any free one`
    case 'EACCES':
      return 'this user may not use it; choose one above 1023'
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address'
    case 'ENOTFOUND':
      return 'there is no machine of that name'
    default:
      return message
  }
}
