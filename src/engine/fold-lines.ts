// A fold of one part of a log, whose results are lines: what a distributed engine's workers run, each on the subjects of its part, and what is merged
// afterwards (fold-lines-merge.ts). Findings that only all parts together can tell are left to the merge; the lines carry what it needs for them.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { LineEvent } from '../log/event-line.js'
import { formatTicks, ticksOfMs } from '../log/ticks.js'
import { detectSubject, sharedUsesOf } from './detect.js'
import { isRepairable } from './finding.js'
import { Fold, type FoldCounts, type FoldedSubject, revisionsOf } from './fold.js'
import { LineNumbers } from './fold-lines-numbers.js'
import { type LineUse, PART_FORMAT, type PartLine, type ResultLine, type SubjectLine } from './fold-lines-shape.js'
import { foldPart } from './fold-part.js'
import { type MemoryLimit, type Part, PartitionedLog } from './partitioned-log.js'
import type { Projection, RuleContext } from './projection.js'

export interface FoldLinesOptions {
  /** What rules take for the present, in milliseconds since the Unix epoch: the same for all parts. */
  readonly now: number
  /** Left out: everything is held in memory. */
  readonly memory?: MemoryLimit
  readonly signal?: AbortSignal
}

/** A line of a part that cannot stand where it does. */
export class LineOrderError extends Error {
  override readonly name = 'LineOrderError'
}

/** No fold looks at it, and lines have none. */
const NOWHERE = { commit: 0n, prepare: 0n }

/** Takes the events of some subjects, all of each, in log order; then gives the result lines. */
export class FoldLines {
  readonly #projection: Projection
  readonly #options: FoldLinesOptions
  readonly #context: RuleContext
  readonly #log: PartitionedLog
  readonly #numbers: LineNumbers
  #firstEvent: string | null = null
  #lastNumber: number | undefined

  constructor(projection: Projection, options: FoldLinesOptions) {
    this.#projection = projection
    this.#options = options
    this.#context = { now: options.now, lookups: {} }
    this.#log = new PartitionedLog(projection, options.memory)
    this.#numbers = new LineNumbers(this.#log)
  }

  /**
   * Takes the next event. `number`: which line of the whole log it is; needed where there are several parts, so given with all lines or with none.
   * Throws LineOrderError and ScratchError.
   */
  add(event: LineEvent, number?: number): void {
    if (this.#firstEvent === null) this.#firstEvent = event.id
    else refuseOrder(this.#lastNumber, number)
    if (number !== undefined) this.#numbers.note(event.stream, this.#log.taken, number)
    this.#lastNumber = number
    this.#log.add({ ...event, position: NOWHERE })
  }

  /** The result, the part's own line last: without it the lines are not all there. Throws ScratchError and the signal's reason. */
  async *results(): AsyncIterable<ResultLine> {
    const counts = { ...this.#log.unownedCounts, subjects: 0 }
    let told = 0
    for (const part of this.#log.parts()) {
      this.#options.signal?.throwIfAborted()
      const fold = new Fold(this.#projection)
      for (const line of this.#linesOfPart(part, fold, counts)) {
        told += 1
        yield line
      }
      for (const name of Object.keys(fold.counts) as (keyof FoldCounts)[]) counts[name] += fold.counts[name]
      // So that a signal can come through.
      await nextTurn()
    }
    yield this.#partLine(counts, told)
  }

  close(): void {
    this.#log.close()
  }

  #linesOfPart(part: Part, fold: Fold, counts: { subjects: number }): readonly SubjectLine[] {
    const lines: SubjectLine[] = []
    for (const folded of foldPart(part, fold)) {
      counts.subjects += 1
      const line = this.#lineOf(folded)
      if (line.findings.length > 0 || line.uses.length > 0) lines.push(line)
    }
    const numbers = this.#numbers.of(lines)
    return lines.map((line) => ({ ...line, ordinal: numbers.get(line.ordinal) ?? line.ordinal }))
  }

  /** Its ordinal is still a place in this part. */
  #lineOf(folded: FoldedSubject): SubjectLine {
    const { subject, ordinal } = folded
    const findings = detectSubject(folded, this.#projection, this.#context)
    const uses = [...this.#usesOf(folded)]
    const mayWait = findings.some(isRepairable) || (uses.length > 0 && this.#repairsShared)
    const unmet = mayWait ? this.#unmet(folded) : undefined
    return {
      type: 'subject',
      subject,
      ordinal,
      revisions: revisionsOf(folded, this.#projection),
      findings,
      uses,
      ...unmet,
    }
  }

  *#usesOf(folded: FoldedSubject): Iterable<LineUse> {
    for (const { rule: index, use } of sharedUsesOf(folded, this.#projection)) {
      const rule = this.#projection.sharedKeys?.[index]
      if (!rule) throw new Error(`a use of shared key ${index}, which ${this.#projection.name} does not have`)
      yield { rule: rule.id, use }
    }
  }

  get #repairsShared(): boolean {
    return this.#projection.sharedKeys?.some(({ disposition }) => disposition === 'repair') ?? false
  }

  /** Guards that do not hold now, where there are any. */
  #unmet({ state }: FoldedSubject): { unmet: readonly string[] } | undefined {
    const unmet = this.#projection.unmetGuards?.(state, this.#context) ?? []
    return unmet.length > 0 ? { unmet } : undefined
  }

  #partLine(counts: PartLine['counts'], told: PartLine['lines']): PartLine {
    const { name: projection, version } = this.#projection
    const now = formatTicks(ticksOfMs(this.#options.now))
    const firstEvent = this.#firstEvent
    const numbered = firstEvent === null || this.#lastNumber !== undefined
    return { type: 'part', format: PART_FORMAT, projection, version, now, numbered, firstEvent, counts, lines: told }
  }
}

function refuseOrder(last: number | undefined, number: number | undefined): void {
  if ((last === undefined) !== (number === undefined)) {
    throw new LineOrderError('some lines are numbered and some are not')
  }
  if (last !== undefined && number !== undefined && number <= last) {
    throw new LineOrderError(`number ${number} comes after ${last}: the lines must stand in the order of the log`)
  }
}
