// What the commands are given from outside: the stores, projections and authorities that main.ts chose, and the process they run in. Commands name
// no concrete store and touch no global.
import type { Logger } from 'pino'
import type { JsonObject, JsonValue } from '../engine/json.js'
import type { Projection } from '../engine/projection.js'
import type { ThreadSource } from '../engine/replay-threads.js'
import type { Scratch } from '../engine/scratch.js'
import type { EventReader, EventStore } from '../log/event-store.js'
import type { Tracing } from '../log/tracing.js'
import type { Authority } from '../repair/authority.js'
import type { FileLine } from '../transfer/located-line.js'
import type { Post } from '../watch/webhook.js'

/** A line of a log file that could not be read. */
export interface LogProblem {
  readonly file: string
  readonly line: number
  readonly why: string
}

export interface LogReport {
  readonly lines: number
  readonly payments: number
  readonly tickets: number
  readonly broken: number
  readonly unattributableTickets: number
}

/** Log files as a log: see stores/files. */
export interface LogFiles extends EventReader {
  /** After a reading. */
  report(): LogReport
}

export interface LogFilesOptions {
  readonly payments: readonly string[]
  readonly tickets: readonly string[]
  readonly key?: string
  readonly paymentTypes?: readonly string[]
  readonly ticketTypes?: readonly string[]
  readonly onProblem?: (problem: LogProblem) => void
  /** On so many threads large logs are looked at; default 1. */
  readonly workers?: number
}

/** The file that compensations of log files are appended to, locked while open. */
export interface CompensationFile {
  /** Whether it was there before: then its lines count as tickets. */
  readonly existed: boolean
  /** What was cut off its end because a write was torn. */
  readonly torn: string | undefined
  /** Appends one line a transaction, durably; returns how many. */
  append(transactionIds: readonly string[]): Promise<number>
  close(): Promise<void>
}

/** One thing that `doctor` looked at. */
export interface Check {
  readonly check: string
  readonly ok: boolean
  readonly found: string
  /** How to mend it, where it is not ok. */
  readonly mend?: string
}

/** What a stopping signal does to a run: `drain` at the first, the end of the process at the second. */
export interface Interruption {
  readonly signal: AbortSignal
  /** Which one came first; undefined until one does. */
  name(): 'SIGINT' | 'SIGTERM' | undefined
}

/** What `serve` is asked for. */
export interface ServeOptions {
  /** A folder or `memory:`. */
  readonly store: string
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** PEM texts; undefined: without TLS. */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca?: string } | undefined
  /** Beside those that every server has; only with TLS. */
  readonly users: readonly ServedUser[]
  readonly systemProjections: boolean
  readonly maxAppendBytes?: number
  readonly commitTimeoutMs?: number
}

/** A user of a server. */
export interface ServedUser {
  readonly login: string
  readonly password: string
  readonly fullName?: string
  readonly groups?: readonly string[]
}

/** A store on the wire. */
export interface Serving {
  /** For clients on this machine; without user and password. */
  readonly connectionString: string
  /** Resolves when it has stopped, also where a client with the right to do so stopped it. */
  readonly stopped: Promise<void>
  /** Lets calls under way end, closes the port and then the store, which is all on disk by then. */
  stop(): Promise<void>
}

/** A simulator that answers at `url`; it ends with this process at the latest. */
export interface SimulatorProcess {
  readonly url: string
  stop(): Promise<void>
}

/** Metrics and health over HTTP: GET /metrics, /health/live, /health/ready. */
export interface MetricsEndpointOptions {
  /** 0: any free port. */
  readonly port: number
  readonly host: string
  /** The metrics in Prometheus's text format. */
  readonly metrics: () => Promise<string>
  /** Why the process should be restarted; undefined while it is well. */
  readonly unhealthy: () => string | undefined
  /** Why nothing should rely on it now; undefined while it is ready. */
  readonly unready: () => string | undefined
}

export interface MetricsEndpoint {
  readonly port: number
  close(): Promise<void>
}

export interface Context {
  readonly version: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdout: {
    write(text: string): void
    /** Resolves when more may be written without filling the memory. Throws FileError where nobody reads any more. */
    drained(): Promise<void>
    readonly isTerminal: boolean
  }
  readonly stderr: { write(text: string): void; readonly isTerminal: boolean }
  readonly logger: Logger
  /** Sets the logger's level. Throws UsageError for one that there is not. */
  setLogLevel(level: string | undefined): void
  /** Milliseconds since the Unix epoch. */
  readonly clock: () => number
  /** A random UUID. */
  readonly newId: () => string
  readonly pause: (ms: number) => Promise<void>
  readonly interruption: Interruption
  /** Who runs the command. */
  readonly user: string
  /** A yes-or-no question to the person at the terminal. */
  ask(question: string): Promise<boolean>
  /** Opens a store by `--store`'s text. For reading, a folder that is no store is refused and nothing is made. */
  openStore(where: string, mode: 'read' | 'write'): Promise<EventStore>
  /** Serves a store as an EventStoreDB. Throws UsageError, StoreUnavailableError and PortTakenError. */
  serve(options: ServeOptions): Promise<Serving>
  /** Throws PortTakenError. */
  openMetricsEndpoint(options: MetricsEndpointOptions): Promise<MetricsEndpoint>
  /** Posts alerts to a URL. */
  httpPost(url: URL): Post
  examineStore(where: string, clock: () => number): Promise<readonly Check[]>
  openLogFiles(options: LogFilesOptions): LogFiles
  openCompensationFile(path: string): Promise<CompensationFile>
  /** The lines of files (`-`: standard input; packed ones too), one file after the other. All must be there before the first is read. */
  readLines(files: readonly string[]): AsyncIterable<FileLine>
  /** By name or by the path of a module; undefined: the one that is meant where nobody names one. */
  loadProjection(nameOrPath: string | undefined): Promise<Projection>
  /** Traces of what the commands do. */
  readonly tracing: Tracing
  openAuthority(where: string): Promise<Authority>
  /** Who answers a lookup: a URL or a file of JSON lines. */
  openLookup(where: string): { ask(request: JsonObject): Promise<JsonValue> }
  /** Starts the simulator of ticket authorities as a process of its own; `args` as docs/authority.md has them. */
  startSimulator(args: readonly string[]): Promise<SimulatorProcess>
  /** The same in the foreground, until it ends; gives its exit code. */
  runSimulator(args: readonly string[]): Promise<number>
  /** Bytes of folded states that a replay may hold where nothing else is said. */
  readonly memoryBytesDefault: number
  /** On how many threads a replay runs where nothing else is said. */
  readonly threadsDefault: number
  /** So many threads that may be started to read and judge beside this one. */
  threads(count: number): ThreadSource
  /** Scratch space in a folder; undefined: the system's for temporary files. */
  openScratch(folder: string | undefined): Scratch
  /** Runs this program in a process of its own, as a person would, and gives what it printed. */
  runSelf(args: readonly string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>
  /** Stops the process at a named step, for tests of what a kill leaves behind. */
  readonly failpoint: ((step: string) => Promise<void>) | undefined
}
