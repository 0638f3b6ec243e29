// One event as bytes, little endian: 16 bytes for whoever keeps it, a fixed head, then type, metadata and data. The name of its stream and its place
// in the log are kept elsewhere. The embedded store holds its events so, and a replay between reading and folding.
import type { ContentType, ProposedEvent, RecordedEvent } from './event.js'
import { NO_BYTES } from './event.js'
import type { Revision } from './revision.js'
import type { Ticks } from './ticks.js'
import { uuidAt, writeUuid } from './uuid-bytes.js'

/** The first bytes belong to whoever keeps the event. */
export const KEEPER_LENGTH = 16

// Offsets of the head's fields.
const REVISION = 16
const CREATED = 24
const EVENT_ID = 32
const TYPE_LENGTH = 48
const METADATA_LENGTH = 52
const FLAGS = 56
const HEAD_LENGTH = 57

const IS_JSON = 1
const IS_UNTIMED = 2

/** All of an event that its bytes hold. */
export type EventBody = Omit<RecordedEvent, 'stream' | 'position'>

type Written = ProposedEvent & { readonly revision: Revision; readonly created: Ticks | undefined }

/** How many bytes an event takes, as far as is known before it is written: its type may take fewer. */
export function eventLengthMax({ type, metadata, data }: ProposedEvent): number {
  return HEAD_LENGTH + 3 * type.length + metadata.length + data.length
}

/** Writes an event, and gives where it ends. Throws RangeError where its id is no UUID. */
export function writeEvent(bytes: Buffer, start: number, event: Written): number {
  const { metadata, data, created } = event
  const metadataStart = start + HEAD_LENGTH + bytes.write(event.type, start + HEAD_LENGTH)
  const dataStart = metadataStart + metadata.length
  bytes.writeDoubleLE(event.revision, start + REVISION)
  bytes.writeBigInt64LE(created ?? 0n, start + CREATED)
  writeUuid(bytes, start + EVENT_ID, event.id)
  bytes.writeUInt32LE(metadataStart - start - HEAD_LENGTH, start + TYPE_LENGTH)
  bytes.writeUInt32LE(metadata.length, start + METADATA_LENGTH)
  bytes[start + FLAGS] =
    (event.contentType === 'application/json' ? IS_JSON : 0) | (created === undefined ? IS_UNTIMED : 0)
  bytes.set(metadata, metadataStart)
  bytes.set(data, dataStart)
  return dataStart + data.length
}

/** The event that stands there. Its data and metadata point into the bytes. */
export function readEvent(bytes: Buffer, start: number, end: number): EventBody {
  const typeStart = start + HEAD_LENGTH
  const metadataStart = typeStart + bytes.readUInt32LE(start + TYPE_LENGTH)
  const dataStart = metadataStart + bytes.readUInt32LE(start + METADATA_LENGTH)
  const flags = bytes[start + FLAGS] as number
  return {
    revision: revisionIn(bytes, start),
    id: uuidAt(bytes, start + EVENT_ID),
    type: bytes.toString('utf8', typeStart, metadataStart),
    contentType: contentTypeOf(flags),
    data: bytes.subarray(dataStart, end),
    metadata: dataStart === metadataStart ? NO_BYTES : bytes.subarray(metadataStart, dataStart),
    created: flags & IS_UNTIMED ? undefined : bytes.readBigInt64LE(start + CREATED),
  }
}

export function revisionIn(bytes: Buffer, start: number): Revision {
  return bytes.readDoubleLE(start + REVISION)
}

/** Whether there is room for an event at all. */
export function mayHoldEvent(length: number): boolean {
  return length >= HEAD_LENGTH
}

function contentTypeOf(flags: number): ContentType {
  return flags & IS_JSON ? 'application/json' : 'application/octet-stream'
}
