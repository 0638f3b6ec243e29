// Events on their way from a reading to the partitions of their subjects, as bytes; what belongs to no subject is counted on the spot.
import type { RecordedEvent } from '../log/event.js'
import { readEvent } from '../log/event-bytes.js'
import { EventWriter } from './event-bytes.js'
import { Fold, type FoldCounts, type FoldOptions } from './fold.js'
import { hashOf } from './hash.js'
import type { Projection } from './projection.js'

/** Takes the first `length` bytes of `record`, which stand only until it returns: an event of the subject of this hash. */
export type OnSpread = (subjectHash: number, record: Buffer, length: number) => void

/** Ordinals of a range begin at a multiple of this, so that they are in the order of the log; a number holds 2^53. */
const ORDINALS_PER_RANGE = 2 ** 44

export class EventSpreader {
  /** Takes what belongs to no subject, and counts it. */
  readonly #unowned: Fold
  readonly #writer = new EventWriter()
  readonly #onSpread: OnSpread
  #taken = 0
  #nextOrdinal = 0

  constructor(projection: Projection, options: FoldOptions, onSpread: OnSpread) {
    this.#unowned = new Fold(projection, options)
    this.#onSpread = onSpread
  }

  /** How many events were taken. */
  get taken(): number {
    return this.#taken
  }

  /** What was counted of events that belong to no subject. */
  get unownedCounts(): FoldCounts {
    return this.#unowned.counts
  }

  /** The next event is the first of the log's how-many-eth range, from 0. */
  startRange(range: number): void {
    this.#nextOrdinal = range * ORDINALS_PER_RANGE
  }

  /** Takes the next event. Throws what `onSpread` throws. */
  add(event: RecordedEvent): void {
    const ordinal = this.#next()
    const subject = this.#unowned.subjectOf(event)
    if (subject === undefined) {
      this.#unowned.add(event, ordinal)
      return
    }
    const subjectHash = hashOf(subject)
    const length = this.#writer.write(event, { stream: event.stream, ordinal, subjectHash })
    this.#onSpread(subjectHash, this.#writer.bytes, length)
  }

  /** The same of one that is bytes (src/log/event-bytes.ts). */
  addBytes(stream: string, bytes: Buffer, start: number, end: number): void {
    const ordinal = this.#next()
    const subject = this.#unowned.subjectOf({ stream })
    if (subject === undefined) {
      this.#unowned.add({ stream, ...readEvent(bytes, start, end) }, ordinal)
      return
    }
    const subjectHash = hashOf(subject)
    const length = this.#writer.copy(bytes, start, end, { stream, ordinal, subjectHash })
    this.#onSpread(subjectHash, this.#writer.bytes, length)
  }

  #next(): number {
    const ordinal = this.#nextOrdinal
    this.#nextOrdinal += 1
    this.#taken += 1
    return ordinal
  }
}
