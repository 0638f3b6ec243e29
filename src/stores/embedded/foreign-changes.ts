// Notices what other processes append: while anybody waits, the end of the log is looked at every few milliseconds.
import type { ChangeSignal } from '../change-signal.js'

const POLL_MS = 25

export class ForeignChanges {
  readonly #changes: ChangeSignal
  readonly #endOfLog: () => number
  #timer: NodeJS.Timeout | undefined
  /** The end up to which everybody waiting was woken; none before the first look, which then wakes all. */
  #seen: number | undefined

  /** `endOfLog` gives the place where the next record will stand. */
  constructor(changes: ChangeSignal, endOfLog: () => number) {
    this.#changes = changes
    this.#endOfLog = endOfLog
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
    const end = this.#endOrUnknown()
    if (end !== undefined && end === this.#seen) return
    this.#seen = end
    this.#changes.notifyAll()
  }

  /** Undefined where the end cannot be read: whoever waits is woken then and meets the failure in its own reading. */
  #endOrUnknown(): number | undefined {
    try {
      return this.#endOfLog()
    } catch {
      return undefined
    }
  }
}
