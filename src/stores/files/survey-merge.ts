// What the stretches of logs say, put together in the order of the logs, whoever looked at them and whenever they were told of.
import { lineId, lineOfId } from './id-exchange.js'
import { LineSet } from './line-set.js'
import type { LineSource, LogPass } from './log-pass.js'
import type { StretchReport, SurveyTask, TaskLog } from './survey-part.js'

/** A log with its lines: picked are those that have to be given. */
export interface SurveyedLog extends LineSource {
  /** How long the file was when the survey began: what is appended meanwhile is not looked at. */
  readonly bytes: number
  readonly isPacked: boolean
  readonly lines: LineSet
  /** It has lines that could not be kept, so that lines cannot be found by their places. */
  hasGaps: boolean
}

/** Lines that one thread looked at in a row. */
interface Run {
  /** How many lines it had looked at before. */
  readonly linesBefore: number
  readonly log: SurveyedLog
  /** The number of the first of them in its log. */
  readonly first: number
}

export class SurveyMerge {
  readonly logs: readonly SurveyedLog[]
  /** With the counts of all lines so far. */
  readonly pass: LogPass
  /** The last line that gives an event, as this round's threads call it; 0 where none does. */
  lastLineId = 0
  #isFirstRound = true
  #threads = 1
  /** By thread: its lines in the order in which it looked at them, and what its ids take of memory. */
  #runs: Run[][] = []
  #bytes: number[] = []
  /** By log: how many of its lines this round has come to. */
  #lineCounts: number[] = []
  /** Stretches that are told of before others that stand in front of them, by ordinal. */
  readonly #early = new Map<number, StretchReport>()
  #next = 0

  constructor(logs: readonly TaskLog[], pass: LogPass) {
    this.logs = logs.map((log) => ({ ...log, lines: new LineSet(), hasGaps: false }))
    this.pass = pass
  }

  /** What the ids of all threads take of memory. */
  get bytes(): number {
    return this.#bytes.reduce((sum, bytes) => sum + bytes, 0)
  }

  beginRound({ round, threads }: SurveyTask): void {
    this.#isFirstRound = round === 0
    this.#threads = threads
    this.#runs = Array.from({ length: threads }, () => [])
    this.#bytes = []
    this.#lineCounts = this.logs.map(() => 0)
    this.#next = 0
    this.lastLineId = 0
  }

  add(report: StretchReport): void {
    this.#bytes[report.thread] = report.bytes
    if (this.#threads === 1) {
      this.#take(report)
      return
    }
    this.#early.set(report.ordinal, report)
    for (let next = this.#early.get(this.#next); next; next = this.#early.get(this.#next)) {
      this.#early.delete(this.#next)
      this.#next += 1
      this.#take(next)
    }
  }

  /** Picks a line as this round's threads call it. */
  pick(id: number): void {
    const { thread, line } = lineOfId(id, this.#threads)
    const run = lastRunBefore(this.#runs[thread] ?? [], line)
    run.log.lines.pick(run.first + line - run.linesBefore - 1)
  }

  #take(report: StretchReport): void {
    const { stretch, linesBefore, thread } = report
    const log = this.logs[report.log] as SurveyedLog
    const before = this.#lineCounts[report.log] as number
    if (this.#isFirstRound) this.#takeNew(report, log, before)
    this.#lineCounts[report.log] = before + stretch.counts.lines
    if (stretch.lastEvent > 0) this.lastLineId = lineId(linesBefore + stretch.lastEvent, thread, this.#threads)
    const runs = this.#runs[thread] as Run[]
    const run = { linesBefore, log, first: before + 1 }
    if (!continues(run, runs.at(-1))) runs.push(run)
  }

  /** Later rounds say of the lines what the first one said. */
  #takeNew({ stretch }: StretchReport, log: SurveyedLog, before: number): void {
    const { counts, offset, places } = stretch
    this.pass.countMore(counts, stretch.problems, before)
    if (log.isPacked) log.lines.addUnplaced(counts.lines)
    else log.lines.add(counts.lines, offset, places)
    for (const line of stretch.nobodys) log.lines.pick(before + line)
    if (stretch.hasGaps) log.hasGaps = true
  }
}

function continues(run: Run, before: Run | undefined): boolean {
  return before?.log === run.log && run.first - before.first === run.linesBefore - before.linesBefore
}

/** The run that a thread's line is in. */
function lastRunBefore(runs: readonly Run[], line: number): Run {
  let [low, high] = [0, runs.length - 1]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((runs[middle] as Run).linesBefore < line) low = middle
    else high = middle - 1
  }
  return runs[low] as Run
}
