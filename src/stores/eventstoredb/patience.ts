// How an outage is borne: try again after a while, longer each time and never in step with others, until it has lasted too long.
import { setTimeout as sleep } from 'node:timers/promises'

const FIRST_PAUSE_MS = 50
const PAUSE_MS_MAX = 3_000

export class Patience {
  readonly #outageMsMax: number
  readonly #signal: AbortSignal | undefined
  #since: number | undefined
  #tries = 0

  /** `outageMsMax`: how long it may go on without anything having come. */
  constructor({ outageMsMax, signal }: { outageMsMax: number; signal?: AbortSignal | undefined }) {
    this.#outageMsMax = outageMsMax
    this.#signal = signal
  }

  /** Something came: the next outage is a new one. */
  reward(): void {
    this.#since = undefined
    this.#tries = 0
  }

  /** Waits for the next try. Throws the error where the outage has lasted too long, and the signal's reason once that is aborted. */
  async bear(error: unknown): Promise<void> {
    const now = performance.now()
    this.#since ??= now
    if (now - this.#since >= this.#outageMsMax) throw error
    const longest = Math.min(PAUSE_MS_MAX, FIRST_PAUSE_MS * 2 ** this.#tries)
    this.#tries += 1
    try {
      await sleep(longest * (0.5 + Math.random() / 2), undefined, this.#signal ? { signal: this.#signal } : {})
    } catch (aborted) {
      this.#signal?.throwIfAborted()
      throw aborted
    }
  }
}
