// A store that behaves as networks and servers do: answers get lost, subscriptions end in the middle of a batch or gracefully, events come twice.
// And a process at it that can be killed: from one touch on, nothing that it does has an effect.
import type { EventStore, SubscriptionMessage } from '../../src/log/event-store.js'
import { StoreUnavailableError } from '../../src/log/store-errors.js'

/** The process is dead. Not an error of the store, so that nobody tries again. */
export class Killed extends Error {
  override readonly name = 'Killed'
}

export interface Faults {
  /** A number in [0, 1), drawn at each decision. */
  draw: () => number
  /** How likely each fault is, 0 to 1. */
  likelihood: number
}

/** What one process sees of a store. */
export class FaultyStore implements EventStore {
  touches = 0
  /** Counts of the faults that happened. */
  readonly happened = { lostAnswers: 0, disconnections: 0, doubled: 0, unreachable: 0 }
  #killAt = Number.POSITIVE_INFINITY

  constructor(
    readonly inner: EventStore,
    readonly faults: Faults,
  ) {}

  /** Kills the process before (`x`) or after (`x.5`) its touch number x. */
  killAt(touch: number): void {
    this.#killAt = touch
  }

  kill(): void {
    this.#killAt = 0
  }

  readStream(...args: Parameters<EventStore['readStream']>) {
    return this.#touch(() => this.inner.readStream(...args))
  }

  async *readAll(...args: Parameters<EventStore['readAll']>) {
    yield* await this.#touch(async () => this.inner.readAll(...args))
  }

  async append(...args: Parameters<EventStore['append']>) {
    const fate = this.#draw()
    if (fate === 'before') return this.#loseAnswer('the question was lost')
    const result = await this.#touch(() => this.inner.append(...args))
    return fate === 'after' ? this.#loseAnswer('the answer was lost') : result
  }

  deleteStream: EventStore['deleteStream'] = (...args) => this.inner.deleteStream(...args)
  tombstone: EventStore['tombstone'] = (...args) => this.inner.tombstone(...args)
  subscribeToStream: EventStore['subscribeToStream'] = (...args) => this.inner.subscribeToStream(...args)

  async *subscribeToAll(...args: Parameters<EventStore['subscribeToAll']>) {
    let last: SubscriptionMessage | undefined
    for await (const message of this.inner.subscribeToAll(...args)) {
      this.#mustLive()
      const fate = this.#draw()
      if (fate === 'before' && last) {
        this.happened.doubled += 1
        yield last
      }
      if (fate === 'after' && message.kind === 'events') {
        const half = Math.floor(message.events.length / 2)
        yield { kind: 'events' as const, events: message.events.slice(0, half) }
        this.happened.disconnections += 1
        if (half % 2 === 0) throw new StoreUnavailableError('the connection was cut')
        return
      }
      yield message
      if (message.kind === 'events') last = message
    }
  }

  async close(): Promise<void> {}

  #loseAnswer(message: string) {
    this.happened.lostAnswers += 1
    return { kind: 'unknown' as const, message }
  }

  async #touch<T>(effect: () => Promise<T>): Promise<T> {
    this.touches += 1
    this.#mustLive()
    if (this.#draw() === 'before') {
      this.happened.unreachable += 1
      throw new StoreUnavailableError('nobody answers')
    }
    const result = await effect()
    if (this.touches + 0.5 > this.#killAt) throw new Killed()
    return result
  }

  #mustLive(): void {
    if (this.touches >= this.#killAt) throw new Killed()
  }

  #draw(): 'before' | 'after' | 'none' {
    const drawn = this.faults.draw()
    if (drawn < this.faults.likelihood) return 'before'
    return drawn < 2 * this.faults.likelihood ? 'after' : 'none'
  }
}
