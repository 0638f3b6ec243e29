// What one thread does in a survey: it claims ranges of the logs until none are left, hands each id to the thread that keeps it, keeps those
// of its own, and says in the end which of their lines are not settled.
import type { MessagePort } from 'node:worker_threads'
import { IdExchange, type Sharing } from './id-exchange.js'
import { IdTable, type SettledCounts } from './id-table.js'
import type { LineBlock } from './line-blocks.js'
import { type ByteRange, RangeReader } from './line-ranges.js'
import { readBlocks } from './lines.js'
import type { LineSource } from './log-pass.js'
import { type LineRules, type Stretch, StretchSurveyor } from './stretch.js'

/** A log to survey. */
export interface TaskLog extends LineSource {
  /** How long the file was when the survey began: what is appended meanwhile is not looked at. */
  readonly bytes: number
  /** It has to be read from its start; then there is one thread. */
  readonly isPacked: boolean
}

/** What all threads of one round are told. */
export interface SurveyTask extends LineRules, Omit<Sharing, 'thread'> {
  /** All payments before all tickets. */
  readonly logs: readonly TaskLog[]
  readonly rangeBytes: number
  /** What the ids of all threads may take of memory. */
  readonly bytesMax: number
}

/** A stretch that was looked at. */
export interface StretchReport {
  /** The number of the range in the order of the logs. */
  readonly ordinal: number
  /** Of the task's logs, its own. */
  readonly log: number
  readonly thread: number
  /** How many lines its thread had looked at before it. */
  readonly linesBefore: number
  readonly stretch: Stretch
  /** What the thread's ids take of memory. */
  readonly bytes: number
}

interface Range extends ByteRange {
  readonly log: number
}

/** A range that this thread has claimed. */
interface Claim {
  readonly ordinal: number
  readonly range: Range
  readonly blocks: Promise<readonly LineBlock[]>
}

/** A range, or a part of a packed log. */
type ReadRange = Pick<StretchReport, 'ordinal' | 'log'> & {
  readonly offset: number
  readonly blocks: readonly LineBlock[]
}

export class SurveyPart {
  readonly #task: SurveyTask
  readonly #thread: number
  readonly #table = new IdTable()
  readonly #exchange: IdExchange
  /** How many ranges have been claimed by all threads. */
  readonly #claims: Int32Array

  constructor(task: SurveyTask, thread: number, claims: Int32Array, ports: readonly (MessagePort | undefined)[]) {
    this.#task = task
    this.#thread = thread
    this.#claims = claims
    this.#exchange = new IdExchange(this.#table, { ...task, thread }, ports)
  }

  /** Surveys ranges for as long as there are any. Throws LogFileError, IdTableFullError, and what `fail` was told. */
  async *survey(): AsyncGenerator<StretchReport, void, undefined> {
    const { logs } = this.#task
    const surveyor = new StretchSurveyor(this.#task, this.#exchange)
    for await (const { ordinal, log, offset, blocks } of this.#read()) {
      const { linesBefore } = this.#exchange
      const stretch = surveyor.survey(blocks, logs[log] as TaskLog, offset)
      if (linesBefore === 0) this.#reserve(stretch.counts.lines)
      await this.#exchange.endStretch(stretch.counts.lines)
      yield { ordinal, log, thread: this.#thread, linesBefore, stretch, bytes: this.#table.bytes }
    }
    await this.#exchange.end()
  }

  /** Makes room for as many ids as there would be if each payment had one, going by the lines of a first range. */
  #reserve(linesInRange: number): void {
    const { logs, rangeBytes, rounds, threads, bytesMax } = this.#task
    const paid = logs.filter(({ category, isPacked }) => category === 'paymentlog' && !isPacked)
    const ranges = paid.reduce((sum, { bytes }) => sum + bytes, 0) / rangeBytes
    this.#table.reserve((ranges * linesInRange) / threads / rounds, bytesMax / 4 / threads)
  }

  /** What is settled of this thread's ids; of the others, picks the lines. */
  settle(last: number, pick: (lineId: number) => void): SettledCounts {
    return this.#table.settle(last, pick)
  }

  fail(reason: unknown): void {
    this.#exchange.fail(reason)
  }

  close(): void {
    this.#exchange.close()
  }

  async *#read(): AsyncGenerator<ReadRange, void, undefined> {
    const ranges = rangesOf(this.#task)
    const readers = [new RangeReader(), new RangeReader()] as const
    // While one range is looked at, the next one is read.
    let next = this.#claim(ranges, readers[0])
    try {
      for (let turn = 1; next; turn += 1) {
        const claim: Claim = next
        const blocks = await claim.blocks
        next = this.#claim(ranges, turn % 2 === 0 ? readers[0] : readers[1])
        yield* this.#blocksOf(claim, blocks)
      }
    } finally {
      await next?.blocks.catch(() => {})
      for (const reader of readers) await reader.close()
    }
  }

  #claim(ranges: readonly Range[], reader: RangeReader): Claim | undefined {
    const ordinal = Atomics.add(this.#claims, 0, 1)
    const range = ranges[ordinal]
    if (!range) return undefined
    const blocks = this.#logOf(range).isPacked ? Promise.resolve([]) : reader.read(range)
    // Its failure is told where it is awaited.
    blocks.catch(() => {})
    return { ordinal, range, blocks }
  }

  async *#blocksOf(
    { ordinal, range }: Claim,
    blocks: readonly LineBlock[],
  ): AsyncGenerator<ReadRange, void, undefined> {
    const { log, start, file, size } = range
    if (!this.#logOf(range).isPacked) {
      yield { ordinal, log, offset: start, blocks }
      return
    }
    for await (const block of readBlocks(file, size)) yield { ordinal, log, offset: block.offset, blocks: [block] }
  }

  #logOf({ log }: Range): TaskLog {
    return this.#task.logs[log] as TaskLog
  }
}

/** The logs in ranges, in their order; a packed one is one range. */
function rangesOf({ logs, rangeBytes }: SurveyTask): Range[] {
  return logs.flatMap(({ file, bytes, isPacked }, log) => {
    const count = isPacked ? 1 : Math.ceil(bytes / rangeBytes)
    return Array.from({ length: count }, (_, i): Range => {
      const start = i * rangeBytes
      return { log, file, start, end: isPacked ? bytes : Math.min(start + rangeBytes, bytes), size: bytes }
    })
  })
}
