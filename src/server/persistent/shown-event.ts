// What of an answer its reader deals with: the event, or the link to it where that is all there is.
import type { RecordedEvent } from '../../log/event.js'
import type { Sent } from '../streams/event-encoder.js'

export function shownEvent(sent: Sent): RecordedEvent {
  return sent.link === undefined ? sent.event : (sent.event ?? sent.link)
}
