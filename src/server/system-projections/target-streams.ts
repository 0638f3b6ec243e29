// The streams that a projection writes, as many of them as are kept in memory.
import type { EventStore } from '../../log/event-store.js'
import type { Life } from './stamp.js'
import { type Due, TargetStream } from './target-stream.js'

/** What a stream forgets it reads again from its last event. */
const KEPT_MAX = 20_000

export class TargetStreams {
  readonly #store: EventStore
  readonly #life: Life
  /** Those written last at the end. */
  readonly #kept = new Map<string, TargetStream>()
  #writing = 0

  constructor(store: EventStore, life: Life) {
    this.#store = store
    this.#life = life
  }

  /** Streams that are being written at this moment. */
  get writing(): number {
    return this.#writing
  }

  /** Writes to all streams side by side, to each in order. Throws ProjectionFaultError, but not before all are done. */
  async write(due: ReadonlyMap<string, readonly Due[]>): Promise<void> {
    this.#writing = due.size
    const written = await Promise.allSettled([...due].map(([stream, run]) => this.#get(stream).write(run)))
    this.#writing = 0
    const failed = written.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
    this.#trim()
  }

  #get(stream: string): TargetStream {
    const target = this.#kept.get(stream) ?? new TargetStream(this.#store, stream, this.#life)
    this.#kept.delete(stream)
    this.#kept.set(stream, target)
    return target
  }

  #trim(): void {
    for (const stream of this.#kept.keys()) {
      if (this.#kept.size <= KEPT_MAX) return
      this.#kept.delete(stream)
    }
  }
}
