// One event as bytes, little endian: 16 bytes for whoever keeps it, a fixed head, then type, metadata and data. The name of its stream and its place
// in the log are kept elsewhere. The embedded store holds its events so, and a replay between reading and folding.
import type { ContentType, ProposedEvent, RecordedEvent } from './event.js'
import { NO_BYTES } from './event.js'
import type { Position } from './position.js'
import type { Revision } from './revision.js'
import type { Ticks } from './ticks.js'
import { uuidAt, writeUuid } from './uuid-bytes.js'

/** The first bytes belong to whoever keeps the event. */
export const KEEPER_LENGTH = 16

/** Where the head's fields stand, counted from the event's start; `type` begins where the head ends. For whoever turns other bytes into these. */
export const AT = {
  revision: 16,
  created: 24,
  eventId: 32,
  typeLength: 48,
  metadataLength: 52,
  flags: 56,
  type: 57,
} as const

/** What the byte of flags tells. Where `untimed` is set nothing is known of when the event was created. */
export const FLAG = { json: 1, untimed: 2 } as const

/** All of an event that its bytes hold. */
export type EventBody = Omit<RecordedEvent, 'stream' | 'position'>

/** An event as its home holds it: all but its stream and its place stands in the bytes, of which the first belong to that home. */
export interface StoredEvent {
  readonly stream: string
  readonly position: Position
  readonly bytes: Buffer
}

type Written = ProposedEvent & { readonly revision: Revision; readonly created: Ticks | undefined }

/** How many bytes an event takes, as far as is known before it is written: its type may take fewer. */
export function eventLengthMax({ type, metadata, data }: ProposedEvent): number {
  return AT.type + 3 * type.length + metadata.length + data.length
}

/** Writes an event, and gives where it ends. Throws RangeError where its id is no UUID. */
export function writeEvent(bytes: Buffer, start: number, event: Written): number {
  const { metadata, data, created } = event
  const metadataStart = start + AT.type + bytes.write(event.type, start + AT.type)
  const dataStart = metadataStart + metadata.length
  bytes.writeDoubleLE(event.revision, start + AT.revision)
  bytes.writeBigInt64LE(created ?? 0n, start + AT.created)
  writeUuid(bytes, start + AT.eventId, event.id)
  bytes.writeUInt32LE(metadataStart - start - AT.type, start + AT.typeLength)
  bytes.writeUInt32LE(metadata.length, start + AT.metadataLength)
  bytes[start + AT.flags] =
    (event.contentType === 'application/json' ? FLAG.json : 0) | (created === undefined ? FLAG.untimed : 0)
  bytes.set(metadata, metadataStart)
  bytes.set(data, dataStart)
  return dataStart + data.length
}

/** The event that stands there. Its data and metadata point into the bytes. */
export function readEvent(bytes: Buffer, start: number, end: number): EventBody {
  const typeStart = start + AT.type
  const metadataStart = typeStart + bytes.readUInt32LE(start + AT.typeLength)
  const dataStart = metadataStart + bytes.readUInt32LE(start + AT.metadataLength)
  return {
    revision: revisionIn(bytes, start),
    id: uuidAt(bytes, start + AT.eventId),
    type: bytes.toString('utf8', typeStart, metadataStart),
    contentType: contentTypeOf(bytes[start + AT.flags] as number),
    data: bytes.subarray(dataStart, end),
    metadata: dataStart === metadataStart ? NO_BYTES : bytes.subarray(metadataStart, dataStart),
    created: createdIn(bytes, start),
  }
}

/** The event that a home holds. Its data and metadata point into the bytes. */
export function readStored({ stream, position, bytes }: StoredEvent): RecordedEvent {
  return { stream, position, ...readEvent(bytes, 0, bytes.length) }
}

export function typeIn(bytes: Buffer, start: number): string {
  const typeStart = start + AT.type
  return bytes.toString('utf8', typeStart, typeStart + bytes.readUInt32LE(start + AT.typeLength))
}

export function revisionIn(bytes: Buffer, start: number): Revision {
  return bytes.readDoubleLE(start + AT.revision)
}

export function createdIn(bytes: Buffer, start: number): Ticks | undefined {
  const flags = bytes[start + AT.flags] as number
  return flags & FLAG.untimed ? undefined : bytes.readBigInt64LE(start + AT.created)
}

/** Whether there is room for an event at all. */
export function mayHoldEvent(length: number): boolean {
  return length >= AT.type
}

function contentTypeOf(flags: number): ContentType {
  return flags & FLAG.json ? 'application/json' : 'application/octet-stream'
}
