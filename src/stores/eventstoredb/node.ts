// One node of the cluster with all connections to it: those for reading, which are ours, and the client for writing.
import { type Endpoint, formatEndpoint } from './endpoint.js'
import { connectionLost } from './wire/call-error.js'
import { GOSSIP_PATH, gossipRequest, type Member, membersIn } from './wire/gossip.js'
import type { ServerCall } from './wire/server-call.js'
import { type CallOptions, Session, type SessionOptions } from './wire/session.js'
import type { WriteClient } from './write-client.js'

export interface NodeOptions extends SessionOptions {
  /** Sent with every call: who we are, and to whom it says so. */
  readonly headers: Readonly<Record<string, string>>
  readonly gossipTimeoutMs: number
  readonly makeWriter: (endpoint: Endpoint) => WriteClient
}

/** How a call is begun. */
export interface BeginOptions extends Omit<CallOptions, 'headers'> {
  readonly requiresLeader: boolean
}

const READ_PATH = '/event_store.client.streams.Streams/Read'

export class Node {
  readonly endpoint: Endpoint
  readonly #options: NodeOptions
  readonly #sessions = new Set<Session>()
  #connecting: Promise<Session> | undefined
  #writer: WriteClient | undefined
  #closed = false

  constructor(endpoint: Endpoint, options: NodeOptions) {
    this.endpoint = endpoint
    this.#options = options
  }

  get writer(): WriteClient {
    this.#writer ??= this.#options.makeWriter(this.endpoint)
    return this.#writer
  }

  /** Begins a Read. Throws CallError where the node cannot be reached. */
  read(request: Uint8Array, options: BeginOptions): Promise<ServerCall> {
    return this.begin(READ_PATH, request, options)
  }

  /** Begins any call. Throws CallError where the node cannot be reached. */
  begin(path: string, request: Uint8Array, { requiresLeader, ...options }: BeginOptions): Promise<ServerCall> {
    const headers = { ...this.#options.headers, ...(requiresLeader && { 'requires-leader': 'true' }) }
    return this.#call(path, request, { headers, ...options })
  }

  /** Whom this node takes for members of its cluster. Throws CallError. */
  async members(): Promise<Member[]> {
    const { headers, gossipTimeoutMs: silenceMs } = this.#options
    const call = await this.#call(GOSSIP_PATH, gossipRequest(), { headers, silenceMs })
    try {
      return await membersIn(call)
    } finally {
      call.cancel()
    }
  }

  /** Sees to a connection. Throws CallError. */
  async reach(): Promise<void> {
    if (!this.#freeSession()) await this.#connect()
  }

  close(): void {
    this.#closed = true
    for (const session of this.#sessions) session.close()
    this.#sessions.clear()
    this.#writer?.close()
  }

  /** Begins a call in the same turn in which a connection was found to have room: another one could take the place meanwhile. */
  async #call(path: string, message: Uint8Array, options: CallOptions): Promise<ServerCall> {
    for (;;) {
      const session = this.#freeSession()
      if (session) return session.call(path, message, options)
      const made = await this.#connect()
      options.signal?.throwIfAborted()
      if (made.isUseless) throw connectionLost(`It takes connections and no calls (${formatEndpoint(this.endpoint)})`)
    }
  }

  /** A connection that can take one call more: servers limit how many one may have. */
  #freeSession(): Session | undefined {
    for (const session of this.#sessions) {
      if (!session.isUseless) continue
      session.close()
      this.#sessions.delete(session)
    }
    return [...this.#sessions].find((session) => session.hasRoom)
  }

  /** Who needs a connection at the same time waits for the same one. */
  #connect(): Promise<Session> {
    this.#connecting ??= Session.connect(this.endpoint, this.#options)
      .then((session) => {
        if (this.#closed) session.close()
        this.#sessions.add(session)
        return session
      })
      .finally(() => {
        this.#connecting = undefined
      })
    return this.#connecting
  }
}
