// Notices what other processes append: while anybody waits, the end of the log is looked at every few milliseconds.
import type { ChangeSignal } from '../change-signal.js'

const POLL_MS = 25

/** What is looked at. */
export interface WatchedLog {
  /** The place where the next record will stand. */
  end(): number
  /** The streams of the records from a place on; undefined where they are too many to be worth telling apart. */
  streamsFrom(place: number): ReadonlySet<string> | undefined
}

export class ForeignChanges {
  readonly #changes: ChangeSignal
  readonly #log: WatchedLog
  #timer: NodeJS.Timeout | undefined
  /** The end up to which everybody waiting was woken; none before the first look, which then wakes all. */
  #seen: number | undefined

  constructor(changes: ChangeSignal, log: WatchedLog) {
    this.#changes = changes
    this.#log = log
  }

  /** To be called when somebody begins to wait. Looking ends by itself when nobody does any more. */
  watch(): void {
    if (this.#timer) return
    this.#seen = undefined
    this.#timer = setInterval(() => this.#look(), POLL_MS)
  }

  /** This process moved the end itself and wakes whom it concerns; others' records in between are still to be noticed. */
  skipOwn({ from, to }: { readonly from: number; readonly to: number }): void {
    if (this.#seen === from) this.#seen = to
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    if (!this.#changes.awaited) {
      this.stop()
      return
    }
    try {
      this.#wakeUpTo(this.#log.end())
    } catch {
      // Whoever waits is woken and meets the failure in its own reading.
      this.#seen = undefined
      this.#changes.notifyAll()
    }
  }

  #wakeUpTo(end: number): void {
    if (end === this.#seen) return
    const streams = this.#seen === undefined ? undefined : this.#log.streamsFrom(this.#seen)
    this.#seen = end
    if (streams) this.#changes.notify(streams)
    else this.#changes.notifyAll()
  }
}
