// Between a store and the oracle: all events of a store as the oracle reads them, and a hand-made history as a store.
import { jsonEvent, type RecordedEvent } from '../../src/log/event.js'
import type { EventReader } from '../../src/log/event-store.js'
import { formatTicks } from '../../src/log/ticks.js'
import type { StoredEvent } from './booking-events.js'

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Every event of the log, in its order. */
export async function readEverything(store: EventReader): Promise<StoredEvent[]> {
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

/** A log of just these events, whatever holes their streams have. */
export function readerOf(events: readonly StoredEvent[]): EventReader {
  const recorded = events.map(recordedEvent)
  return {
    async readStream(stream) {
      const own = recorded.filter((event) => event.stream === stream)
      return own.length === 0 ? { kind: 'missing' } : { kind: 'found', events: batches([own]) }
    },
    readAll: () => batches([{ events: recorded, position: { commit: BigInt(events.length), prepare: 0n } }]),
  }
}

function recordedEvent(event: StoredEvent, index: number): RecordedEvent {
  const { stream, revision, id, type, data, metadata } = event
  return {
    ...jsonEvent({ id, type, data, metadata }),
    stream,
    revision,
    created: undefined,
    position: { commit: BigInt(index), prepare: 0n },
  }
}

async function* batches<T>(items: readonly T[]): AsyncIterable<T> {
  yield* items
}
