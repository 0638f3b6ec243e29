// The durable EventStore in a folder of its own, on LMDB: what is acknowledged is on disk, and any number of processes may read
// and write it side by side.
import { setMaxListeners } from 'node:events'
import type { EventBatch, ProposedEvent } from '../../log/event.js'
import type { LineEvent } from '../../log/event-line.js'
import type {
  AppendResult,
  DeleteResult,
  EventSink,
  EventStore,
  PourOptions,
  ReadAllOptions,
  ReadStreamOptions,
  StoredReader,
  StreamRead,
  SubscriptionMessage,
} from '../../log/event-store.js'
import type { Position } from '../../log/position.js'
import type { RestorableStore, RestoreResult } from '../../log/restorable-store.js'
import type { ExpectedRevision, Revision } from '../../log/revision.js'
import { StoreUnavailableError } from '../../log/store-errors.js'
import { isReadable } from '../../log/stream-metadata.js'
import { decideAppend, type LogView } from '../append-decision.js'
import { ChangeSignal } from '../change-signal.js'
import { type DeleteDecision, decideDelete, decideTombstone } from '../delete-decision.js'
import { MAX_APPEND_BYTES, normaliseEvents, refuseAppend, refuseWrite } from '../proposal.js'
import { decideRestore } from '../restore-decision.js'
import { limitsOfStream } from '../stream-head.js'
import { followAll, followStream, leavable, type SubscriptionSource } from '../subscription.js'
import { closedError } from './errors.js'
import { decodeRecord, positionOf, storedRecord } from './event-record.js'
import { ForeignChanges } from './foreign-changes.js'
import { liveSource } from './live-source.js'
import { type Give, LogReader } from './log-reader.js'
import { pourWholeLog, readOneStream, readWholeLog, splitLog } from './readings.js'
import { acquireTables, releaseTables } from './shared-tables.js'
import { foreignFolder, kindOfFolder, type Tables } from './tables.js'
import { type Outcome, type Transaction, Transactions } from './transactions.js'

export interface EmbeddedStoreOptions {
  readonly folder: string
  /** Opens for reading only; the store must be there. Default false. */
  readonly readOnly?: boolean
  /** Makes the store on the first append where there is none; until then it reads as empty. Default true, unless `readOnly`. */
  readonly create?: boolean
  /** Milliseconds since the Unix epoch; default the system's clock. */
  readonly clock?: () => number
  /** The most bytes of data that one append may hold; default 1 MiB. */
  readonly maxAppendBytes?: number
}

/**
 * Opens the store in a folder. Throws StoreUnavailableError where there is none and none may be made, where the folder holds
 * something else or another layout, and where rights are missing. Opening never makes anything on disk.
 */
export async function openEmbeddedStore(options: EmbeddedStoreOptions): Promise<RestorableStore> {
  const { folder, readOnly = false, create = !readOnly } = options
  const kind = kindOfFolder(folder)
  if (kind === 'foreign') throw foreignFolder(folder)
  if (kind === 'none' && (readOnly || !create)) throw new StoreUnavailableError(`${folder} holds no store`)
  return new EmbeddedStore(options, kind === 'store' ? acquireTables(folder, { readOnly, make: false }) : undefined)
}

class EmbeddedStore implements RestorableStore {
  readonly #folder: string
  readonly #readOnly: boolean
  readonly #clock: () => number
  readonly #maxAppendBytes: number
  readonly #transactions: Transactions
  readonly #changes = new ChangeSignal()
  readonly #stored: StoredReader = {
    readStream: async (stream, options = {}) => this.#readStream(stream, options, storedRecord),
    readAll: (options = {}) => readWholeLog(this.#fresh, options, storedRecord),
  }
  readonly #foreign = new ForeignChanges(this.#changes, {
    end: () => this.#fresh()?.tail().nextPlace ?? 0,
    streamsFrom: (place) => this.#reader?.streamsFrom(place),
  })
  readonly #closing = new AbortController()
  readonly #underWay = new Set<Promise<unknown>>()
  #tables: Tables | undefined
  #reader: LogReader | undefined

  constructor(options: EmbeddedStoreOptions, tables: Tables | undefined) {
    this.#folder = options.folder
    this.#readOnly = options.readOnly ?? false
    this.#clock = options.clock ?? Date.now
    this.#maxAppendBytes = options.maxAppendBytes ?? MAX_APPEND_BYTES
    this.#transactions = new Transactions(this.#folder, this.#clock)
    // Every subscription listens to it, however many there are.
    setMaxListeners(0, this.#closing.signal)
    if (tables) this.#use(tables)
  }

  async readStream(stream: string, options: ReadStreamOptions = {}): Promise<StreamRead> {
    return this.#readStream(stream, options, decodeRecord)
  }

  readAll(options: ReadAllOptions = {}): AsyncIterable<EventBatch> {
    return readWholeLog(this.#fresh, options, decodeRecord)
  }

  pourAll(sink: EventSink, options: PourOptions): AsyncIterable<Position> {
    return pourWholeLog(this.#fresh, sink, options)
  }

  async splitAll(to: Position, ranges: number): Promise<readonly Position[]> {
    return splitLog(this.#fresh(), to, ranges)
  }

  stored(): StoredReader {
    return this.#stored
  }

  async append(stream: string, proposed: readonly ProposedEvent[], expected: ExpectedRevision): Promise<AppendResult> {
    this.#mustBeWritable()
    const events = normaliseEvents(proposed)
    const refusal = refuseAppend(stream, events, { expected, maxAppendBytes: this.#maxAppendBytes })
    if (refusal) return refusal
    return this.#carryOut((transaction) => this.#append(transaction, stream, events, expected))
  }

  async deleteStream(stream: string, expected: ExpectedRevision): Promise<DeleteResult> {
    return this.#delete(stream, expected, decideDelete)
  }

  async tombstone(stream: string, expected: ExpectedRevision): Promise<DeleteResult> {
    return this.#delete(stream, expected, decideTombstone)
  }

  async restore(events: readonly LineEvent[]): Promise<RestoreResult> {
    this.#mustBeWritable()
    // Nothing is no reason to make a store.
    if (events.length === 0) return { kind: 'restored', added: 0, present: 0, gaps: 0 }
    return this.#carryOut(({ view, reader, write }): RestoreResult => {
      const eventAt = (stream: string, revision: Revision) => reader.eventAt(stream, revision)
      const { records, result } = decideRestore({ headOf: view.headOf, eventAt }, events)
      if (records.length > 0) write(records)
      return result
    })
  }

  subscribeToStream(
    stream: string,
    { after = 'start', signal }: { after?: Revision | 'start' | 'end'; signal?: AbortSignal } = {},
  ): AsyncIterable<SubscriptionMessage> {
    return this.#subscribe(signal, (source, ending) => followStream({ source, signal: ending }, stream, after))
  }

  subscribeToAll({
    after = 'start',
    filter,
    signal,
  }: Parameters<EventStore['subscribeToAll']>[0] = {}): AsyncIterable<SubscriptionMessage> {
    return this.#subscribe(signal, (source, ending) => followAll({ source, signal: ending }, after, filter))
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    this.#foreign.stop()
    await Promise.allSettled(this.#underWay)
    if (this.#tables) await releaseTables(this.#tables)
  }

  #readStream<Event>(stream: string, options: ReadStreamOptions, give: Give<Event>): StreamRead<Event> {
    return readOneStream(this.#fresh, stream, options, { now: this.#clock(), give })
  }

  #append(
    { view, reader, write }: Transaction,
    stream: string,
    events: readonly ProposedEvent[],
    expected: ExpectedRevision,
  ): AppendResult {
    const decision = decideAppend(view, stream, events, expected)
    if (decision.kind === 'conflict' || decision.kind === 'refused') return decision
    const { revision } = decision
    if (decision.kind === 'alreadyThere') {
      const event = reader.eventAt(stream, decision.revision)
      const head = view.headOf(stream)
      const place = { head: head.last, now: this.#clock() }
      const shown = event && isReadable(event, limitsOfStream(stream, head), place)
      return { kind: 'appended', revision: decision.revision, ...(shown && { position: event.position }) }
    }
    const last = decision.records.length > 0 ? write(decision.records)[events.length - 1] : undefined
    return {
      kind: 'appended',
      ...(revision !== undefined && { revision }),
      ...(last !== undefined && { position: positionOf(last) }),
    }
  }

  async #delete(
    stream: string,
    expected: ExpectedRevision,
    decide: (view: LogView, stream: string, expected: ExpectedRevision) => DeleteDecision,
  ): Promise<DeleteResult> {
    this.#mustBeWritable()
    const refusal = refuseWrite(stream, expected)
    if (refusal) return refusal
    return this.#carryOut(({ view, write }): DeleteResult => {
      const decision = decide(view, stream, expected)
      if (decision.kind !== 'write') return decision
      const [place = 0] = write([decision.record])
      return { kind: 'deleted', position: positionOf(place) }
    })
  }

  /** Runs a transaction, wakes whom it concerns and gives its result. */
  async #carryOut<Result>(
    work: (transaction: Transaction) => Result,
  ): Promise<Result | Extract<AppendResult, { kind: 'unknown' }>> {
    const tables = this.#tables ?? this.#use(acquireTables(this.#folder, { readOnly: false, make: true }))
    const running = this.#transactions.run(tables, work)
    this.#underWay.add(running)
    try {
      return this.#announce(await running)
    } finally {
      this.#underWay.delete(running)
    }
  }

  #announce<Result>(outcome: Outcome<Result>): Result | Extract<AppendResult, { kind: 'unknown' }> {
    if (outcome.kind === 'unknown') return outcome
    if (outcome.written) {
      this.#foreign.skipOwn(outcome.written)
      this.#changes.notify(outcome.written.streams)
    }
    return outcome.result
  }

  #subscribe(
    signal: AbortSignal | undefined,
    follow: (source: SubscriptionSource, ending: AbortSignal) => AsyncGenerator<SubscriptionMessage, void, undefined>,
  ): AsyncIterable<SubscriptionMessage> {
    this.#mustBeOpen()
    const nextChange = (stream: string | undefined, ending: AbortSignal) => {
      this.#foreign.watch()
      return this.#changes.next(stream, ending)
    }
    const source = liveSource(this.#fresh, { clock: this.#clock, nextChange })
    return leavable([signal, this.#closing.signal], (ending) => follow(source, ending))
  }

  /** The reader with a snapshot of this moment; another process may have made the store since it was opened. */
  readonly #fresh = (): LogReader | undefined => {
    this.#mustBeOpen()
    if (!this.#reader && kindOfFolder(this.#folder) === 'store') {
      this.#use(acquireTables(this.#folder, { readOnly: this.#readOnly, make: false }))
    }
    this.#reader?.refresh()
    return this.#reader
  }

  #use(tables: Tables): Tables {
    this.#tables = tables
    this.#reader = new LogReader(tables)
    return tables
  }

  #mustBeOpen(): void {
    if (this.#closing.signal.aborted) throw closedError()
  }

  #mustBeWritable(): void {
    this.#mustBeOpen()
    if (this.#readOnly) throw new StoreUnavailableError(`${this.#folder} was opened for reading only`)
  }
}
