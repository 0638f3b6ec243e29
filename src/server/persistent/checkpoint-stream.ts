// Where a group keeps how far it has come: the last event of a stream of its own. Its data is the place as a JSON string, as on a
// real server; what a clean stop leaves open behind that place stands in its metadata.
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { jsonEvent, type RecordedEvent } from '../../log/event.js'
import type { EventStore } from '../../log/event-store.js'
import type { Remainder } from './progress.js'

const PLACE = z.string()
const BEHIND = z.object({ takenTo: z.string(), open: z.array(z.string()) })

export class CheckpointStream {
  readonly #store: EventStore
  readonly #stream: string

  constructor(store: EventStore, stream: string) {
    this.#store = store
    this.#stream = stream
  }

  /** Undefined where there is none, or one that is not to be understood: then the group begins anew and loses nothing. */
  async load(): Promise<Remainder | undefined> {
    const read = await this.#store.readStream(this.#stream, { direction: 'backwards', maxCount: 1 })
    if (read.kind !== 'found') return undefined
    for await (const [last] of read.events) return last && remainderIn(last)
    return undefined
  }

  /** Whether it was written. */
  async save({ place, takenTo, open }: Remainder): Promise<boolean> {
    // Where nothing is settled there is no place, but something behind it may be.
    const data = place ?? ''
    const behind = takenTo === undefined ? {} : { metadata: { takenTo, open } }
    const event = jsonEvent({ id: randomUUID(), type: '$SubscriptionCheckpoint', data, ...behind })
    return (await this.#store.append(this.#stream, [event], 'any')).kind === 'appended'
  }

  async delete(): Promise<void> {
    await this.#store.deleteStream(this.#stream, 'any')
  }
}

function remainderIn({ data, metadata }: RecordedEvent): Remainder | undefined {
  const place = PLACE.safeParse(jsonIn(data))
  if (!place.success) return undefined
  const behind = BEHIND.safeParse(jsonIn(metadata))
  return { place: place.data === '' ? undefined : place.data, ...(behind.success && behind.data) }
}

function jsonIn(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
}
