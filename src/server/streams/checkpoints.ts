// Where a filtered subscription is told how far it has come. The places were observed on a real server (24.6.0): clients that
// save them must find the same ones here.
import type { RecordedEvent } from '../../log/event.js'
import type { Position } from '../../log/position.js'
import type { Filter } from './event-filter.js'

/**
 * Counts the records of a subscription. While it catches up they are looked at window by window, the record at which it started
 * included: each so-many-th window that was read in full is told at its last event that matched, else at its first record; one that
 * the log's end cuts short, at its last event that matched. Once it is live, each so-many-th record is told itself.
 */
export class Checkpoints {
  readonly #filter: Filter
  #start: Position | undefined
  #live = false
  /** Records of the window so far; once live, records so far. */
  #records = 0
  #windows = 0
  #first: Position | undefined
  #lastMatch: Position | undefined

  /** `start` is the record after which the subscription began, if it began at one. It counts once another follows. */
  constructor(filter: Filter, start: Position | undefined) {
    this.#filter = filter
    this.#start = start
  }

  /** The checkpoint that is due before the next record. */
  before(): Position | undefined {
    if (this.#live) return undefined
    if (this.#start) this.#look(this.#start)
    this.#start = undefined
    return this.#windowFull()
  }

  /** Counts a record, and gives the checkpoint that is due at once. */
  after({ position }: RecordedEvent, matched: boolean): Position | undefined {
    if (this.#live) return this.#afterLive(position)
    this.#look(position)
    if (matched) this.#lastMatch = position
    return undefined
  }

  /** The checkpoint that is due where the log ends and the subscription goes live. */
  caughtUp(): Position | undefined {
    if (this.#live) return undefined
    const due = this.#windowFull() ?? (this.#lastMatch && this.#endWindow(this.#lastMatch))
    this.#live = true
    this.#records = 0
    return due
  }

  #look(position: Position): void {
    this.#first ??= position
    this.#records += 1
  }

  #windowFull(): Position | undefined {
    return this.#records >= this.#filter.window ? this.#endWindow(this.#lastMatch ?? this.#first) : undefined
  }

  #endWindow(place: Position | undefined): Position | undefined {
    this.#records = 0
    this.#first = undefined
    this.#lastMatch = undefined
    this.#windows += 1
    return this.#windows % this.#filter.checkpointWindows === 0 ? place : undefined
  }

  #afterLive(position: Position): Position | undefined {
    this.#records += 1
    return this.#records % (this.#filter.window * this.#filter.checkpointWindows) === 0 ? position : undefined
  }
}
