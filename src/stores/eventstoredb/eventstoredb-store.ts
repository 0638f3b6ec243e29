// An EventStoreDB (or KurrentDB) as a home of the log: writing goes through the official client, reading over connections of our own, which give
// events byte for byte, with all digits of their time, filtered by the server, and go on where a connection broke.
import { setMaxListeners } from 'node:events'
import type { ConsumerGroups, GroupedStore } from '../../log/consumer-group.js'
import type { ProposedEvent } from '../../log/event.js'
import type {
  AppendResult,
  DeleteResult,
  EventSink,
  PourOptions,
  ReadAllOptions,
  ReadStreamOptions,
  StreamRead,
  SubscriptionMessage,
} from '../../log/event-store.js'
import type { Position } from '../../log/position.js'
import type { ExpectedRevision, Revision } from '../../log/revision.js'
import { StoreUnavailableError } from '../../log/store-errors.js'
import { normaliseEvents, refuseAppend, refuseWrite } from '../proposal.js'
import { leavable } from '../subscription.js'
import type { Cluster } from './cluster.js'
import { connect } from './connecting.js'
import { parseConnectionString, redactConnectionString } from './connection-string.js'
import { readingError } from './errors.js'
import { followLog, followStream } from './following.js'
import { Groups } from './groups.js'
import { pourLog } from './log-pouring.js'
import { readLog } from './log-reading.js'
import type { ReadContext } from './read-call.js'
import { readStream } from './stream-reading.js'
import { Writing } from './writing.js'

export interface EventStoreDbOptions {
  /** `esdb://…`, `esdb+discover://…`, `kurrentdb://…`; certificates' files are read from where the process runs. */
  readonly connectionString: string
  /** How long an outage is borne before whoever reads or writes is told. Default 30 s. */
  readonly outageMsMax?: number
  /** How long a server may take to find the next event that matches. Default 2 min. */
  readonly silenceMsMax?: number
}

const OUTAGE_MS_MAX = 30_000
const SILENCE_MS_MAX = 120_000
/** No record of a log is larger, whatever a server's limit is set to. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024

/**
 * Connects. Throws StoreAddressError where the string or its files cannot be used, StoreUnavailableError where no node answers, none leads,
 * or user and password are wrong.
 */
export async function openEventStoreDbStore(options: EventStoreDbOptions): Promise<GroupedStore> {
  const settings = parseConnectionString(options.connectionString)
  const server = redactConnectionString(options.connectionString)
  const cluster = await connect(settings).catch((error: unknown) => {
    throw readingError(error, server)
  })
  return new EventStoreDbStore(cluster, { ...options, server })
}

class EventStoreDbStore implements GroupedStore {
  readonly groups: ConsumerGroups
  readonly #cluster: Cluster
  readonly #context: ReadContext
  readonly #writing: Writing
  readonly #closing = new AbortController()
  readonly #writes = new Set<Promise<unknown>>()
  #closed: Promise<void> | undefined

  constructor(cluster: Cluster, options: Omit<EventStoreDbOptions, 'connectionString'> & { readonly server: string }) {
    const { server, outageMsMax = OUTAGE_MS_MAX, silenceMsMax = SILENCE_MS_MAX } = options
    // Every subscription listens to it, and every write that waits for a leader.
    setMaxListeners(0, this.#closing.signal)
    this.#cluster = cluster
    this.#context = { cluster, server, outageMsMax, silenceMsMax, closing: this.#closing.signal }
    this.groups = new Groups(this.#context)
    this.#writing = new Writing(cluster, { outageMsMax, signal: this.#closing.signal })
  }

  async readStream(stream: string, options: ReadStreamOptions = {}): Promise<StreamRead> {
    this.#mustBeOpen()
    options.signal?.throwIfAborted()
    return readStream(this.#context, stream, options)
  }

  readAll(options: ReadAllOptions = {}) {
    return readLog(this.#context, options)
  }

  pourAll(sink: EventSink, options: PourOptions): AsyncIterable<Position> {
    return pourLog(this.#context, sink, options)
  }

  async append(stream: string, proposed: readonly ProposedEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    this.#mustBeOpen()
    const events = normaliseEvents(proposed)
    // What could end a server, or what it has no clear words for, never gets there; how much it takes below that is its own to say.
    const refusal = refuseAppend(stream, events, { expected, maxAppendBytes: MAX_RECORD_BYTES })
    return refusal ?? this.#write(() => this.#writing.append(stream, events, expected))
  }

  async deleteStream(stream: string, expected: ExpectedRevision): Promise<DeleteResult> {
    this.#mustBeOpen()
    return refuseWrite(stream, expected) ?? this.#write(() => this.#writing.softDelete(stream, expected))
  }

  async tombstone(stream: string, expected: ExpectedRevision): Promise<DeleteResult> {
    this.#mustBeOpen()
    return refuseWrite(stream, expected) ?? this.#write(() => this.#writing.tombstone(stream, expected))
  }

  subscribeToStream(
    stream: string,
    { after = 'start', signal }: { after?: Revision | 'start' | 'end'; signal?: AbortSignal } = {},
  ): AsyncIterable<SubscriptionMessage> {
    this.#mustBeOpen()
    return leavable([signal, this.#closing.signal], (ending) =>
      followStream(this.#context, stream, { after, signal: ending }),
    )
  }

  subscribeToAll({
    after = 'start',
    filter,
    signal,
  }: {
    after?: Position | 'start' | 'end'
    filter?: ReadAllOptions['filter']
    signal?: AbortSignal
  } = {}): AsyncIterable<SubscriptionMessage> {
    this.#mustBeOpen()
    return leavable([signal, this.#closing.signal], (ending) =>
      followLog(this.#context, { after, filter, signal: ending }),
    )
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#closing.abort(closedError())
    await Promise.allSettled(this.#writes)
    this.#cluster.close()
  }

  /** What a write throws was never sent: see Writing. */
  async #write<Result>(write: () => Promise<Result>): Promise<Result> {
    const writing = write()
    this.#writes.add(writing)
    try {
      return await writing
    } catch (error) {
      throw readingError(error, this.#context.server)
    } finally {
      this.#writes.delete(writing)
    }
  }

  #mustBeOpen(): void {
    if (this.#closing.signal.aborted) throw closedError()
  }
}

function closedError(): StoreUnavailableError {
  return new StoreUnavailableError('The store is closed')
}
