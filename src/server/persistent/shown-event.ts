// What of an answer its reader deals with, and what it weighs.
import type { RecordedEvent } from '../../log/event.js'
import type { Sent } from '../streams/event-encoder.js'

/** What an event takes beside its bytes. */
const OVERHEAD_BYTES = 1_024

/** The event, or the link to it where that is all there is. */
export function shownEvent(sent: Sent): RecordedEvent {
  return sent.link === undefined ? sent.event : (sent.event ?? sent.link)
}

/** What it takes of memory while it waits or is with a consumer, roughly. */
export function weightOf(sent: Sent): number {
  const { data, metadata } = shownEvent(sent)
  return data.length + metadata.length + OVERHEAD_BYTES
}
