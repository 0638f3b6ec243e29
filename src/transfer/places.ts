// Where events go in a store that counts a stream's revisions from 0 without holes, when their log may not have: each behind the one before it
// in its stream. What an earlier import has put there is found again by ids and marks; nothing is put behind events that no import wrote.
import type { RecordedEvent } from '../log/event.js'
import type { LineEvent } from '../log/event-line.js'
import type { EventReader } from '../log/event-store.js'
import type { Position } from '../log/position.js'
import type { Revision } from '../log/revision.js'
import { describedBy } from '../log/stream.js'
import { limitsOf, readStreamMetadata } from '../log/stream-metadata.js'
import { formerRevision, isCopy } from './copy-marks.js'
import { isAddedSince } from './log-head.js'

/** Streams that are known at the same time; one that was forgotten is looked at again. */
const STREAMS_MAX = 100_000

/** Where an event goes, or stands already; that it is there and can no longer be read; or why its place cannot be told. */
export type Place =
  | { readonly kind: 'at'; readonly at: Revision }
  | { readonly kind: 'present' }
  | { readonly kind: 'misfit'; readonly why: string }

/** The event of a stream that was placed last, and how much lower it stands than in its log. */
interface Last {
  readonly at: Revision
  readonly shift: number
  /** The highest revision, in the log, of those that were placed. */
  readonly highest: Revision
}

export class Places {
  readonly #store: EventReader
  readonly #headAtStart: Position | undefined
  readonly #last = new Map<string, Last>()

  /** `headAtStart`: where the store's log ended when the import began. */
  constructor(store: EventReader, headAtStart: Position | undefined) {
    this.#store = store
    this.#headAtStart = headAtStart
  }

  /** The place of an event; the events before it in its stream were placed, or are in the store since an earlier import. */
  async of(event: LineEvent): Promise<Place> {
    const last = this.#last.get(event.stream)
    // One that comes again, as in a file given twice, goes where it stands.
    if (last && event.revision > last.at + last.shift) return { kind: 'at', at: last.at + 1 }
    return event.revision === 0 ? { kind: 'at', at: 0 } : this.#lookUp(event)
  }

  /** Whether an event, or one behind it in its stream, was placed by this import. */
  wasPassed({ stream, revision }: LineEvent): boolean {
    return revision <= (this.#last.get(stream)?.highest ?? -1)
  }

  /** Whether an event would be the first of its stream to stand so much lower than in its log. */
  isNewShift({ stream, revision }: LineEvent, at: Revision): boolean {
    return revision - at !== (this.#last.get(stream)?.shift ?? 0)
  }

  /** The event stands there now. */
  note({ stream, revision }: LineEvent, at: Revision): void {
    const highest = Math.max(revision, this.#last.get(stream)?.highest ?? -1)
    this.#last.delete(stream)
    this.#last.set(stream, { at, shift: revision - at, highest })
    const [oldest] = this.#last.keys()
    if (this.#last.size > STREAMS_MAX && oldest !== undefined) this.#last.delete(oldest)
  }

  /**
   * Where the events of a stream begin that had `revision` or more in their log: `revision` itself where the stream is counted as it was, or is
   * empty.
   */
  async firstFrom(stream: string, revision: Revision): Promise<Revision> {
    if (this.#last.get(stream)?.shift === 0) return revision
    const read = await this.#store.readStream(stream)
    let last: Revision | undefined
    for await (const events of read.kind === 'found' ? read.events : []) {
      const first = events.find((event) => formerOf(event) >= revision)
      if (first) return first.revision
      last = events.at(-1)?.revision
    }
    return last === undefined ? revision : Math.min(revision, last + 1)
  }

  /** An event met in the middle of a stream that is not known: after a late beginning, or in an import that goes on. */
  async #lookUp(event: LineEvent): Promise<Place> {
    const read = await this.#store.readStream(event.stream)
    if (read.kind !== 'found') return this.#unread(event, read.kind)
    let last: RecordedEvent | undefined
    for await (const events of read.events) {
      const found = events.find(({ id }) => id === event.id)
      if (found) return { kind: 'at', at: found.revision }
      last = events.at(-1)
    }
    if (last && (isCopy(last) || isAddedSince(this.#headAtStart, last.position))) return placeBehind(last, event)
    return misfit('the stream has events that did not come from an import of this log')
  }

  async #unread({ stream }: LineEvent, kind: 'missing' | 'tombstoned'): Promise<Place> {
    // Metadata of a stream that is deleted for ever has no effect.
    if (kind === 'tombstoned' && describedBy(stream) !== undefined) return { kind: 'present' }
    const metadata = kind === 'missing' ? await readStreamMetadata(this.#store, stream) : undefined
    if (!metadata || !limitsOf(metadata.data).softDeleted) return { kind: 'at', at: 0 }
    return misfit('the stream is deleted softly, and what it held cannot be compared')
  }
}

/**
 * The place of an event that is not among those that can be read, by the last one that can. One that is older is hidden, or another stands in
 * its place: the guard of a place below the head lets the store compare ids. Of metadata only the last can be read.
 */
function placeBehind(last: RecordedEvent, { stream, revision }: LineEvent): Place {
  if (revision > formerOf(last)) return { kind: 'at', at: last.revision + 1 }
  if (describedBy(stream) !== undefined) return { kind: 'present' }
  // Where revisions were counted anew, only the first event's place is sure; the import meets it first.
  return { kind: 'at', at: formerRevision(last) === undefined ? revision : 0 }
}

function formerOf(event: RecordedEvent): Revision {
  return formerRevision(event) ?? event.revision
}

function misfit(why: string): Place {
  return { kind: 'misfit', why }
}
