// What a scan from a snapshot has found, in the order in which it is told: hashed and counted at once, looked into when it is asked for.
import { rulesOf } from '../engine/detect.js'
import { digestOfTexts, type ScanQuestion } from '../engine/digest.js'
import { type Finding, isRepairable } from '../engine/finding.js'
import type { Projection, RuleHead } from '../engine/projection.js'
import { resultIn, textsIn } from './result-record.js'
import type { RunRecord } from './run.js'

/** A finding, and the guards that its repair waits for. */
export interface ToldFinding {
  readonly finding: Finding
  readonly waitsFor: readonly string[] | undefined
}

export class Found {
  readonly digest: string
  readonly #rules: readonly RuleHead[]
  readonly #filters: ScanQuestion['filters']
  /** Findings by rule, as `rulesOf` has them. */
  readonly #counts: number[]
  readonly #values: Buffer[] = []

  /** Takes all results, in the order of their subjects. Throws SnapshotDamagedError. */
  constructor(results: Iterable<RunRecord>, projection: Projection, question: ScanQuestion) {
    this.#rules = rulesOf(projection)
    this.#filters = question.filters
    this.#counts = this.#rules.map(() => 0)
    this.digest = digestOfTexts(question, this.#textsOf(results))
  }

  /** Findings by rule; rules that found nothing are left out. */
  get byRule(): Record<string, number> {
    const counted = this.#rules.map(({ id }, index): [string, number] => [id, this.#counts[index] ?? 0])
    return Object.fromEntries(counted.filter(([, count]) => count > 0))
  }

  /** Whether there is more than what is only observed. */
  get needsSomebody(): boolean {
    return this.#rules.some(({ disposition }, index) => disposition !== 'observe' && this.#counts[index] !== 0)
  }

  *told(): Iterable<ToldFinding> {
    for (const value of this.#values) {
      const { findings, unmet } = resultIn(value)
      for (const finding of findings) {
        if (!(this.#filters.rules?.includes(finding.rule) ?? true)) continue
        yield { finding, waitsFor: unmet.length > 0 && isRepairable(finding) ? unmet : undefined }
      }
    }
  }

  *#textsOf(results: Iterable<RunRecord>): Iterable<Buffer> {
    const { rules, subjects } = this.#filters
    const wanted = this.#rules.map(({ id }) => rules?.includes(id) ?? true)
    for (const { key, value } of results) {
      if (subjects && !subjects.includes(key.toString('utf8'))) continue
      this.#values.push(value)
      for (const { rule, text } of textsIn(value)) {
        if (!wanted[rule]) continue
        this.#counts[rule] = (this.#counts[rule] ?? 0) + 1
        yield text
      }
    }
  }
}
