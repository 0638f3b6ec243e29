// Waiting for something to become true, looked at after each change, until a signal says that nobody waits any more.

export class Waiting {
  readonly #signal: AbortSignal
  readonly #waiting = new Map<() => void, () => boolean>()

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', () => this.look())
  }

  get isOver(): boolean {
    return this.#signal.aborted
  }

  /** Resolves as soon as it is true, or nobody waits any more. */
  async until(isTrue: () => boolean): Promise<void> {
    if (this.#signal.aborted || isTrue()) return
    await new Promise<void>((resolve) => this.#waiting.set(resolve, isTrue))
  }

  /** Resolves after so many milliseconds, or when nobody waits any more. */
  async pause(ms: number): Promise<void> {
    let over = this.#signal.aborted
    const timer = setTimeout(() => {
      over = true
      this.look()
    }, ms)
    await this.until(() => over)
    clearTimeout(timer)
  }

  /** Something has changed. */
  look(): void {
    for (const [resolve, isTrue] of this.#waiting) {
      if (!this.#signal.aborted && !isTrue()) continue
      this.#waiting.delete(resolve)
      resolve()
    }
  }
}
