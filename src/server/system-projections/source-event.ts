// What a system projection sees of a record of the log: the event itself, and where the record is a link, the event that it leads to.
import type { RecordedEvent } from '../../log/event.js'
import { describedBy } from '../../log/stream.js'
import { limitsOf } from '../../log/stream-metadata.js'
import { placeOfRevision } from '../persistent/places.js'
import type { Sent } from '../streams/event-encoder.js'

export const LINK_TYPE = '$>'

export interface SourceEvent {
  /** The record in its place. */
  readonly record: RecordedEvent
  /** What it shows: the target of a link that leads somewhere, else the record. */
  readonly shown: RecordedEvent
  /** The stream that ends with this record, by a soft delete or a tombstone. */
  readonly deletedStream: string | undefined
}

/** Whether system projections look at a stream at all: at those of users and the metadata of those, never at each other's. */
export function isProjected(stream: string): boolean {
  return !(describedBy(stream) ?? stream).startsWith('$')
}

export function sourceEventOf(record: RecordedEvent, resolved: Sent): SourceEvent {
  return { record, shown: resolved.event ?? record, deletedStream: deletedBy(record) }
}

/** `5@payment-42`. A link to a link leads to what that one names. */
export function linkDataOf({ shown }: SourceEvent): string {
  return shown.type === LINK_TYPE ? textOf(shown.data) : `${placeOfRevision(shown.revision)}@${shown.stream}`
}

/** The correlation id in the metadata; undefined where there is none, or one that is no single value. */
export function correlationIdOf({ shown }: SourceEvent): string | undefined {
  if (shown.metadata.length === 0) return undefined
  const metadata = objectIn(shown.metadata)
  const id = metadata && '$correlationId' in metadata ? metadata.$correlationId : undefined
  if (typeof id !== 'string' && typeof id !== 'number' && typeof id !== 'boolean') return undefined
  // JSON can escape halves of characters, which no name of a stream can hold: as bytes they are U+FFFD.
  return Buffer.from(String(id)).toString('utf8')
}

function deletedBy({ stream, type, data }: RecordedEvent): string | undefined {
  const described = describedBy(stream)
  if (described === undefined) return type === '$streamDeleted' ? stream : undefined
  return type === '$metadata' && limitsOf(data).softDeleted ? described : undefined
}

function objectIn(bytes: Uint8Array): object | undefined {
  try {
    const json: unknown = JSON.parse(textOf(bytes))
    return typeof json === 'object' && json !== null ? json : undefined
  } catch {
    return undefined
  }
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}
