// Between a store and the oracle: all events of a store as the oracle reads them, and a hand-made history put into a store.
import { jsonEvent, type RecordedEvent } from '../../src/log/event.js'
import type { EventStore } from '../../src/log/event-store.js'
import { formatTicks } from '../../src/log/ticks.js'
import type { StoredEvent } from './booking-events.js'

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Every event of the log, in its order. */
export async function readEverything(store: EventStore): Promise<StoredEvent[]> {
  const all: StoredEvent[] = []
  for await (const { events } of store.readAll()) all.push(...events.map(storedEvent))
  return all
}

function storedEvent(event: RecordedEvent): StoredEvent {
  const { stream, revision, id, type, created } = event
  return {
    stream,
    revision,
    id,
    type,
    data: jsonOf(event.data),
    metadata: jsonOf(event.metadata),
    created: created === undefined ? undefined : formatTicks(created),
  }
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes))
  } catch {
    return undefined
  }
}

/** Puts events of a history into a store, in their order. */
export async function writeEverything(store: EventStore, events: readonly StoredEvent[]): Promise<void> {
  for (const { stream, id, type, data, metadata } of events) {
    const result = await store.append(stream, [jsonEvent({ id, type, data, metadata })], 'any')
    if (result.kind !== 'appended') throw new Error(`${stream}: ${JSON.stringify(result)}`)
  }
}
