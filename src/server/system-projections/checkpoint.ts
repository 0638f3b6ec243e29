// How far a projection had come at some time: where it reads on after a stop. It only saves reading: what is written stands in the streams.
import { randomUUID } from 'node:crypto'
import type { RecordedEvent } from '../../log/event.js'
import type { EventStore } from '../../log/event-store.js'
import { recordAt } from './link-place.js'
import { formatStamp, type Life, parseStamp } from './stamp.js'

const TYPE = '$ProjectionCheckpoint'
const NO_STATE = Buffer.from('{}')

export class Checkpoint {
  readonly #store: EventStore
  readonly #stream: string
  readonly #life: Life

  constructor(store: EventStore, projection: string, life: Life) {
    this.#store = store
    this.#stream = `$projections-${projection}-checkpoint`
    this.#life = life
  }

  /** The record up to which all is written; undefined where there is no checkpoint of this life and this log. */
  async load(): Promise<RecordedEvent | undefined> {
    const read = await this.#store.readStream(this.#stream, { direction: 'backwards', maxCount: 1 })
    if (read.kind !== 'found') return undefined
    for await (const [last] of read.events) return last && this.#recordOf(last)
    return undefined
  }

  async save({ id, position }: RecordedEvent): Promise<void> {
    const metadata = formatStamp(this.#life, position, { $causedBy: id })
    const event = { id: randomUUID(), type: TYPE, contentType: 'application/json' as const, data: NO_STATE, metadata }
    await this.#store.append(this.#stream, [event], 'any')
  }

  async #recordOf({ metadata }: RecordedEvent): Promise<RecordedEvent | undefined> {
    const stamp = parseStamp(metadata)
    if (!stamp || stamp.id !== this.#life.id || stamp.version < this.#life.epoch) return undefined
    const record = await recordAt(this.#store, stamp.position)
    // Brought along by an import it may lead anywhere.
    return record?.id === stamp.causedBy ? record : undefined
  }
}
