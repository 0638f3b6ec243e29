// A stretch of a log surveyed: lines that stand together, each looked at once, with what they say of ids handed on. Which stretch is
// looked at by whom does not matter; what the stretches say is put together in their order.
import { isUtf8 } from 'node:buffer'
import { HELD, PAID, TICKETED } from './id-batch.js'
import { type LineBlock, lineEnd, trimLine } from './line-blocks.js'
import { LineScanner } from './line-scanner.js'
import { PLACE_STRIDE } from './line-set.js'
import { type LineSource, type LogCategory, LogPass, type LogProblem, type LogReport } from './log-pass.js'
import { TICKET_ISSUED } from './transaction-line.js'

const OWN_TYPE = Buffer.from(TICKET_ISSUED)

/** Which lines count, and where they hold their ids. */
export interface LineRules {
  /** The path to the transaction id. */
  readonly key: readonly string[]
  readonly paymentTypes?: readonly string[]
  readonly ticketTypes?: readonly string[]
}

/** What a stretch says beside its ids. Lines in it count from 1. */
export interface Stretch {
  readonly counts: LogReport
  readonly problems: readonly LogProblem[]
  /** How many bytes of its file stand before it. */
  readonly offset: number
  /** Where every so many lines begin, counted from `offset`. */
  readonly places: Uint32Array
  /** The last line that gives an event; 0 where none does. */
  readonly lastEvent: number
  /** Lines that give an event of no transaction. */
  readonly nobodys: readonly number[]
  /** It has a line that could not be kept. */
  readonly hasGaps: boolean
}

/** Takes what lines say of ids. */
export interface IdSink {
  /** The id that is not empty in the bytes from `start` to `end`, and which line of the stretch says what of it. */
  take(view: DataView, start: number, end: number, marks: number, line: number): void
}

/** Surveys stretches, one after the other. */
export class StretchSurveyor {
  readonly #rules: LineRules
  readonly #sink: IdSink
  readonly #scanner: LineScanner
  readonly #types: Readonly<Record<LogCategory, readonly Uint8Array[] | undefined>>

  constructor(rules: LineRules, sink: IdSink) {
    this.#rules = rules
    this.#sink = sink
    this.#scanner = new LineScanner(rules.key)
    this.#types = { paymentlog: bytesOf(rules.paymentTypes), ticketlog: bytesOf(rules.ticketTypes) }
  }

  /** `offset`: where the stretch begins, also where it has no lines. */
  survey(blocks: readonly LineBlock[], log: LineSource, offset: number): Stretch {
    const types = this.#types[log.category]
    const look = new Look({ log, types, rules: this.#rules, scanner: this.#scanner, sink: this.#sink, offset })
    for (const block of blocks) {
      if (block.kind === 'broken') look.takeBroken(block)
      else look.takeLines(block.bytes, block.offset)
    }
    return look.end()
  }
}

function bytesOf(types: readonly string[] | undefined): readonly Uint8Array[] | undefined {
  return types?.map((type) => Buffer.from(type))
}

interface LookOptions {
  readonly log: LineSource
  readonly types: readonly Uint8Array[] | undefined
  readonly rules: LineRules
  readonly scanner: LineScanner
  readonly sink: IdSink
  readonly offset: number
}

/** A look at one stretch. */
class Look {
  readonly #options: LookOptions
  readonly #pass: LogPass
  readonly #marks: number
  readonly #problems: LogProblem[] = []
  readonly #places: number[] = []
  readonly #nobodys: number[] = []
  /** How many lines have been begun, and how many of them were seen to give an event, or to be of a type that was not asked for. */
  #line = 0
  #events = 0
  #otherType = 0
  #lastEvent = 0
  #hasGaps = false

  constructor(options: LookOptions) {
    this.#options = options
    this.#marks = options.log.category === 'paymentlog' ? PAID : TICKETED
    this.#pass = new LogPass({ ...options.rules, onProblem: (problem) => this.#problems.push(problem) })
  }

  takeLines(bytes: Uint8Array, offset: number): void {
    const { scanner } = this.#options
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const isValid = isUtf8(bytes)
    for (let start = 0; start < bytes.length; ) {
      this.#begin(offset + start)
      const end = scanner.scan(bytes, start)
      const isKnown = end > 0 && (isValid || isUtf8(bytes.subarray(start, end))) && this.#takeScanned(bytes, view)
      start = isKnown ? end : this.#takeInFull(bytes, start, offset)
    }
  }

  takeBroken({ why, offset }: { why: string; offset: number }): void {
    this.#begin(offset)
    this.#hasGaps = true
    this.#note({ kind: 'broken', number: this.#line, why })
  }

  end(): Stretch {
    const { category } = this.#options.log
    const { report } = this.#pass
    const name = category === 'paymentlog' ? 'payments' : 'tickets'
    const counts = { ...report, lines: this.#line, otherType: report.otherType + this.#otherType }
    return {
      counts: { ...counts, [name]: report[name] + this.#events },
      problems: this.#problems,
      offset: this.#options.offset,
      places: Uint32Array.from(this.#places),
      lastEvent: this.#lastEvent,
      nobodys: this.#nobodys,
      hasGaps: this.#hasGaps,
    }
  }

  #begin(offset: number): void {
    if (this.#line % PLACE_STRIDE === 0) this.#places.push(offset - this.#options.offset)
    this.#line += 1
  }

  /** Takes a line as the scanner understood it; false where it must be read in full after all. */
  #takeScanned(bytes: Uint8Array, view: DataView): boolean {
    const { scanner, sink, types } = this.#options
    const isAsked = types?.some((type) => isTypeAt(bytes, scanner, type)) ?? true
    // It could be one that we wrote, which counts whatever types are asked for.
    if (!isAsked && isTypeAt(bytes, scanner, OWN_TYPE)) return false
    if (!isAsked) {
      this.#otherType += 1
      return true
    }
    this.#events += 1
    this.#lastEvent = this.#line
    sink.take(view, scanner.idStart, scanner.idEnd, this.#marks, this.#line)
    return true
  }

  /** Returns the place behind the line. */
  #takeInFull(bytes: Uint8Array, start: number, offset: number): number {
    const end = lineEnd(bytes, start)
    const line = trimLine(bytes.subarray(start, end - 1), offset + start === 0)
    this.#note({ kind: 'line', number: this.#line, bytes: line })
    return end
  }

  #note(line: Parameters<LogPass['note']>[0]): void {
    const noted = this.#pass.note(line, this.#options.log)
    if (!noted) return
    this.#lastEvent = this.#line
    if (noted.id === '') {
      this.#nobodys.push(this.#line)
      return
    }
    const id = Buffer.from(noted.id)
    const marks = noted.contentType === 'application/json' ? this.#marks : HELD
    this.#options.sink.take(new DataView(id.buffer, id.byteOffset, id.length), 0, id.length, marks, this.#line)
  }
}

function isTypeAt(bytes: Uint8Array, { typeStart, typeEnd }: LineScanner, type: Uint8Array): boolean {
  if (typeEnd - typeStart !== type.length) return false
  for (let i = 0; i < type.length; i += 1) if (bytes[typeStart + i] !== type[i]) return false
  return true
}
