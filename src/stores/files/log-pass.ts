// One pass over log files: each line becomes an event in its transaction's stream, or is counted as what it is.
import { parse as parseUuid, v5 as uuidV5 } from 'uuid'
import { NO_BYTES, type RecordedEvent } from '../../log/event.js'
import type { Position } from '../../log/position.js'
import { streamOf } from '../../log/stream.js'
import type { Line } from './lines.js'
import { readTransactionLine } from './transaction-line.js'

/** Namespace of the ids of events in logs (a UUID of our own choice). */
const LINE_NAMESPACE = parseUuid('b3f7c1de-52a4-5e0b-9c88-1d6a7e2f4b90')
/** The type of a ticket line that cannot be read: no JSON, so no projection decodes it and its transaction is held. */
const UNREADABLE_LINE = 'makegood.unreadable-line'

export type LogCategory = 'paymentlog' | 'ticketlog'

/** Where a line stands. */
export interface LineSource {
  readonly file: string
  readonly category: LogCategory
}

/** What event a line gives: of no transaction where `id` is empty; unreadable where it is no JSON. */
export type NotedLine = Pick<RecordedEvent, 'type' | 'contentType' | 'data'> & { category: LogCategory; id: string }

/** Which lines are wanted and how they are read. */
export interface PassOptions {
  /** The path to the transaction id. */
  readonly key: readonly string[]
  /** Event types that count; default all. */
  readonly paymentTypes?: readonly string[]
  readonly ticketTypes?: readonly string[]
  /** Told of every line that cannot be read, as it comes. */
  readonly onProblem: (problem: LogProblem) => void
}

export interface LogProblem {
  readonly file: string
  readonly line: number
  readonly why: string
}

/** What a reading found, in lines. `lines` is the sum of payments, tickets, blank, otherType and broken. */
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

/** Takes lines in the order of the log; numbers them and counts those of each stream. */
export class LogPass {
  readonly #options: PassOptions
  readonly #counts: { -readonly [Name in keyof LogReport]: number } = {
    lines: 0,
    payments: 0,
    tickets: 0,
    blank: 0,
    otherType: 0,
    broken: 0,
    unattributableTickets: 0,
  }
  /** How many events each stream has had so far: the next one's revision. */
  readonly #revisions = { paymentlog: new Map<string, number>(), ticketlog: new Map<string, number>() }

  constructor(options: PassOptions) {
    this.#options = options
  }

  get report(): LogReport {
    return this.#counts
  }

  /** Of the last line taken: its number over all files. */
  get position(): Position {
    const place = BigInt(this.#counts.lines)
    return { commit: place, prepare: place }
  }

  /** The event of a line; undefined where it gives none. */
  take(line: Line, log: LineSource): RecordedEvent | undefined {
    const noted = this.note(line, log)
    return noted && this.#event(noted)
  }

  /** The event of a line of which others before it may have been left out: `place` is its number over all files. */
  takeAt(place: number, line: Line, log: LineSource): RecordedEvent | undefined {
    this.#counts.lines = place - 1
    return this.take(line, log)
  }

  /** Counts a line as what it is and says what event it gives, without making it; undefined where it gives none. */
  note(line: Line, { file, category }: LineSource): NotedLine | undefined {
    this.#counts.lines += 1
    if (line.kind === 'broken') return this.#broken({ file, line: line.number, why: line.why }, category, NO_BYTES)
    const read = readTransactionLine(line.bytes, this.#options.key)
    if (read.kind === 'broken') {
      return this.#broken({ file, line: line.number, why: read.why }, category, line.bytes, read.id)
    }
    if (read.kind === 'blank') {
      this.#counts.blank += 1
      return undefined
    }
    if (!this.#isAskedFor(read, category)) {
      this.#counts.otherType += 1
      return undefined
    }
    this.#counts[category === 'paymentlog' ? 'payments' : 'tickets'] += 1
    return { category, id: read.id, type: read.type, contentType: 'application/json', data: line.bytes }
  }

  /**
   * Counts lines behind those counted so far as what somebody else saw in them, and tells their problems, whose line numbers count from the first of
   * those lines. `linesBefore`: how many lines of their file stand before them.
   */
  countMore(report: LogReport, problems: readonly LogProblem[], linesBefore: number): void {
    const before = this.#counts.lines
    for (const problem of problems) {
      this.#counts.lines = before + problem.line
      this.#options.onProblem({ ...problem, line: linesBefore + problem.line })
    }
    this.#counts.lines = before
    for (const name of Object.keys(report) as (keyof LogReport)[]) this.#counts[name] += report[name]
  }

  /** Our own compensations always are: a ticket that we wrote must never be written again. */
  #isAskedFor({ type, isOwn }: { type: string; isOwn?: true }, category: LogCategory): boolean {
    const { paymentTypes, ticketTypes } = this.#options
    if (category === 'ticketlog' && isOwn) return true
    return (category === 'paymentlog' ? paymentTypes : ticketTypes)?.includes(type) ?? true
  }

  #broken(problem: LogProblem, category: LogCategory, data: Uint8Array, id?: string): NotedLine | undefined {
    this.#counts.broken += 1
    this.#options.onProblem(problem)
    // A payment that cannot be read is no reason to withhold a ticket; a ticket that cannot be read is.
    if (category === 'paymentlog') return undefined
    if (id === undefined) this.#counts.unattributableTickets += 1
    return { category, id: id ?? '', type: UNREADABLE_LINE, contentType: 'application/octet-stream', data }
  }

  #event({ category, id, type, contentType, data }: NotedLine): RecordedEvent {
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
