// What any home refuses before it looks at a stream: names, ids and sizes that the log cannot or must not hold.
import type { ProposedEvent } from '../log/event.js'
import type { ExpectedRevision } from '../log/revision.js'
import { type Refusal, refused } from './append-decision.js'

/** EventStoreDB's default: the data of one append together, in bytes; types and metadata do not count. */
export const MAX_APPEND_BYTES = 1_048_576

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const NIL_UUID = '00000000-0000-0000-0000-000000000000'

/** The events as the log keeps them: ids in lower case. Their bytes are not copied. */
export function normaliseEvents<Event extends ProposedEvent>(events: readonly Event[]): Event[] {
  return events.map((event) => ({ ...event, id: event.id.toLowerCase() }))
}

/** Why an append of normalised events is refused whatever the log holds, or undefined. */
export function refuseAppend(
  stream: string,
  events: readonly ProposedEvent[],
  { expected, maxAppendBytes }: { expected: ExpectedRevision; maxAppendBytes: number },
): Refusal | undefined {
  const bytes = events.reduce((sum, event) => sum + event.data.length, 0)
  if (bytes > maxAppendBytes) {
    return refused('too-large', `The append holds ${bytes} bytes of data; at most ${maxAppendBytes} are taken`)
  }
  return refuseWrite(stream, expected) ?? refuseIllFormed(events)
}

/** Why any write to a stream of this name, with this guard, is refused. */
export function refuseWrite(stream: string, expected: ExpectedRevision): Refusal | undefined {
  if (stream === '' || hasLoneSurrogate(stream)) {
    return refused('invalid', `A stream's name is Unicode text and not empty, found ${JSON.stringify(stream)}`)
  }
  // An append to `$$` ends a real server's process, so no home takes one.
  if (stream === '$$') return refused('invalid', 'The name $$ describes no stream')
  if (typeof expected === 'number' && !(Number.isInteger(expected) && expected >= 0)) {
    return refused('invalid', `An expected revision is a whole number from 0, found ${expected}`)
  }
  return undefined
}

/** Why events with these ids and types are refused. */
export function refuseIllFormed(events: readonly ProposedEvent[]): Refusal | undefined {
  for (const { id, type } of events) {
    if (!UUID.test(id) || id === NIL_UUID)
      return refused('invalid', `An event's id is a UUID, found ${JSON.stringify(id)}`)
    if (type === '' || hasLoneSurrogate(type)) {
      return refused('invalid', `An event's type is Unicode text and not empty, found ${JSON.stringify(type)}`)
    }
  }
  return undefined
}

/** UTF-8 has no bytes for half a surrogate pair: two such names would become one on disk. */
export function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text)
}
