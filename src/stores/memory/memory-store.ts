// The smallest honest EventStore: everything in arrays, gone with the process. It is the model that the durable home is held against.
import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import type { EventBatch, ProposedEvent, RecordedEvent } from '../../log/event.js'
import type { LineEvent } from '../../log/event-line.js'
import type {
  AppendResult,
  DeleteResult,
  EventStore,
  ReadAllOptions,
  ReadStreamOptions,
  StreamRead,
  SubscriptionMessage,
} from '../../log/event-store.js'
import type { Position } from '../../log/position.js'
import type { RestorableStore, RestoreResult } from '../../log/restorable-store.js'
import type { ExpectedRevision, Revision } from '../../log/revision.js'
import { InvalidPositionError, StoreUnavailableError } from '../../log/store-errors.js'
import { type AppendDecision, decideAppend, type LogView } from '../append-decision.js'
import { ChangeSignal } from '../change-signal.js'
import { type DeleteDecision, decideDelete, decideTombstone } from '../delete-decision.js'
import { IdCache } from '../id-cache.js'
import { MAX_APPEND_BYTES, normaliseEvents, refuseAppend, refuseWrite } from '../proposal.js'
import { decideRestore } from '../restore-decision.js'
import { kindOfStream } from '../stream-head.js'
import { followAll, followStream, leavable, type SubscriptionSource } from '../subscription.js'
import { MemoryLog } from './memory-log.js'

export interface MemoryStoreOptions {
  /** Milliseconds since the Unix epoch; default the system's clock. */
  readonly clock?: () => number
  /** The most bytes of data that one append may hold; default 1 MiB. */
  readonly maxAppendBytes?: number
}

/** Opens an empty store. */
export function openMemoryStore(options: MemoryStoreOptions = {}): RestorableStore {
  return new MemoryStore(options)
}

class MemoryStore implements RestorableStore {
  readonly #log: MemoryLog
  readonly #view: LogView
  readonly #changes = new ChangeSignal()
  readonly #closing = new AbortController()
  readonly #maxAppendBytes: number

  constructor({ clock = Date.now, maxAppendBytes = MAX_APPEND_BYTES }: MemoryStoreOptions) {
    this.#log = new MemoryLog(clock, new IdCache())
    this.#view = this.#log.view(randomUUID)
    this.#maxAppendBytes = maxAppendBytes
    // Every subscription listens to it, however many there are.
    setMaxListeners(0, this.#closing.signal)
  }

  async readStream(stream: string, options: ReadStreamOptions = {}): Promise<StreamRead> {
    this.#mustBeOpen()
    options.signal?.throwIfAborted()
    const kind = kindOfStream(stream, this.#log.headOf)
    if (kind !== 'found') return { kind }
    const events = select(this.#log.readable(stream), options)
    return { kind, events: inRuns(events, options.signal) }
  }

  async *readAll({ direction = 'forwards', from, filter, maxCount, signal }: ReadAllOptions = {}) {
    this.#mustBeOpen()
    const forwards = direction === 'forwards'
    const start = this.#log.countBefore(from ?? (forwards ? 'start' : 'end'))
    const beyond = start > this.#log.length
    if (beyond && !forwards) throw new InvalidPositionError(from as Position)
    const end = forwards ? (beyond ? start : this.#log.length) : 0
    let left = maxCount ?? Number.POSITIVE_INFINITY
    for (let place = start; place !== end && left > 0; ) {
      signal?.throwIfAborted()
      this.#mustBeOpen()
      const run = this.#log.run(place, end, filter)
      if (!run) return
      const batch: EventBatch = cutBatch(run, left)
      left -= batch.events.length
      place = run.next
      yield batch
    }
  }

  async append(stream: string, proposed: readonly ProposedEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    this.#mustBeOpen()
    const events = normaliseEvents(proposed)
    const refusal = refuseAppend(stream, events, { expected, maxAppendBytes: this.#maxAppendBytes })
    if (refusal) return refusal
    return this.#carryOut(stream, decideAppend(this.#view, stream, events, expected), events.length)
  }

  async deleteStream(stream: string, expected: ExpectedRevision): Promise<DeleteResult> {
    return this.#delete(stream, expected, decideDelete)
  }

  async tombstone(stream: string, expected: ExpectedRevision): Promise<DeleteResult> {
    return this.#delete(stream, expected, decideTombstone)
  }

  async restore(events: readonly LineEvent[]): Promise<RestoreResult> {
    this.#mustBeOpen()
    const eventAt = (stream: string, revision: Revision) => this.#log.eventAt(stream, revision)
    const { records, result } = decideRestore({ headOf: this.#log.headOf, eventAt }, events)
    this.#write(records)
    return result
  }

  subscribeToStream(
    stream: string,
    { after = 'start', signal }: { after?: Revision | 'start' | 'end'; signal?: AbortSignal } = {},
  ): AsyncIterable<SubscriptionMessage> {
    this.#mustBeOpen()
    return leavable([signal, this.#closing.signal], (ending) =>
      followStream({ source: this.#source, signal: ending }, stream, after),
    )
  }

  subscribeToAll({
    after = 'start',
    filter,
    signal,
  }: Parameters<EventStore['subscribeToAll']>[0] = {}): AsyncIterable<SubscriptionMessage> {
    this.#mustBeOpen()
    return leavable([signal, this.#closing.signal], (ending) =>
      followAll({ source: this.#source, signal: ending }, after, filter),
    )
  }

  async close(): Promise<void> {
    this.#closing.abort()
  }

  #carryOut(stream: string, decision: AppendDecision, count: number): AppendResult {
    if (decision.kind === 'alreadyThere') {
      const event = this.#log.readable(stream, decision.revision).find(({ revision }) => revision === decision.revision)
      return { kind: 'appended', revision: decision.revision, ...(event && { position: event.position }) }
    }
    if (decision.kind !== 'write') return decision
    const last = this.#write(decision.records)[count - 1]
    const { revision } = decision
    return { kind: 'appended', ...(revision !== undefined && { revision }), ...(last && { position: last.position }) }
  }

  #delete(
    stream: string,
    expected: ExpectedRevision,
    decide: (view: LogView, stream: string, expected: ExpectedRevision) => DeleteDecision,
  ): DeleteResult {
    this.#mustBeOpen()
    const decision = refuseWrite(stream, expected) ?? decide(this.#view, stream, expected)
    if (decision.kind !== 'write') return decision
    const [written] = this.#write([decision.record])
    return { kind: 'deleted', position: (written as RecordedEvent).position }
  }

  #write(records: Parameters<MemoryLog['write']>[0]): RecordedEvent[] {
    const written = this.#log.write(records)
    if (written.length > 0) this.#changes.notify(written.map((event) => event.stream))
    return written
  }

  #mustBeOpen(): void {
    if (this.#closing.signal.aborted) throw new StoreUnavailableError('The store is closed')
  }

  get #source(): SubscriptionSource {
    const log = this.#log
    return {
      eventsAbove: (stream, after) => log.readable(stream, after + 1),
      tombstoneOf: (stream) => {
        if (kindOfStream(stream, log.headOf) !== 'tombstoned') return undefined
        return log.tombstoneOf(stream) ?? 'closed'
      },
      lastRevisionOf: (stream) => log.headOf(stream).last,
      checkPosition: (position) => void log.countBefore(position),
      recordsAfter: (after, filter) => log.run(after ? log.countUpTo(after) : 0, log.length, filter),
      lastPosition: () => log.run(log.length, 0, undefined)?.events[0]?.position,
      nextChange: (stream, signal) => this.#changes.next(stream, signal),
    }
  }
}

/** The part of a stream's readable events that was asked for. */
function select(events: readonly RecordedEvent[], options: ReadStreamOptions): RecordedEvent[] {
  const { direction = 'forwards', from, maxCount = Number.POSITIVE_INFINITY } = options
  const forwards = direction === 'forwards'
  const first = revisionOf(from ?? (forwards ? 'start' : 'end'))
  const wanted = events.filter(({ revision }) => (forwards ? revision >= first : revision <= first))
  return (forwards ? wanted : wanted.reverse()).slice(0, maxCount)
}

function revisionOf(from: Revision | 'start' | 'end'): Revision {
  if (from === 'start') return 0
  return from === 'end' ? Number.POSITIVE_INFINITY : from
}

async function* inRuns(events: readonly RecordedEvent[], signal: AbortSignal | undefined) {
  const length = 1_000
  for (let i = 0; i < events.length; i += length) {
    signal?.throwIfAborted()
    yield events.slice(i, i + length)
  }
}

/** At most `left` events of a run; what is cut off was not looked at. */
function cutBatch({ events, position }: EventBatch, left: number): EventBatch {
  const cut = events.slice(0, left)
  const last = cut.at(-1)
  return last && cut.length < events.length ? { events: cut, position: last.position } : { events, position }
}
