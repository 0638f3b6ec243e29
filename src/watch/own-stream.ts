// A stream of our own (checkpoint, lease, alerts), written by one watch at a time: each append stands behind the last event that this
// process has read, so that two can never write past each other.
import type { ProposedEvent, RecordedEvent } from '../log/event.js'
import type { EventStore } from '../log/event-store.js'
import type { Revision } from '../log/revision.js'
import { StoreCorruptError, StoreUnavailableError } from '../log/store-errors.js'

/** `taken`: somebody else has written since. */
export type OwnAppend = 'appended' | 'taken'

export class OwnStream {
  readonly #store: EventStore
  #head: Revision | -1

  /** `head`: the last revision that is known already, -1 for none. */
  constructor(
    store: EventStore,
    readonly name: string,
    head: Revision | -1 = -1,
  ) {
    this.#store = store
    this.#head = head
  }

  /** Opens a stream of which only the last event counts. */
  static async atEnd(store: EventStore, name: string): Promise<{ stream: OwnStream; last: RecordedEvent | undefined }> {
    const read = await store.readStream(name, { direction: 'backwards', maxCount: 1 })
    let last: RecordedEvent | undefined
    if (read.kind === 'found') for await (const [event] of read.events) last = event
    return { stream: new OwnStream(store, name, last?.revision ?? -1), last }
  }

  /** The last revision that this process has read or written; -1 before the first. */
  get head(): Revision | -1 {
    return this.#head
  }

  /** Reads what stands behind the last event known. */
  async readNew(): Promise<RecordedEvent[]> {
    const read = await this.#store.readStream(this.name, { from: this.#head + 1 })
    if (read.kind === 'tombstoned') throw new StoreCorruptError(`Stream ${this.name} was deleted for ever`)
    const events: RecordedEvent[] = []
    if (read.kind === 'missing') return events
    for await (const batch of read.events) for (const event of batch) events.push(event)
    this.#head = events.at(-1)?.revision ?? this.#head
    return events
  }

  /**
   * Appends behind the last event known. Throws StoreUnavailableError where the outcome is not known or the store refuses; then
   * `readNew` tells whether it was written after all, and must be asked before anything is decided anew.
   */
  async append(events: readonly ProposedEvent[]): Promise<OwnAppend> {
    const expected = this.#head === -1 ? 'noStream' : this.#head
    const result = await this.#store.append(this.name, events, expected)
    if (result.kind === 'conflict') return 'taken'
    if (result.kind !== 'appended') {
      throw new StoreUnavailableError(`Stream ${this.name} could not be written: ${result.message}`)
    }
    this.#head += events.length
    return 'appended'
  }
}

/** Half of what one append may hold by default: what stands beside a chunk in its event has room too. */
const CHUNK_BYTES = 512 * 1024

/** A list in parts, each small enough to go into one event as JSON; one empty part for an empty list. */
export function chunksOf<T>(items: readonly T[]): T[][] {
  const chunks: T[][] = [[]]
  let bytes = 0
  for (const item of items) {
    const size = Buffer.byteLength(JSON.stringify(item)) + 1
    if (bytes + size > CHUNK_BYTES && bytes > 0) {
      chunks.push([])
      bytes = 0
    }
    chunks.at(-1)?.push(item)
    bytes += size
  }
  return chunks
}
