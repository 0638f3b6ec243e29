// For which place of this log a link was written: the proof of how far a projection has come with a stream.
import type { RecordedEvent } from '../../log/event.js'
import type { EventReader } from '../../log/event-store.js'
import { comparePositions, type Position } from '../../log/position.js'
import { InvalidPositionError } from '../../log/store-errors.js'
import { metadataStreamOf } from '../../log/stream.js'
import { isProjected, LINK_TYPE, textOf } from './source-event.js'
import type { Stamp } from './stamp.js'

const TARGET = /^(\d{1,16})@(.+)$/s

/** Undefined where this log does not hold the event of the link. */
export async function placeOfLink(
  reader: EventReader,
  link: RecordedEvent,
  stamp: Stamp,
): Promise<Position | undefined> {
  const record = await recordAt(reader, stamp.position)
  if (record && isProjected(record.stream) && (record.type === LINK_TYPE || record.id === stamp.causedBy))
    return record.position
  // An import writes events to other places; then the link's own words lead to its event.
  const [, revision = '0', stream = textOf(link.data)] = TARGET.exec(textOf(link.data)) ?? []
  for (const name of [stream, metadataStreamOf(stream)]) {
    const event = await eventAt(reader, name, Number(revision))
    if (event && event.id === stamp.causedBy) return event.position
  }
  return undefined
}

/** The record that begins exactly there; undefined where none does. */
export async function recordAt(reader: EventReader, position: Position): Promise<RecordedEvent | undefined> {
  try {
    for await (const { events } of reader.readAll({ from: position, maxCount: 1 })) {
      const [record] = events
      return record && comparePositions(record.position, position) === 0 ? record : undefined
    }
  } catch (error) {
    if (!(error instanceof InvalidPositionError)) throw error
  }
  return undefined
}

async function eventAt(reader: EventReader, stream: string, revision: number): Promise<RecordedEvent | undefined> {
  const read = await reader.readStream(stream, { from: revision, maxCount: 1 })
  if (read.kind !== 'found') return undefined
  for await (const [event] of read.events) return event?.revision === revision ? event : undefined
  return undefined
}
