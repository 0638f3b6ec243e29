// Events as the log keeps them: bytes with a name, a place and a time. What the bytes mean is decided in engine/decode.ts.
import type { Position } from './position.js'
import type { Revision } from './revision.js'
import type { Ticks } from './ticks.js'

/** The two kinds of content that EventStoreDB tells apart; anything that is not JSON is octet-stream. */
export type ContentType = 'application/json' | 'application/octet-stream'

/** An event as it stands in the log. Its bytes must not be changed: they may be the store's own. */
export interface RecordedEvent {
  readonly stream: string
  readonly revision: Revision
  /** A UUID in lower case. */
  readonly id: string
  readonly type: string
  readonly contentType: ContentType
  readonly data: Uint8Array
  /** Custom metadata as written, empty where there is none. */
  readonly metadata: Uint8Array
  /** When the store took the event; undefined in homes that keep no time (log files). */
  readonly created: Ticks | undefined
  readonly position: Position
}

/** An event that somebody asks the store to append. */
export interface ProposedEvent {
  /** A UUID. The store takes a second append of the same id at the same place for a retry. */
  readonly id: string
  readonly type: string
  readonly contentType: ContentType
  readonly data: Uint8Array
  readonly metadata: Uint8Array
}

/** A run of events in order of place, and how far the reading has come with it. */
export interface EventBatch<Event = RecordedEvent> {
  readonly events: readonly Event[]
  /**
   * The place of the last record looked at, matching or not; with a filter it can be past the last event of the batch.
   * Reading on from here loses nothing.
   */
  readonly position: Position
  /** How many events have been looked at up to here, where that is not those given so far. */
  readonly examined?: number
  /** What the whole reading left out as settled; only in its last batch. */
  readonly leftOut?: LeftOut
}

/** Events that a reading looked at and did not give, with all others of their subjects. */
export interface LeftOut {
  readonly events: number
  readonly streams: number
  readonly subjects: number
}

const encoder = new TextEncoder()

/** No bytes: the metadata of an event that has none. */
export const NO_BYTES: Uint8Array = new Uint8Array(0)

/** A proposed event with JSON data and, where given, JSON metadata. */
export function jsonEvent(event: { id: string; type: string; data: unknown; metadata?: unknown }): ProposedEvent {
  return {
    id: event.id,
    type: event.type,
    contentType: 'application/json',
    data: encoder.encode(JSON.stringify(event.data)),
    metadata: event.metadata === undefined ? NO_BYTES : encoder.encode(JSON.stringify(event.metadata)),
  }
}
