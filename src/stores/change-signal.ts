// Wakes who waits for new events: subscribers of one stream by its name, subscribers of the whole log always.

/** Somebody waiting: for one stream, or for any (`undefined`). */
type Waiter = () => void

export class ChangeSignal {
  readonly #waiters = new Map<string | undefined, Set<Waiter>>()

  /** Whether anybody waits. */
  get awaited(): boolean {
    return this.#waiters.size > 0
  }

  /**
   * Resolves at the next change of the stream (of any, where it is undefined) or once the signal is aborted. Nothing is lost
   * between a reading and this call as long as no await stands between them.
   */
  next(stream: string | undefined, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener('abort', wake)
        this.#remove(stream, wake)
        resolve()
      }
      signal.addEventListener('abort', wake)
      this.#add(stream, wake)
    })
  }

  /** Events were added to these streams. */
  notify(streams: Iterable<string>): void {
    for (const stream of new Set(streams)) this.#wake(stream)
    this.#wake(undefined)
  }

  /** Events were added, and it is not known where. */
  notifyAll(): void {
    for (const stream of [...this.#waiters.keys()]) this.#wake(stream)
  }

  #wake(stream: string | undefined): void {
    for (const wake of [...(this.#waiters.get(stream) ?? [])]) wake()
  }

  #add(stream: string | undefined, waiter: Waiter): void {
    const waiters = this.#waiters.get(stream)
    if (waiters) waiters.add(waiter)
    else this.#waiters.set(stream, new Set([waiter]))
  }

  #remove(stream: string | undefined, waiter: Waiter): void {
    const waiters = this.#waiters.get(stream)
    if (waiters?.delete(waiter) && waiters.size === 0) this.#waiters.delete(stream)
  }
}
