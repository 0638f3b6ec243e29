// The marker of a store that holds generated events. Only such a store may be repaired through the simulator, or under a `now`
// other than the clock: tickets made up for a test must never reach a store with real bookings.

import { jsonEvent } from './event.js'
import type { AppendResult, EventReader, EventStore } from './event-store.js'
import { isTime } from './ticks.js'

/** The stream of the marker, which is its first event. */
export const STORE_STREAM = 'makegood.store'
/** The type of its event. */
export const STORE_MARKED = 'StoreMarked'

/** What a generated store says of itself. */
export interface StoreMarker {
  readonly generated: true
  /** The `now` under which the store's truth holds, RFC 3339. */
  readonly now: string
  readonly scenario: string
  readonly seed: number
  readonly bookings: number
}

/**
 * Marks a store as generated, before any other event is written to it. `id` is the event's UUID. A conflict: the store is marked
 * already.
 */
export function markStore(store: EventStore, marker: StoreMarker, id: string): Promise<AppendResult> {
  return store.append(STORE_STREAM, [jsonEvent({ id, type: STORE_MARKED, data: marker })], 'noStream')
}

/** The store's marker; undefined where it has none, or one that cannot be read: such a store counts as real. */
export async function readStoreMarker(reader: EventReader): Promise<StoreMarker | undefined> {
  const read = await reader.readStream(STORE_STREAM, { maxCount: 1 })
  if (read.kind !== 'found') return undefined
  for await (const [first] of read.events) {
    if (first) return first.type === STORE_MARKED ? markerIn(first.data) : undefined
  }
  return undefined
}

const decoder = new TextDecoder()

function markerIn(data: Uint8Array): StoreMarker | undefined {
  let json: unknown
  try {
    json = JSON.parse(decoder.decode(data))
  } catch {
    return undefined
  }
  return isMarker(json) ? json : undefined
}

function isMarker(json: unknown): json is StoreMarker {
  if (typeof json !== 'object' || json === null) return false
  const { generated, now, scenario, seed, bookings } = json as Record<string, unknown>
  return (
    generated === true &&
    typeof now === 'string' &&
    isTime(now) &&
    typeof scenario === 'string' &&
    Number.isSafeInteger(seed) &&
    Number.isSafeInteger(bookings)
  )
}
