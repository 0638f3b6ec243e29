// Starts a server that speaks EventStoreDB's protocol over a store: gRPC and plain HTTP on one port, with TLS and users or without.
import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import { jsonEvent } from '../log/event.js'
import type { EventStore } from '../log/event-store.js'
import { metadataStreamOf } from '../log/stream.js'
import { ADMINS, credentialsIn, OPS, type Principal } from './access/principal.js'
import { ListedAccess, OPEN_ACCESS } from './access/stream-access.js'
import { type NewUser, UserDirectory } from './access/user-directory.js'
import { answerHttp, type HttpAnswer, type HttpRequest } from './features/http-routes.js'
import { Methods } from './methods.js'
import { PersistentSubscriptions } from './persistent/persistent-subscriptions.js'
import type { ServerContext } from './server-context.js'
import { statusOf, unauthenticated } from './status.js'
import { SystemProjections } from './system-projections/system-projections.js'
import { type ServerCredentials, serverCredentials, type TlsOptions } from './transport/certificates.js'
import { ClientLeftError, GrpcCall, ServerStoppingError } from './transport/grpc-call.js'
import { sendHttp1, sendHttp2 } from './transport/http-answers.js'
import { Listener } from './transport/listener.js'

export interface ServerOptions {
  /** Stays open when the server stops: whoever opened it closes it. */
  readonly store: EventStore
  /** Default 0: any free port. */
  readonly port?: number
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default none: then there are no users either, and everybody may do everything. */
  readonly tls?: TlsOptions
  /** Users that are made where they are missing, beside admin and ops (password: changeit). Only with `tls`. */
  readonly users?: readonly NewUser[]
  /** Whether `$ce-…`, `$et-…`, `$bc-…`, `$category-…` and `$streams` are written. Default no. */
  readonly systemProjections?: boolean
  /** The most bytes of data in one append: what the store was opened with. Default 1 MiB. */
  readonly maxAppendBytes?: number
  /** After so long without an answer of the store a write's outcome is told as unknown. Default 2 s. */
  readonly commitTimeoutMs?: number
  /** How long a server that stops waits for calls under way. Default 5 s. */
  readonly drainMs?: number
  /** Is told of errors that are the server's own fault; clients are only told that there was one. */
  readonly onInternalError?: (error: unknown) => void
  /** A client with the right to do so asks the server to stop. Default: it stops. */
  readonly onShutdown?: () => void
}

export interface RunningServer {
  readonly port: number
  /** For clients on this machine; without user and password. */
  readonly connectionString: string
  /** Takes nothing new, lets calls under way end, resets subscriptions and closes the port. A second call waits for the first. */
  stop(): Promise<void>
}

const DEFAULT_HOST = '127.0.0.1'
const DEFAULT_MAX_APPEND_BYTES = 1_048_576
const DEFAULT_COMMIT_TIMEOUT_MS = 2_000
const DEFAULT_DRAIN_MS = 5_000

/** A message that is larger is refused; an append that is too large for the log is still told so in its own words. */
const MIN_MESSAGE_BYTES = 16 * 1024 * 1024
const MESSAGE_OVERHEAD_BYTES = 1024 * 1024

const DEFAULT_USERS: readonly NewUser[] = [
  { login: 'admin', password: 'changeit', fullName: 'Event Store Administrator', groups: [ADMINS] },
  { login: 'ops', password: 'changeit', fullName: 'Event Store Operations', groups: [OPS] },
]

/** What a real server writes first: the streams of its scavenges can be read by operators. */
const SCAVENGES_STREAM = '$scavenges'
const SCAVENGES_METADATA = { $maxAge: 2_592_000, $acl: { $r: OPS, $w: [], $d: [], $mr: [], $mw: [] } }

/**
 * Starts a server. Throws PortUnavailableError, CertificateError, and what the store throws where it cannot be written.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const credentials = options.tls && serverCredentials(options.tls)
  let stopped: Promise<void> | undefined
  const stop = () => {
    stopped ??= server.drain(listener)
    return stopped
  }
  const context = await makeContext(options, options.onShutdown ?? (() => void stop()))
  const server = new Server(context, options)
  const { host = DEFAULT_HOST } = options
  const listener = await listen(server, options, credentials).catch(async (error: unknown) => {
    await stopWork(context)
    throw error
  })
  const connectionString = connectionStringOf({ host, port: listener.port, secure: credentials !== undefined })
  return { port: listener.port, connectionString, stop }
}

/** What goes on without a call. */
async function stopWork({ groups, projections }: ServerContext): Promise<void> {
  await Promise.all([groups.stop(), projections?.stop()])
}

function listen(
  server: Server,
  { host = DEFAULT_HOST, port = 0 }: ServerOptions,
  credentials: ServerCredentials | undefined,
): Promise<Listener> {
  return Listener.open({
    host,
    port,
    credentials,
    onStream: (stream, headers) => server.take(stream, headers),
    onRequest: (request, response) => sendHttp1(request, response, (asked) => server.answerHttp(asked)),
  })
}

async function makeContext(options: ServerOptions, shutDown: () => void): Promise<ServerContext> {
  const { store, maxAppendBytes = DEFAULT_MAX_APPEND_BYTES, commitTimeoutMs = DEFAULT_COMMIT_TIMEOUT_MS } = options
  const metadata = jsonEvent({ id: randomUUID(), type: '$metadata', data: SCAVENGES_METADATA })
  await store.append(metadataStreamOf(SCAVENGES_STREAM), [metadata], 'noStream')
  const users = options.tls ? new UserDirectory(store) : undefined
  if (users) await addMissing(users, [...DEFAULT_USERS, ...(options.users ?? [])])
  const access = users ? new ListedAccess(store) : OPEN_ACCESS
  const report = reporter(options.onInternalError)
  const surroundings = { store, onError: report }
  const groups = await PersistentSubscriptions.open(surroundings)
  const projections = options.systemProjections ? await SystemProjections.open(surroundings) : undefined
  const settings = { maxAppendBytes, commitTimeoutMs, report, shutDown, instanceId: randomUUID() }
  return { store, access, users, groups, projections, ...settings }
}

/** A status with a cause is the server's own trouble; one without is a caller's mistake. */
function reporter(tell: ServerOptions['onInternalError']): ServerContext['report'] {
  return (error) => {
    if (error instanceof ClientLeftError || error instanceof ServerStoppingError) return
    const { cause } = statusOf(error)
    if (cause !== undefined) tell?.(cause)
  }
}

/** Users that are there keep what they have, a password above all. */
async function addMissing(directory: UserDirectory, users: readonly NewUser[]): Promise<void> {
  const known = new Set((await directory.list()).map(({ login }) => login))
  for (const user of users) if (!known.has(user.login)) await directory.create(user)
}

function connectionStringOf({ host, port, secure }: { host: string; port: number; secure: boolean }): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  // Certificates are for names: Node 26 refuses to ask for one by an address.
  const known = secure && reachable === '127.0.0.1' ? 'localhost' : reachable
  const name = known.includes(':') ? `[${known}]` : known
  return `esdb://${name}:${port}?tls=${secure}`
}

/** Takes calls and knows which are under way. */
class Server {
  readonly #context: ServerContext
  readonly #methods: Methods
  readonly #options: ServerOptions
  readonly #maxMessageBytes: number
  readonly #calls = new Set<GrpcCall>()

  constructor(context: ServerContext, options: ServerOptions) {
    this.#context = context
    this.#options = options
    this.#methods = new Methods({
      secure: context.users !== undefined,
      projections: context.projections !== undefined,
    })
    this.#maxMessageBytes = Math.max(MIN_MESSAGE_BYTES, context.maxAppendBytes + MESSAGE_OVERHEAD_BYTES)
  }

  take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    if (!headers['content-type']?.startsWith('application/grpc')) {
      sendHttp2(stream, headers, (asked) => this.answerHttp(asked))
      return
    }
    const call = new GrpcCall(stream, headers, this.#maxMessageBytes)
    this.#calls.add(call)
    void call.closed.then(() => this.#calls.delete(call))
    void this.#handle(call)
  }

  /** Never throws. */
  async answerHttp(asked: HttpRequest): Promise<HttpAnswer> {
    try {
      return await answerHttp(asked, this.#context, () => this.#authenticate(asked.authorization))
    } catch (error) {
      this.#context.report(error)
      return { status: 500 }
    }
  }

  async drain(listener: Listener): Promise<void> {
    listener.refuseNew()
    const calls = [...this.#calls]
    for (const call of calls) if (call.endless) call.abort(new ServerStoppingError())
    const ended = Promise.all([stopWork(this.#context), ...calls.map(({ closed }) => closed)])
    await Promise.race([ended, delay(this.#options.drainMs ?? DEFAULT_DRAIN_MS)])
    for (const call of this.#calls) call.abort(new ServerStoppingError())
    await listener.close()
  }

  async #handle(call: GrpcCall): Promise<void> {
    try {
      const principal = await this.#authenticate(call.authorization)
      await this.#methods.get(call.path).handle(call, this.#context, principal)
      call.succeed()
    } catch (error) {
      this.#context.report(error)
      call.fail(error)
    }
  }

  /** Throws the status of credentials that are not those of a user. A server without users does not look at them. */
  async #authenticate(authorization: string | undefined): Promise<Principal> {
    const { users } = this.#context
    const credentials = users && credentialsIn(authorization)
    if (!credentials) return undefined
    if (credentials === 'malformed') throw unauthenticated()
    const user = await users.authenticate(credentials.login, credentials.password)
    if (!user) throw unauthenticated()
    return user
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
