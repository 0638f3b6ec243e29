// The states of subjects at the moment that a cut is advanced to: as they were at the cut, with the events since folded into them. They are made when
// asked for and not kept, so that memory holds one at a time.
import { Fold, type FoldCounts, type FoldedSubject } from '../engine/fold.js'
import type { Projection } from '../engine/projection.js'
import type { Delta } from './delta.js'
import { keysOf } from './key-record.js'
import type { Past } from './past.js'
import type { SubjectEntry } from './subject-entry.js'

/** A state, and the shared keys that the subject used at the cut. */
export interface Restored {
  readonly folded: FoldedSubject
  readonly keysBefore: readonly string[]
}

export class States {
  readonly #past: Past
  readonly #delta: Delta
  readonly #projection: Projection
  readonly #entries = new Map<string, SubjectEntry>()
  readonly #looked = new Set<string>()

  constructor(past: Past, delta: Delta, projection: Projection) {
    this.#past = past
    this.#delta = delta
    this.#projection = projection
  }

  /** What is known of a subject at the cut, of those that were found. */
  entryOf(subject: string): SubjectEntry | undefined {
    return this.#entries.get(subject)
  }

  /** Finds subjects at the cut and gives their names in the order in which their states are quickly read. Throws SnapshotDamagedError. */
  find(subjects: Iterable<string>): string[] {
    const all = [...new Set(subjects)]
    const unknown = all.filter((subject) => !this.#looked.has(subject))
    for (const [subject, entry] of this.#past.find(unknown)) this.#entries.set(subject, entry)
    for (const subject of unknown) this.#looked.add(subject)
    return all.sort((a, b) => comparePlaces(this.#entries.get(a), this.#entries.get(b)))
  }

  /** A subject that was found; undefined where it has no state. Its new events are counted. Throws SnapshotDamagedError. */
  restore(subject: string, counting: Fold = new Fold(this.#projection)): Restored | undefined {
    const entry = this.#entries.get(subject)
    const past = entry && this.#past.load(subject, entry)
    const keysBefore = past ? keysOf(past, this.#projection) : []
    if (past) counting.subjects.set(subject, past)
    for (const { event, ordinal } of this.#delta.of(subject)) counting.add(event, ordinal)
    const folded = counting.subjects.get(subject)
    counting.subjects.delete(subject)
    return folded && { folded, keysBefore }
  }
}

/** Subjects that had no state at the cut come last. */
function comparePlaces(a: SubjectEntry | undefined, b: SubjectEntry | undefined): number {
  if (!a || !b) return Number(a === undefined) - Number(b === undefined)
  return a.cut - b.cut || a.block - b.block || a.at - b.at
}

export function sumOfCounts(...counts: readonly FoldCounts[]): FoldCounts {
  const sum: FoldCounts = { events: 0, streams: 0, undecodable: 0, gaps: 0, unattributable: 0 }
  for (const each of counts) for (const name of Object.keys(sum) as (keyof FoldCounts)[]) sum[name] += each[name]
  return sum
}
