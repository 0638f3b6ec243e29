// Writes in flight: many at a time, but those of one lane one after the other, in the order in which they came.

/** Writes in flight together: a durable store commits them as one. */
const IN_FLIGHT_MAX = 512

export class Lanes {
  readonly #inFlight = new Set<Promise<void>>()
  readonly #last = new Map<string, Promise<void>>()
  #failure: { readonly error: unknown } | undefined

  /** Takes a write up, waiting while there are too many. Throws what an earlier one threw. */
  async push(lane: string, write: () => Promise<void>): Promise<void> {
    while (this.#inFlight.size >= IN_FLIGHT_MAX) await Promise.race(this.#inFlight)
    this.#throwFailure()
    const before = this.#last.get(lane) ?? Promise.resolve()
    const done: Promise<void> = before
      .then(() => (this.#failure ? undefined : write()))
      .catch((error: unknown) => {
        this.#failure ??= { error }
      })
      .finally(() => {
        this.#inFlight.delete(done)
        if (this.#last.get(lane) === done) this.#last.delete(lane)
      })
    this.#inFlight.add(done)
    this.#last.set(lane, done)
  }

  /** Waits for all that was taken up. Throws what one of them threw. */
  async drain(): Promise<void> {
    await Promise.all(this.#inFlight)
    this.#throwFailure()
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.error
  }
}
