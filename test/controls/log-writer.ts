// Writes events into a store for tests: names, data and metadata in, the appended ids out; failures of the store are failures of the test.
import { randomUUID } from 'node:crypto'
import { type ContentType, NO_BYTES } from '../../src/log/event.js'
import type { EventStore } from '../../src/log/event-store.js'
import { metadataStreamOf } from '../../src/log/stream.js'

const encoder = new TextEncoder()

export interface Written {
  readonly type: string
  /** An object is written as JSON, text and bytes as they are. */
  readonly data?: object | string | Uint8Array
  readonly id?: string
  readonly contentType?: ContentType
}

/** Appends events to a stream without a guard and gives their ids. */
export async function write(store: EventStore, stream: string, ...events: readonly Written[]): Promise<string[]> {
  const proposed = events.map(({ type, data = {}, id = randomUUID(), contentType = 'application/json' as const }) => ({
    id,
    type,
    contentType,
    data: bytesOf(data),
    metadata: NO_BYTES,
  }))
  const result = await store.append(stream, proposed, 'any')
  if (result.kind !== 'appended') throw new Error(`could not write to ${stream}: ${result.kind}`)
  return proposed.map(({ id }) => id)
}

/** Sets a stream's metadata. */
export async function writeMetadata(store: EventStore, stream: string, metadata: object | string): Promise<string> {
  const [id] = await write(store, metadataStreamOf(stream), { type: '$metadata', data: metadata })
  return id as string
}

function bytesOf(data: object | string | Uint8Array): Uint8Array {
  if (data instanceof Uint8Array) return data
  return encoder.encode(typeof data === 'string' ? data : JSON.stringify(data))
}
