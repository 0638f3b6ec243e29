// The fold: events in log order become the state of each subject, with the head of each of its streams and everything that
// makes its history less than whole. The same fold serves the replay, one subject's re-reading and the live watch.
import { type Revision, TOMBSTONE_REVISION } from '../log/revision.js'
import { categoryOf, describedBy, streamOf, subjectOf } from '../log/stream.js'
import { limitsOf, type StreamLimits } from '../log/stream-metadata.js'
import type { Ticks } from '../log/ticks.js'
import { type DecodableEvent, type Decoding, decode, type Undecodable } from './decode.js'
import type { EventRef, Projection } from './projection.js'

/** Why a subject's history is not whole: absence of an event then proves nothing. */
export interface Incompleteness {
  /** The event that shows it: the first one after a hole, the metadata that cuts, or the tombstone. */
  readonly shownBy: EventRef
  readonly why: string
}

/** One subject as folded so far. */
export interface FoldedSubject<State = unknown> {
  readonly subject: string
  /** The how-many-eth event of the reading its first one was; orders subjects by first event. */
  readonly ordinal: number
  state: State
  /** The last event seen of each of its streams, by category. */
  readonly heads: Record<string, EventRef>
  readonly undecodable: Undecodable[]
  readonly holes: Incompleteness[]
  /** What the last metadata of each stream cuts off, by category. */
  readonly limits: Record<string, Incompleteness>
}

/** What a fold has seen, in numbers. */
export interface FoldCounts {
  events: number
  streams: number
  undecodable: number
  /** Holes in streams' revisions, a first revision above 0 among them. */
  gaps: number
  /** Events in a category of the projection whose stream names no subject: they could belong to any. */
  unattributable: number
}

/** Adds what another fold has seen. */
export function addCounts(sum: FoldCounts, counts: FoldCounts): void {
  for (const name of Object.keys(sum) as (keyof FoldCounts)[]) sum[name] += counts[name]
}

/** What of a log a fold takes in; left out: everything. */
export interface FoldOptions {
  /**
   * Only what had happened by then is folded: by the projection's `occurredAt`, else by when the log took it. What cannot be decoded goes by the latter.
   * Events that had not happened are read all the same: heads and holes are those of the whole reading.
   */
  readonly happenedBy?: Ticks
}

/** When what an event tells of happened; undefined where nobody knows, in logs that keep no time. */
export function happenedAt(event: DecodableEvent, decoding: Decoding, projection: Projection): Ticks | undefined {
  const told = decoding.kind === 'decoded' ? projection.occurredAt?.(decoding.event) : undefined
  return told ?? event.created
}

/** Folds events, in log order, by subject. */
export class Fold<State = unknown> {
  readonly subjects = new Map<string, FoldedSubject<State>>()
  readonly counts: FoldCounts = { events: 0, streams: 0, undecodable: 0, gaps: 0, unattributable: 0 }
  readonly #categories: ReadonlySet<string>
  readonly #happenedBy: Ticks | undefined
  #ordinal = 0

  constructor(
    readonly projection: Projection<State>,
    { happenedBy }: FoldOptions = {},
  ) {
    this.#happenedBy = happenedBy
    this.#categories = new Set(projection.categories)
  }

  /** Takes the next event of the log, the how-many-eth it is; events of other categories are passed over. */
  add(event: DecodableEvent, ordinal: number = this.#ordinal): void {
    this.#ordinal = ordinal + 1
    const described = describedBy(event.stream)
    const category = categoryOf(described ?? event.stream)
    if (category === undefined || !this.#categories.has(category)) return
    const subject = subjectOf(described ?? event.stream)
    if (described !== undefined) {
      if (subject !== undefined) this.#addMetadata(event, category, subject)
    } else if (subject === undefined) {
      this.counts.unattributable += 1
    } else {
      this.#addEvent(event, category, subject)
    }
  }

  /** Hands over the subjects folded so far; the next event begins anew. The counts go on. */
  take(): FoldedSubject<State>[] {
    const taken = [...this.subjects.values()]
    this.subjects.clear()
    return taken
  }

  /** Whose an event is: the subject that `add` gives it to; undefined where it gives it to none. */
  subjectOf({ stream }: Pick<DecodableEvent, 'stream'>): string | undefined {
    const named = describedBy(stream) ?? stream
    return this.#categories.has(categoryOf(named) ?? '') ? subjectOf(named) : undefined
  }

  #addEvent(event: DecodableEvent, category: string, subject: string): void {
    const folded = this.#subject(subject)
    const head = folded.heads[category]?.revision
    if (isKnown(folded, event, head)) return
    if (head === undefined) this.counts.streams += 1
    if (event.revision === TOMBSTONE_REVISION) {
      this.counts.events += 1
      folded.holes.push({ shownBy: refOf(event), why: 'the stream was deleted for ever' })
      return
    }
    this.#noteHole(folded, event, head)
    folded.heads[category] = refOf(event)
    const decoding = decode(event, { category, subject }, this.projection)
    if (!this.#hadHappened(event, decoding)) return
    this.counts.events += 1
    if (decoding.kind === 'undecodable') {
      this.counts.undecodable += 1
      folded.undecodable.push(decoding.event)
    } else {
      folded.state = this.projection.evolve(folded.state, decoding.event) ?? folded.state
    }
  }

  #hadHappened(event: DecodableEvent, decoding: Decoding): boolean {
    if (this.#happenedBy === undefined) return true
    const at = happenedAt(event, decoding, this.projection)
    return at !== undefined && at <= this.#happenedBy
  }

  #noteHole(folded: FoldedSubject<State>, event: DecodableEvent, head: Revision | undefined): void {
    const expected = head === undefined ? 0 : head + 1
    if (event.revision === expected) return
    this.counts.gaps += 1
    const missing = event.revision - expected
    const what = head === undefined ? 'the first' : 'then'
    folded.holes.push({
      shownBy: refOf(event),
      why: `${what} ${missing} event${missing === 1 ? '' : 's'} missing before revision ${event.revision}`,
    })
  }

  #addMetadata(event: DecodableEvent, category: string, subject: string): void {
    const why = describeLimits(limitsOf(event.data))
    if (why !== undefined) this.#subject(subject).limits[category] = { shownBy: refOf(event), why }
    else delete this.subjects.get(subject)?.limits[category]
  }

  #subject(subject: string): FoldedSubject<State> {
    const known = this.subjects.get(subject)
    if (known) return known
    // Its first event is being added now.
    const folded = emptySubject(this.projection, subject, this.#ordinal - 1)
    this.subjects.set(subject, folded)
    return folded
  }
}

/** A subject of which nothing was read yet. */
export function emptySubject<State>(
  projection: Projection<State>,
  subject: string,
  ordinal: number,
): FoldedSubject<State> {
  return { subject, ordinal, state: projection.initial(subject), heads: {}, undecodable: [], holes: [], limits: {} }
}

/** The head of each stream that the projection reads of a subject; null where the stream has no event. */
export function revisionsOf(folded: FoldedSubject, { categories }: Projection): Record<string, Revision | null> {
  // Without a prototype it is a dictionary from the start: else each of its names, which no other subject has, would make a type of its own.
  const revisions: Record<string, Revision | null> = Object.create(null)
  for (const category of categories)
    revisions[streamOf(category, folded.subject)] = folded.heads[category]?.revision ?? null
  return revisions
}

/** Everything that makes a subject's history less than whole. */
export function incompletenessOf(folded: FoldedSubject): readonly Incompleteness[] {
  return [...Object.values(folded.limits), ...folded.holes]
}

/** Whether an event was seen already: a reading that went on after a cut connection, or a doubled delivery. */
function isKnown({ holes }: FoldedSubject, { id, revision }: DecodableEvent, head: Revision | undefined): boolean {
  if (revision === TOMBSTONE_REVISION) return holes.some(({ shownBy }) => shownBy.id === id)
  return head !== undefined && revision <= head
}

function refOf({ id, stream, revision }: DecodableEvent): EventRef {
  return { id, stream, revision }
}

function describeLimits(limits: StreamLimits): string | undefined {
  if (limits.softDeleted) return 'the stream was deleted'
  if (limits.truncateBefore !== undefined && limits.truncateBefore > 0)
    return `$tb cuts events before revision ${limits.truncateBefore}`
  if (limits.maxCount !== undefined) return `$maxCount keeps the last ${limits.maxCount} events only`
  if (limits.maxAgeSeconds !== undefined) return `$maxAge keeps the last ${limits.maxAgeSeconds} seconds only`
  return undefined
}
