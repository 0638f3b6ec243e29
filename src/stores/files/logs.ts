// Log files as a log: every line of a payments file is an event in `paymentlog-{transaction id}`, every line of a tickets file one in
// `ticketlog-{transaction id}`, with the ids and revisions that an import gives them. Read only, and streamed.
import { v5 as uuidV5 } from 'uuid'
import { type EventBatch, NO_BYTES, type RecordedEvent } from '../../log/event.js'
import type { EventFilter, EventReader, ReadAllOptions, ReadStreamOptions, StreamRead } from '../../log/event-store.js'
import { streamOf } from '../../log/stream.js'
import { type Line, LogFileError, readLines } from './lines.js'
import { readTransactionLine } from './transaction-line.js'

/** Namespace of the ids of events in logs (a UUID of our own choice). */
const LINE_NAMESPACE = 'b3f7c1de-52a4-5e0b-9c88-1d6a7e2f4b90'
/** The type of a ticket line that cannot be read: no projection knows it, so its transaction is held. */
const UNREADABLE_LINE = 'makegood.unreadable-line'
const BATCH_EVENTS = 1_000

export interface LogFilesOptions {
  readonly payments: readonly string[]
  readonly tickets: readonly string[]
  /** Where a line holds its transaction id; default `transaction_id`. A dot goes one level down. */
  readonly key?: string
  /** Event types that count; default all. */
  readonly paymentTypes?: readonly string[]
  readonly ticketTypes?: readonly string[]
  /** Told of every line that cannot be read, as it comes. */
  readonly onProblem?: (problem: LogProblem) => void
}

export interface LogProblem {
  readonly file: string
  readonly line: number
  readonly why: string
}

/** What a reading found, in lines. */
export interface LogReport {
  readonly lines: number
  readonly payments: number
  readonly tickets: number
  readonly blank: number
  /** Of a type that was not asked for. */
  readonly otherType: number
  readonly broken: number
  /** Broken ticket lines that could be any transaction's. */
  readonly unattributableTickets: number
}

/** Log files behind the reading half of the port. */
export interface LogFiles extends EventReader {
  /** Of the last reading. */
  report(): LogReport
}

/** Log files as a log. Nothing is opened before it is read. Throws LogFileError where standard input is asked for twice. */
export function openLogFiles(options: LogFilesOptions): LogFiles {
  if ([...options.payments, ...options.tickets].filter((file) => file === '-').length > 1) {
    throw new LogFileError('-: standard input can be read once only; name a file for the other log')
  }
  return new Logs(options)
}

class Logs implements LogFiles {
  readonly #options: LogFilesOptions
  #counts = noLines()

  constructor(options: LogFilesOptions) {
    this.#options = options
  }

  report(): LogReport {
    return this.#counts
  }

  async readStream(stream: string, options: ReadStreamOptions = {}): Promise<StreamRead> {
    const { direction = 'forwards', from, maxCount = Number.POSITIVE_INFINITY, signal } = options
    const found: RecordedEvent[] = []
    for await (const { events } of this.readAll({ filter: { streamPrefixes: [stream] }, ...(signal && { signal }) })) {
      for (const event of events) if (event.stream === stream) found.push(event)
    }
    if (found.length === 0) return { kind: 'missing' }
    const forwards = direction === 'forwards'
    const first =
      typeof from === 'number' ? from : from === 'end' || (!from && !forwards) ? Number.POSITIVE_INFINITY : 0
    const wanted = found.filter(({ revision }) => (forwards ? revision >= first : revision <= first))
    const events = (forwards ? wanted : wanted.reverse()).slice(0, maxCount)
    return { kind: 'found', events: oneRun(events) }
  }

  async *readAll(options: ReadAllOptions = {}): AsyncGenerator<EventBatch, void, undefined> {
    const { direction = 'forwards', from = direction === 'forwards' ? 'start' : 'end', maxCount, signal } = options
    if (direction === 'backwards') {
      yield* this.#readBackwards(options)
      return
    }
    let left = maxCount ?? Number.POSITIVE_INFINITY
    if (from === 'end') return
    const start = from === 'start' ? 0n : from.commit
    for await (const batch of this.#batches(options.filter)) {
      signal?.throwIfAborted()
      const events = batch.events.filter(({ position }) => position.commit >= start).slice(0, left)
      left -= events.length
      yield left > 0 ? { ...batch, events } : { events, position: events.at(-1)?.position ?? batch.position }
      if (left <= 0) return
    }
  }

  /** A file has no index: going back is reading forwards and keeping the end. */
  async *#readBackwards({ from = 'end', filter, maxCount = Number.POSITIVE_INFINITY }: ReadAllOptions) {
    const before = typeof from === 'string' ? undefined : from.commit
    let kept: RecordedEvent[] = []
    if (from === 'start') return
    for await (const { events } of this.#batches(filter)) {
      const wanted = before === undefined ? events : events.filter(({ position }) => position.commit < before)
      kept = [...kept, ...wanted].slice(Number.isFinite(maxCount) ? -maxCount : 0)
    }
    const last = kept.at(0)
    if (last && maxCount > 0) yield { events: kept.reverse(), position: last.position }
  }

  async *#batches(filter: EventFilter | undefined): AsyncGenerator<EventBatch, void, undefined> {
    this.#counts = noLines()
    const run = new Reading(this.#options, this.#counts)
    let events: RecordedEvent[] = []
    for (const { file, category } of run.files) {
      for await (const line of readLines(file)) {
        const event = run.take(line, file, category)
        if (event && wants(filter, event.stream)) events.push(event)
        if (events.length < BATCH_EVENTS) continue
        yield { events, position: run.position }
        events = []
      }
    }
    if (run.lines > 0) yield { events, position: run.position }
  }
}

type Category = 'paymentlog' | 'ticketlog'
type Counts = { -readonly [Name in keyof LogReport]: number }

function noLines(): Counts {
  return { lines: 0, payments: 0, tickets: 0, blank: 0, otherType: 0, broken: 0, unattributableTickets: 0 }
}

function wants(filter: EventFilter | undefined, stream: string): boolean {
  return filter === undefined || filter.streamPrefixes.some((prefix) => stream.startsWith(prefix))
}

async function* oneRun(events: readonly RecordedEvent[]) {
  if (events.length > 0) yield events
}

/** One reading of all files: numbers lines and counts those of each stream. */
class Reading {
  lines = 0
  readonly #key: readonly string[]
  /** How many lines each stream has had so far: the next one's revision. */
  readonly #revisions = { paymentlog: new Map<string, number>(), ticketlog: new Map<string, number>() }

  constructor(
    readonly options: LogFilesOptions,
    readonly counts: Counts,
  ) {
    this.#key = (options.key ?? 'transaction_id').split('.')
  }

  get files(): { file: string; category: Category }[] {
    const { payments, tickets } = this.options
    return [
      ...payments.map((file) => ({ file, category: 'paymentlog' as const })),
      ...tickets.map((file) => ({ file, category: 'ticketlog' as const })),
    ]
  }

  get position() {
    return { commit: BigInt(this.lines), prepare: BigInt(this.lines) }
  }

  take(line: Line, file: string, category: Category): RecordedEvent | undefined {
    this.lines += 1
    this.counts.lines += 1
    if (line.kind === 'broken') return this.#broken({ file, line: line.number, why: line.why }, category, NO_BYTES)
    const read = readTransactionLine(line.bytes, this.#key)
    if (read.kind === 'broken') {
      return this.#broken({ file, line: line.number, why: read.why }, category, line.bytes, read.id)
    }
    if (read.kind === 'blank') {
      this.counts.blank += 1
      return undefined
    }
    if (!this.#isAskedFor(read, category)) {
      this.counts.otherType += 1
      return undefined
    }
    this.counts[category === 'paymentlog' ? 'payments' : 'tickets'] += 1
    return this.#event({ category, id: read.id, type: read.type, contentType: 'application/json', data: line.bytes })
  }

  /** Our own compensations always are: a ticket that we wrote must never be written again. */
  #isAskedFor({ type, isOwn }: { type: string; isOwn?: true }, category: Category): boolean {
    const { paymentTypes, ticketTypes } = this.options
    if (category === 'ticketlog' && isOwn) return true
    return (category === 'paymentlog' ? paymentTypes : ticketTypes)?.includes(type) ?? true
  }

  #broken(problem: LogProblem, category: Category, data: Uint8Array, id?: string): RecordedEvent | undefined {
    this.counts.broken += 1
    this.options.onProblem?.(problem)
    // A payment that cannot be read is no reason to withhold a ticket; a ticket that cannot be read is.
    if (category === 'paymentlog') return undefined
    if (id === undefined) this.counts.unattributableTickets += 1
    return this.#event({ category, id: id ?? '', type: UNREADABLE_LINE, contentType: 'application/octet-stream', data })
  }

  #event(
    line: Pick<RecordedEvent, 'type' | 'contentType' | 'data'> & { category: Category; id: string },
  ): RecordedEvent {
    const { category, id, type, contentType, data } = line
    const revision = this.#revisions[category].get(id) ?? 0
    this.#revisions[category].set(id, revision + 1)
    const name = Buffer.concat([Buffer.from(JSON.stringify([category, id, revision])), data])
    return {
      stream: streamOf(category, id),
      revision,
      id: uuidV5(name, LINE_NAMESPACE),
      type,
      contentType,
      data,
      metadata: NO_BYTES,
      created: undefined,
      position: this.position,
    }
  }
}
