// What others say about subjects while the log is followed: asked beside the reading and never in its way, a few at a time, each answer good for a
// bounded time. What could not be told is unknown, and counted.
import type { LookUp } from '../engine/judge-part.js'
import type { RuleContext } from '../engine/projection.js'

export interface LiveLookupsOptions {
  readonly lookUp: LookUp
  /** Milliseconds of a steady clock. */
  readonly clock: () => number
  /** An answer counts for so long, in milliseconds. */
  readonly ageMaxMs: number
  readonly onTrouble: (error: Error) => void
}

type Answers = RuleContext['lookups']

interface Answered {
  readonly at: number
  readonly answers: Answers
}

const ASKED_AT_ONCE = 16
/** Subjects whose answers are kept, and that may wait to be asked about. */
const SUBJECTS_MAX = 10_000
/** For so long an alert waits for the answer; then it goes by what the log says. */
const PATIENCE_MS = 5_000
/** Where nobody could tell it asks again after so long. */
const RETRY_MS = 30_000

export class LiveLookups {
  readonly #options: LiveLookupsOptions
  /** The oldest first. */
  readonly #answered = new Map<string, Answered>()
  /** Since when each waits to be asked about or to be answered. */
  readonly #asking = new Map<string, number>()
  readonly #queue: string[] = []
  /** When nobody could tell; the oldest first. */
  readonly #failed = new Map<string, number>()
  readonly #toJudge = new Set<string>()
  #underWay = 0
  #failures = 0
  #skipped = 0
  #failingSince: number | undefined

  constructor(options: LiveLookupsOptions) {
    this.#options = options
  }

  /** How many subjects wait for an answer. */
  get backlog(): number {
    return this.#asking.size
  }

  /** How often nobody could tell. */
  get failures(): number {
    return this.#failures
  }

  /** Subjects that were not asked about because too many waited. */
  get skipped(): number {
    return this.#skipped
  }

  /** How long nobody could tell anything, in milliseconds. */
  get failingMs(): number | undefined {
    return this.#failingSince === undefined ? undefined : this.#options.clock() - this.#failingSince
  }

  /** What is known of a subject; undefined where nothing is, or no longer. */
  answersOf(subject: string): Answers | undefined {
    const known = this.#answered.get(subject)
    return known && this.#isFresh(known) ? known.answers : undefined
  }

  /** Whether an answer may still come in time. */
  awaits(subject: string): boolean {
    const since = this.#asking.get(subject)
    return since !== undefined && this.#options.clock() - since < PATIENCE_MS
  }

  /** Whether a subject was asked about and has not been judged by an answer yet. */
  isUnanswered(subject: string): boolean {
    return this.#asking.has(subject) || this.#failed.has(subject) || this.#toJudge.has(subject)
  }

  /** Asks about subjects of which nothing is known, or no longer. */
  want(subjects: Iterable<string>): void {
    const now = this.#options.clock()
    for (const subject of subjects) {
      if (this.#asking.has(subject) || this.#failed.has(subject) || this.answersOf(subject)) continue
      if (this.#asking.size + this.#failed.size >= SUBJECTS_MAX) {
        this.#skipped += 1
        continue
      }
      this.#asking.set(subject, now)
      this.#queue.push(subject)
    }
    this.#askNext()
  }

  /** The subjects that have to be judged again: an answer has come, or is too old. */
  takeChanged(): string[] {
    for (const [subject, known] of this.#answered) {
      if (this.#isFresh(known)) break
      this.#answered.delete(subject)
      this.#toJudge.add(subject)
    }
    this.#retryFailed()
    const changed = [...this.#toJudge]
    this.#toJudge.clear()
    return changed
  }

  #askNext(): void {
    while (this.#underWay < ASKED_AT_ONCE) {
      const subject = this.#queue.shift()
      if (subject === undefined) return
      this.#underWay += 1
      this.#ask(subject).finally(() => {
        this.#underWay -= 1
        this.#askNext()
      })
    }
  }

  async #ask(subject: string): Promise<void> {
    const { lookUp, clock, onTrouble } = this.#options
    try {
      const answers = await lookUp(subject)
      this.#failingSince = undefined
      this.#keep(subject, answers)
    } catch (error) {
      this.#failures += 1
      this.#failingSince ??= clock()
      this.#failed.set(subject, clock())
      onTrouble(error instanceof Error ? error : new Error(String(error)))
    }
    this.#asking.delete(subject)
    this.#toJudge.add(subject)
  }

  #keep(subject: string, answers: Answers): void {
    this.#answered.delete(subject)
    this.#answered.set(subject, { at: this.#options.clock(), answers })
    const [oldest] = this.#answered.keys()
    if (oldest === undefined || this.#answered.size <= SUBJECTS_MAX) return
    this.#answered.delete(oldest)
    this.#toJudge.add(oldest)
  }

  #retryFailed(): void {
    for (const [subject, at] of this.#failed) {
      if (this.#options.clock() - at < RETRY_MS) return
      this.#failed.delete(subject)
      this.want([subject])
    }
  }

  #isFresh({ at }: Answered): boolean {
    return this.#options.clock() - at < this.#options.ageMaxMs
  }
}
