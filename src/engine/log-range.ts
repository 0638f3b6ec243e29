// A range of the log, event by event: what questions about the past read where a whole replay is not what they need.
import type { RecordedEvent } from '../log/event.js'
import type { EventReader } from '../log/event-store.js'
import { comparePositions, type Position } from '../log/position.js'

export interface LogRange {
  /** Only streams whose names begin so; default all. */
  readonly streamPrefixes?: readonly string[]
  /** Exclusive; the position of an event. Default from the start. */
  readonly after?: Position
  /** Inclusive; default to the end of the reading. */
  readonly upTo?: Position
  readonly signal?: AbortSignal
}

/** The events of a range in log order. Throws what the reader throws, and the signal's reason. */
export async function* readRange(
  reader: EventReader,
  { streamPrefixes, after, upTo, signal }: LogRange,
): AsyncIterable<RecordedEvent> {
  const isWithin = ({ position }: RecordedEvent) =>
    (!after || comparePositions(position, after) > 0) && (!upTo || comparePositions(position, upTo) <= 0)
  const filter = streamPrefixes && { filter: { streamPrefixes } }
  const options = { ...filter, ...(after && { from: after }), ...(signal && { signal }) }
  for await (const { events, position } of reader.readAll(options)) {
    signal?.throwIfAborted()
    yield* events.filter(isWithin)
    if (upTo && comparePositions(position, upTo) >= 0) return
  }
}
