// The subjects that are held in memory: the ones touched last. Whoever is not here is read again from its streams, as of the place in
// the log that the watch has come to, so that the past is never mixed with what it has not yet seen.
import { Fold, type FoldCounts, type FoldedSubject, incompletenessOf } from '../engine/fold.js'
import type { Projection } from '../engine/projection.js'
import { readSubject } from '../engine/subject.js'
import type { RecordedEvent } from '../log/event.js'
import type { EventReader } from '../log/event-store.js'
import { comparePositions, type Position } from '../log/position.js'
import { metadataStreamOf, streamOf } from '../log/stream.js'

/** Subjects read at once. */
const READ_AT_ONCE = 64

/** A subject in memory. */
export interface Resident {
  readonly folded: FoldedSubject
  /** Where its first event stands: subjects are ordered by it, as a replay orders them. */
  readonly first: Position
}

export class Residents {
  readonly #reader: EventReader
  readonly #fold: Fold
  /** In step with the fold's subjects; the one touched last is at the end. */
  readonly #firsts = new Map<string, Position>()
  /** Everything since the log's start was seen, and nothing dropped: who is not here has no events yet. */
  #isComplete: boolean

  constructor(reader: EventReader, projection: Projection, { fromStart }: { fromStart: boolean }) {
    this.#reader = reader
    this.#fold = new Fold(projection)
    this.#isComplete = fromStart
  }

  get size(): number {
    return this.#firsts.size
  }

  /** Whether everybody who has events is here, so that nobody has to be brought. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  /** Counts of what was folded here; subjects read again are not counted twice. */
  get counts(): Fold['counts'] {
    return this.#fold.counts
  }

  subjectOf(event: RecordedEvent): string | undefined {
    return this.#fold.subjectOf(event)
  }

  get(subject: string): Resident | undefined {
    const folded = this.#fold.subjects.get(subject)
    const first = this.#firsts.get(subject)
    return folded && first && { folded, first }
  }

  /** Folds the next event of the log. Its subject must have been brought, as of the place before it. */
  add(event: RecordedEvent, subject: string): void {
    this.#fold.add(event)
    if (this.#fold.subjects.has(subject)) this.#touch(subject, this.#firsts.get(subject) ?? event.position)
  }

  /** Takes over a subject that was folded elsewhere, from everything up to the place that is reached. */
  put({ folded, first }: Resident): void {
    this.#fold.subjects.set(folded.subject, folded)
    this.#touch(folded.subject, first)
  }

  /** Counts what was folded elsewhere. */
  addCounts(counts: readonly Readonly<FoldCounts>[]): void {
    const sum = this.#fold.counts
    for (const some of counts) for (const name of Object.keys(sum) as (keyof FoldCounts)[]) sum[name] += some[name]
  }

  /**
   * Brings subjects into memory, each as it was at its place in the log (inclusive). Those that are here stay as they are; those without
   * events stay away. Throws what the reader throws; then some may be here and others not.
   */
  async bring(wanted: Iterable<readonly [subject: string, upTo: Position]>): Promise<void> {
    const absent = [...wanted].filter(([subject]) => !this.#firsts.has(subject))
    for (let start = 0; start < absent.length; start += READ_AT_ONCE) {
      await Promise.all(absent.slice(start, start + READ_AT_ONCE).map(([subject, upTo]) => this.#load(subject, upTo)))
    }
  }

  /** Forgets a subject. */
  drop(subject: string): void {
    this.#isComplete = false
    this.#firsts.delete(subject)
    this.#fold.subjects.delete(subject)
  }

  /** Forgets the ones touched longest ago until at most `max` are left. */
  trim(max: number): void {
    for (const subject of this.#firsts.keys()) {
      if (this.#firsts.size <= max) return
      this.drop(subject)
    }
  }

  #touch(subject: string, first: Position): void {
    // Only what may be dropped has to be kept in order.
    if (!this.#isComplete) this.#firsts.delete(subject)
    this.#firsts.set(subject, first)
  }

  async #load(subject: string, upTo: Position): Promise<void> {
    const { projection } = this.#fold
    const { folded, events, limiting } = await readSubject(this.#reader, projection, subject, { upTo })
    // What is cut off or deleted by now may not have been then, or the other way round: of metadata only the last can be read. The log itself
    // keeps everything until it is scavenged.
    const isExact = incompletenessOf(folded).length === 0 && limiting.every(({ revision }) => revision === 0)
    const resident = isExact ? residentOf(folded, events[0]) : await this.#readFromLog(subject, upTo)
    if (!resident) return
    this.#fold.subjects.set(subject, resident.folded)
    this.#touch(subject, resident.first)
  }

  async #readFromLog(subject: string, upTo: Position): Promise<Resident | undefined> {
    const fold = new Fold(this.#fold.projection)
    const streams = fold.projection.categories.map((category) => streamOf(category, subject))
    const filter = { streamPrefixes: streams.flatMap((stream) => [stream, metadataStreamOf(stream)]) }
    let first: RecordedEvent | undefined
    for await (const { events, position } of this.#reader.readAll({ filter })) {
      for (const event of events) {
        if (comparePositions(event.position, upTo) > 0) break
        fold.add(event)
        if (fold.subjects.has(subject)) first ??= event
      }
      if (comparePositions(position, upTo) >= 0) break
    }
    return residentOf(fold.subjects.get(subject), first)
  }
}

function residentOf(folded: FoldedSubject | undefined, first: RecordedEvent | undefined): Resident | undefined {
  return folded && first && { folded, first: first.position }
}
