// From one cut to a later one: the events in between are folded into the states as they were, and whoever they or time could make a difference to is
// judged again, by the fold and the rules of a replay. Everybody else's results stand.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { detectShared, groupSharedUses, type SharedUse, type SharedUses, sharedUsesOf } from '../engine/detect.js'
import { compareFindings, isRepairable } from '../engine/finding.js'
import { Fold, type FoldCounts, type FoldedSubject } from '../engine/fold.js'
import { judgeSubject } from '../engine/judge-part.js'
import { nextDeadline } from '../engine/next-deadline.js'
import type { Projection, RuleContext } from '../engine/projection.js'
import type { Delta } from './delta.js'
import { keysOf } from './key-record.js'
import { type KeysOfSubject, KeyTable } from './key-table.js'
import type { Past } from './past.js'
import type { SubjectResult } from './result-record.js'
import { type Restored, States, sumOfCounts } from './states.js'
import type { SubjectEntry } from './subject-entry.js'

/** Where a state lies. */
export type StatePlace = Pick<SubjectEntry, 'cut' | 'mark' | 'block' | 'at' | 'length'>

export interface AdvanceOptions {
  readonly projection: Projection
  /** Milliseconds since the Unix epoch; not before that of the cut. */
  readonly now: number
  /** Keeps the state of a subject that has new events, and says where. Left out: nobody will ask for it. */
  readonly keep?: (folded: FoldedSubject) => StatePlace
  readonly signal?: AbortSignal
}

/** A subject that was judged again. */
export interface Judged {
  /** What was known of it at the cut. */
  readonly entry: SubjectEntry | undefined
  /** Where its state lies now, where it is kept. */
  readonly place: StatePlace | undefined
  /** As in its entry. */
  readonly deadline: number
  readonly keys: KeysOfSubject
  readonly result: SubjectResult
}

/** What is different from the cut. */
export interface Advance {
  readonly judged: ReadonlyMap<string, Judged>
  readonly counts: FoldCounts
  readonly subjects: number
}

/** The rules look at `now`, and the projection does not say when they have to be asked again. */
export class NowWithoutDeadlinesError extends Error {
  override readonly name = 'NowWithoutDeadlinesError'
  constructor(projection: string) {
    super(
      `${projection}: live: its rules look at now, so snapshots must be told when: add live: { deadlines(state) {…} }`,
    )
  }
}

/** Throws SnapshotDamagedError, NowWithoutDeadlinesError, what `keep` throws, and the signal's reason. */
export async function advance(past: Past, delta: Delta, options: AdvanceOptions): Promise<Advance> {
  const advancing = new Advancing(past, delta, options)
  await advancing.judgeTouched()
  if (options.projection.sharedKeys?.length) await advancing.judgeSharing()
  return advancing.outcome()
}

/** So many subjects are looked at before anything else gets its turn. */
const SUBJECTS_PER_TURN = 500

class Advancing {
  readonly #past: Past
  readonly #delta: Delta
  readonly #options: AdvanceOptions
  readonly #context: RuleContext
  readonly #states: States
  readonly #keys: KeyTable
  readonly #counting: Fold
  readonly #judged = new Map<string, Judged>()

  constructor(past: Past, delta: Delta, options: AdvanceOptions) {
    this.#past = past
    this.#delta = delta
    this.#options = options
    this.#context = contextOf(options)
    this.#states = new States(past, delta, options.projection)
    this.#keys = new KeyTable(past)
    this.#counting = new Fold(options.projection)
  }

  /** Those that have new events, and those for whom time has passed. */
  async judgeTouched(): Promise<void> {
    const { now, keep } = this.#options
    const due = this.#past.dueBy(now).keys()
    await this.#each([...this.#delta.subjects, ...due], this.#counting, (subject, restored) => {
      const hasNew = this.#delta.of(subject).length > 0
      this.#judge(subject, restored, hasNew ? keep?.(restored.folded) : this.#states.entryOf(subject))
    })
  }

  /** Those that share a key with one of these, or did so at the cut. */
  async judgeSharing(): Promise<void> {
    const touched = [...this.#judged.keys()]
    this.#keys.learn()
    await this.#each(this.#keys.neighboursOf(touched), undefined, (subject, restored) => {
      this.#judge(subject, restored, this.#states.entryOf(subject))
    })
    this.#keys.learn()
    const sharing = this.#keys.sharing()
    const groups = await this.#groupsOf(sharing)
    await this.#each(sharing, undefined, (subject, { folded }) => {
      const judged = this.#judged.get(subject)
      if (judged) this.#judged.set(subject, { ...judged, result: this.#resultOf(folded, groups.get(subject)) })
    })
  }

  outcome(): Advance {
    const isNew = ({ entry }: Judged) => entry === undefined
    return {
      judged: this.#judged,
      counts: sumOfCounts(this.#past.info.counts, this.#delta.unownedCounts, this.#counting.counts),
      subjects: this.#past.info.subjects + [...this.#judged.values()].filter(isNew).length,
    }
  }

  async #groupsOf(sharing: readonly string[]): Promise<ReadonlyMap<string, readonly SharedUses[]>> {
    const uses: SharedUse[] = []
    await this.#each(this.#keys.usersWith(sharing), undefined, (_, { folded }) => {
      uses.push(...sharedUsesOf(folded, this.#options.projection))
    })
    return groupSharedUses(uses)
  }

  async #each(
    subjects: Iterable<string>,
    counting: Fold | undefined,
    look: (subject: string, restored: Restored) => void,
  ): Promise<void> {
    for (const [index, subject] of this.#states.find(subjects).entries()) {
      const restored = this.#states.restore(subject, counting)
      if (restored) look(subject, restored)
      if (index % SUBJECTS_PER_TURN < SUBJECTS_PER_TURN - 1) continue
      await nextTurn()
      this.#options.signal?.throwIfAborted()
    }
  }

  #judge(subject: string, { folded, keysBefore }: Restored, place: StatePlace | undefined): void {
    const { projection, now } = this.#options
    const keys = { before: keysBefore, after: keysOf(folded, projection) }
    this.#keys.note(subject, keys)
    this.#judged.set(subject, {
      entry: this.#states.entryOf(subject),
      place,
      deadline: nextDeadline(folded.state, projection, now) ?? Number.POSITIVE_INFINITY,
      keys,
      result: this.#resultOf(folded),
    })
  }

  #resultOf(folded: FoldedSubject, groups: readonly SharedUses[] = []): SubjectResult {
    const { projection } = this.#options
    const shared = detectShared(folded, groups, projection)
    const findings = judgeSubject(folded, projection, this.#context, shared).sort(compareFindings)
    const unmet = findings.some(isRepairable) ? projection.unmetGuards?.(folded.state, this.#context) : undefined
    return { findings, unmet: unmet ?? [] }
  }
}

/** Nothing would have the rules asked again when time alone changes what they say, where nobody tells when that is. */
function contextOf({ projection: { name, live }, now }: AdvanceOptions): RuleContext {
  if (live) return { now, lookups: {} }
  return {
    get now(): number {
      throw new NowWithoutDeadlinesError(name)
    },
    lookups: {},
  }
}
