// The events of a log between two cuts, by subject.
import { Fold, type FoldCounts } from '../engine/fold.js'
import type { Projection } from '../engine/projection.js'
import type { RecordedEvent } from '../log/event.js'

/** An event and the how-many-eth of the log it is. */
export interface DeltaEvent {
  readonly event: RecordedEvent
  readonly ordinal: number
}

/** What an event held in memory costs beside its own bytes. */
const BYTES_PER_EVENT = 600

/** More came between two cuts than may be held in memory. */
export class DeltaTooLargeError extends Error {
  override readonly name = 'DeltaTooLargeError'
}

export class Delta {
  readonly #bytesMax: number
  readonly #bySubject = new Map<string, DeltaEvent[]>()
  /** Takes what belongs to no subject, and counts it. */
  readonly #unowned: Fold
  #bytes = 0
  #ordinal: number

  constructor(projection: Projection, { nextOrdinal, bytesMax }: { nextOrdinal: number; bytesMax: number }) {
    this.#unowned = new Fold(projection)
    this.#ordinal = nextOrdinal
    this.#bytesMax = bytesMax
  }

  get nextOrdinal(): number {
    return this.#ordinal
  }

  get subjects(): Iterable<string> {
    return this.#bySubject.keys()
  }

  /** What was counted of events that belong to no subject. */
  get unownedCounts(): FoldCounts {
    return this.#unowned.counts
  }

  /** The events of a subject in log order. */
  of(subject: string): readonly DeltaEvent[] {
    return this.#bySubject.get(subject) ?? []
  }

  /** Takes the next event of the log; gives whether it belongs to a subject. Throws DeltaTooLargeError. */
  add(event: RecordedEvent): boolean {
    const ordinal = this.#ordinal
    this.#ordinal += 1
    const subject = this.#unowned.subjectOf(event)
    if (subject === undefined) {
      this.#unowned.add(event, ordinal)
      return false
    }
    const known = this.#bySubject.get(subject)
    if (known) known.push({ event, ordinal })
    else this.#bySubject.set(subject, [{ event, ordinal }])
    this.#bytes += BYTES_PER_EVENT + event.data.length + event.metadata.length
    if (this.#bytes > this.#bytesMax) throw new DeltaTooLargeError('More came since than may be held in memory')
    return true
  }
}
