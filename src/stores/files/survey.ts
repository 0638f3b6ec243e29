// A survey of two logs: every line is looked at, none is kept. It finds the transactions that are settled, which have a ticket and nothing
// unreadable, and picks the lines of all the others. What the ids take of memory is bounded: where all of them are too many, the files
// are read in several rounds, each for a share of the ids.
import { isUtf8 } from 'node:buffer'
import { stat } from 'node:fs/promises'
import type { LeftOut } from '../../log/event.js'
import { IdBatch, IdTable, IdTableFullError } from './id-table.js'
import { lineEnd, trimLine } from './line-blocks.js'
import { LineScanner } from './line-scanner.js'
import { LineSet } from './line-set.js'
import { readBlocks } from './lines.js'
import type { LineSource, LogPass, LogReport, NotedLine } from './log-pass.js'
import { NumberList } from './number-list.js'
import { TICKET_ISSUED } from './transaction-line.js'

/** What is known of a transaction. */
const [PAID, TICKETED, HELD] = [1, 2, 4]
/** So many ids are put into the table together. */
const PENDING_MAX = 256
/** More rounds than this would take for ever. */
const ROUNDS_MAX = 1024

export interface SurveyOptions {
  /** All payments before all tickets. */
  readonly logs: readonly LineSource[]
  /** The path to the transaction id. */
  readonly key: readonly string[]
  readonly paymentTypes?: readonly string[]
  readonly ticketTypes?: readonly string[]
  /** A new pass, whose counts are those of the survey. */
  readonly newPass: () => LogPass
  /** What the ids may take of memory; beside it, less than a byte a line is used. */
  readonly bytesMax: number
  readonly signal?: AbortSignal
}

/** A log with its lines: picked are those that have to be given. */
export interface SurveyedLog extends LineSource {
  /** How long the file was when the survey began: what is appended meanwhile is not looked at. */
  readonly bytes: number
  readonly lines: LineSet
  /** The number of the last line that gives an event; 0 where none does. */
  lastEvent: number
  /** It has lines that could not be kept, so that lines cannot be found by their places. */
  hasGaps: boolean
}

export interface Survey {
  readonly logs: readonly SurveyedLog[]
  readonly leftOut: LeftOut
  /** With the counts of all lines. */
  readonly pass: LogPass
}

/**
 * Surveys logs that can be read twice. Yields after each block, with the counts so far. Returns undefined where there are too many ids or too long
 * ones. The last event of the logs is always picked. Throws LogFileError and the signal's reason.
 */
export async function* surveyLogs(options: SurveyOptions): AsyncGenerator<LogReport, Survey | undefined, undefined> {
  try {
    const sizes = await Promise.all(options.logs.map(async ({ file }) => (await stat(file)).size))
    for (let rounds = 1; rounds <= ROUNDS_MAX; rounds *= 2) {
      const survey = yield* surveyInRounds({ ...options, rounds, sizes })
      if (survey !== 'too many ids') return survey
    }
  } catch (error) {
    if (!(error instanceof IdTableFullError)) throw error
  }
  return undefined
}

async function* surveyInRounds(
  options: SurveyOptions & { rounds: number; sizes: readonly number[] },
): AsyncGenerator<LogReport, Survey | 'too many ids', undefined> {
  const { rounds, sizes } = options
  const logs = options.logs.map((log, i) => beginLog(log, sizes[i] as number))
  const leftOut = { events: 0, streams: 0, subjects: 0 }
  let pass: LogPass | undefined
  for (let round = 0; round < rounds; round += 1) {
    const share = new Share({ ...options, logs, round, rounds })
    pass ??= share.pass
    for (const log of logs) {
      const look = share.lookAt(log)
      for await (const block of readBlocks(log.file, log.bytes)) {
        if (block.kind === 'broken') look.takeBroken(block)
        else look.takeLines(block.bytes, block.offset)
        if (share.bytes > options.bytesMax) return 'too many ids'
        yield pass.report
        options.signal?.throwIfAborted()
      }
    }
    const settled = share.settle()
    leftOut.events += settled.events
    leftOut.streams += settled.streams
    leftOut.subjects += settled.subjects
  }
  return { logs, leftOut, pass: pass as LogPass }
}

function beginLog(log: LineSource, bytes: number): SurveyedLog {
  return { ...log, bytes, lines: new LineSet(), lastEvent: 0, hasGaps: false }
}

/** The ids of one round and the lines that speak of them. */
class Share {
  readonly pass: LogPass
  readonly table = new IdTable()
  readonly isFirst: boolean
  readonly scanner: LineScanner
  readonly #options: SurveyOptions & { logs: readonly SurveyedLog[]; round: number; rounds: number }
  readonly #looks: Look[] = []
  #subjects = 0
  #streams = 0

  constructor(options: SurveyOptions & { logs: readonly SurveyedLog[]; round: number; rounds: number }) {
    this.#options = options
    this.pass = options.newPass()
    this.isFirst = options.round === 0
    this.scanner = new LineScanner(options.key)
  }

  get bytes(): number {
    return this.#looks.reduce((sum, look) => sum + look.bytes, this.table.bytes)
  }

  lookAt(log: SurveyedLog): Look {
    const { paymentTypes, ticketTypes } = this.#options
    const look = new Look(this, log, log.category === 'paymentlog' ? paymentTypes : ticketTypes)
    this.#looks.push(look)
    return look
  }

  has(hash: number): boolean {
    const { round, rounds } = this.#options
    // Other bits than those that choose a slot of the table.
    return rounds === 1 || (Math.imul(hash, 0x9e3779b1) >>> 22) % rounds === round
  }

  /** Notes what a line says of an id. */
  note(ref: number, flag: number): void {
    const before = this.table.flags(ref)
    const after = before | flag
    if (after === before) return
    this.table.setFlags(ref, after)
    this.#subjects += Number(isSettled(after)) - Number(isSettled(before))
    this.#streams += streamsIfSettled(after) - streamsIfSettled(before)
  }

  /** Picks the lines of what is not settled, and counts what is. */
  settle(): LeftOut {
    const lastLook = this.#looks.findLast(({ log }) => log.lastEvent > 0)
    lastLook?.holdLast()
    let events = 0
    for (const look of this.#looks) events += look.settle()
    return { events, streams: this.#streams, subjects: this.#subjects }
  }
}

function isSettled(flags: number): boolean {
  return (flags & (TICKETED | HELD)) === TICKETED
}

function streamsIfSettled(flags: number): number {
  if (!isSettled(flags)) return 0
  return (flags & PAID) === 0 ? 1 : 2
}

/** One round's look at one log. */
class Look {
  readonly log: SurveyedLog
  readonly #share: Share
  readonly #flag: number
  readonly #types: readonly Uint8Array[] | undefined
  /** References of ids, and the numbers of the lines that name them. */
  readonly #refs = new NumberList()
  readonly #numbers = new NumberList()
  /** Ids that wait to be put into the table together, and the numbers of their lines. */
  readonly #pending = new IdBatch(PENDING_MAX)
  readonly #pendingNumbers = new Float64Array(PENDING_MAX)
  #number = 0

  constructor(share: Share, log: SurveyedLog, types: readonly string[] | undefined) {
    this.#share = share
    this.log = log
    this.#flag = log.category === 'paymentlog' ? PAID : TICKETED
    this.#types = types?.map((type) => Buffer.from(type))
  }

  get bytes(): number {
    return this.#refs.bytes + this.#numbers.bytes
  }

  takeLines(bytes: Uint8Array, offset: number): void {
    const isValid = isUtf8(bytes)
    for (let start = 0; start < bytes.length; ) {
      this.#begin(offset + start)
      const end = this.#share.scanner.scan(bytes, start)
      const isKnown = end > 0 && (isValid || isUtf8(bytes.subarray(start, end))) && this.#takeScanned(bytes)
      start = isKnown ? end : this.#takeInFull(bytes, start)
    }
    this.#keepPending(this.#flag)
  }

  takeBroken({ why, offset }: { why: string; offset: number }): void {
    this.#begin(offset)
    this.log.hasGaps = true
    this.#takeNoted(this.#share.pass.note({ kind: 'broken', number: this.#number, why }, this.log))
  }

  /** The last event of the logs is always given: it says how far they reach. */
  holdLast(): void {
    const last = this.#numbers.length - 1
    if (last >= 0 && this.#numbers.at(last) === this.log.lastEvent) this.#share.note(this.#refs.at(last), HELD)
  }

  /** Picks the lines of ids that are not settled; returns how many are of those that are. */
  settle(): number {
    let settled = 0
    for (let i = 0; i < this.#refs.length; i += 1) {
      if (isSettled(this.#share.table.flags(this.#refs.at(i)))) settled += 1
      else this.log.lines.pick(this.#numbers.at(i))
    }
    return settled
  }

  #begin(offset: number): void {
    this.#number += 1
    if (this.#share.isFirst) this.log.lines.add(offset)
  }

  /** Takes a line as the scanner understood it; false where it must be read in full after all. */
  #takeScanned(bytes: Uint8Array): boolean {
    const { scanner, pass } = this.#share
    const isAsked = this.#types?.some((type) => isTypeAt(bytes, scanner, type)) ?? true
    // It could be one that we wrote, which counts whatever types are asked for.
    if (!isAsked && isTypeAt(bytes, scanner, OWN_TYPE)) return false
    if (isAsked) {
      pass.countEvent(this.log.category)
      this.#await(bytes, scanner.idStart, scanner.idEnd)
      if (this.#pending.count === PENDING_MAX) this.#keepPending(this.#flag)
    } else {
      pass.countOtherType()
    }
    return true
  }

  /** Returns the place behind the line. */
  #takeInFull(bytes: Uint8Array, start: number): number {
    // The lines before this one come before it.
    this.#keepPending(this.#flag)
    const end = lineEnd(bytes, start)
    const line = trimLine(bytes.subarray(start, end - 1), this.#number)
    this.#takeNoted(this.#share.pass.note({ kind: 'line', number: this.#number, bytes: line }, this.log))
    return end
  }

  #takeNoted(noted: NotedLine | undefined): void {
    if (!noted) return
    if (noted.id === '') {
      this.log.lastEvent = this.#number
      this.log.lines.pick(this.#number)
      return
    }
    const id = Buffer.from(noted.id)
    this.#await(id, 0, id.length)
    this.#keepPending(noted.contentType === 'application/json' ? this.#flag : HELD)
  }

  /** Lets the id of a line that gives an event wait for others, where it is one of this round's. */
  #await(bytes: Uint8Array, start: number, end: number): void {
    const pending = this.#pending
    this.#pendingNumbers[pending.count] = this.#number
    // In later rounds it is set again to what it is.
    this.log.lastEvent = this.#number
    if (!this.#share.has(pending.add(bytes, start, end))) pending.dropLast()
  }

  #keepPending(flag: number): void {
    const pending = this.#pending
    const { table } = this.#share
    table.touch(pending)
    for (let i = 0; i < pending.count; i += 1) {
      const ref = table.put(pending, i)
      this.#share.note(ref, flag)
      this.#refs.push(ref)
      this.#numbers.push(this.#pendingNumbers[i] as number)
    }
    pending.clear()
  }
}

const OWN_TYPE = Buffer.from(TICKET_ISSUED)

function isTypeAt(bytes: Uint8Array, { typeStart, typeEnd }: LineScanner, type: Uint8Array): boolean {
  if (typeEnd - typeStart !== type.length) return false
  for (let i = 0; i < type.length; i += 1) if (bytes[typeStart + i] !== type[i]) return false
  return true
}
