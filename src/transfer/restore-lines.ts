// Lines into a store that can restore: in batches, each whole or not at all, in the order of the lines.
import type { RestorableStore } from '../log/restorable-store.js'
import type { LineWriter, WriteCounts } from './line-writer.js'
import { type LocatedEvent, refusedAt, type Stop } from './located-line.js'
import { settleWrite } from './settled-write.js'

/** A batch is written once it holds so many events or so many bytes. */
const BATCH_EVENTS = 1_000
const BATCH_BYTES = 4 * 1024 * 1024

export class RestoringWriter implements LineWriter {
  readonly #store: RestorableStore
  readonly #counts = { added: 0, present: 0, gaps: 0 }
  #batch: LocatedEvent[] = []
  #bytes = 0

  constructor(store: RestorableStore) {
    this.#store = store
  }

  get counts(): WriteCounts {
    return this.#counts
  }

  async push(line: LocatedEvent): Promise<Stop | undefined> {
    this.#batch.push(line)
    this.#bytes += line.event.data.length + line.event.metadata.length
    return this.#batch.length < BATCH_EVENTS && this.#bytes < BATCH_BYTES ? undefined : this.finish()
  }

  finish(): Promise<Stop | undefined> {
    const batch = this.#batch
    this.#batch = []
    this.#bytes = 0
    return this.#restore(batch)
  }

  /** Up to the first event that does not fit, where there is one. */
  async #restore(batch: readonly LocatedEvent[]): Promise<Stop | undefined> {
    const events = batch.map(({ event }) => event)
    const result = await settleWrite('Import stopped', () => this.#store.restore(events))
    if (result.kind === 'refused') {
      const refused = batch[result.index] as LocatedEvent
      return (await this.#restore(batch.slice(0, result.index))) ?? refusedAt(refused, result.message)
    }
    this.#counts.added += result.added
    this.#counts.present += result.present
    this.#counts.gaps += result.gaps
    return undefined
  }
}
