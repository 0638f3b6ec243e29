// One event of a replay as bytes, for its time between reading and folding: a fixed head, then its texts, metadata and data. Its position is left
// out, which no fold looks at.
import { type ContentType, NO_BYTES } from '../log/event.js'
import type { DecodableEvent } from './decode.js'

// Offsets of the head's fields.
const ORDINAL = 0
const REVISION = 8
const CREATED = 16
const SUBJECT_HASH = 24
const STREAM_LENGTH = 28
const ID_LENGTH = 32
const TYPE_LENGTH = 36
const METADATA_LENGTH = 40
const FLAGS = 44
const HEAD_LENGTH = 45

const IS_JSON = 1
const HAS_CREATED = 2

/** A UTF-16 code unit takes at most so many bytes. */
const BYTES_PER_UNIT_MAX = 3

/** What stands in front of an event's own fields. */
export interface EventPlace {
  /** The how-many-eth event of the reading it is. */
  readonly ordinal: number
  readonly subjectHash: number
}

/** Writes one event after the other into the same bytes, which whoever keeps them copies. */
export class EventWriter {
  bytes = Buffer.allocUnsafeSlow(2 ** 12)
  #view = viewOf(this.bytes)

  /** Gives the length of the event, which stands at the start of `bytes`. */
  write(event: DecodableEvent, { ordinal, subjectHash }: EventPlace): number {
    const { stream, id, type, metadata, data, created } = event
    const texts = (stream.length + id.length + type.length) * BYTES_PER_UNIT_MAX
    this.#makeRoom(HEAD_LENGTH + texts + metadata.length + data.length)
    const { bytes } = this
    const view = this.#view
    let at = HEAD_LENGTH
    view.setUint32(STREAM_LENGTH, bytes.write(stream, at), true)
    at += view.getUint32(STREAM_LENGTH, true)
    view.setUint32(ID_LENGTH, bytes.write(id, at), true)
    at += view.getUint32(ID_LENGTH, true)
    view.setUint32(TYPE_LENGTH, bytes.write(type, at), true)
    at += view.getUint32(TYPE_LENGTH, true)
    view.setUint32(METADATA_LENGTH, metadata.length, true)
    bytes.set(metadata, at)
    bytes.set(data, at + metadata.length)
    view.setFloat64(ORDINAL, ordinal, true)
    view.setFloat64(REVISION, event.revision, true)
    view.setBigInt64(CREATED, created ?? 0n, true)
    view.setUint32(SUBJECT_HASH, subjectHash, true)
    view.setUint8(FLAGS, flagsOf(event))
    return at + metadata.length + data.length
  }

  #makeRoom(length: number): void {
    if (length <= this.bytes.length) return
    this.bytes = Buffer.allocUnsafeSlow(length * 2)
    this.#view = viewOf(this.bytes)
  }
}

function flagsOf({ contentType, created }: DecodableEvent): number {
  return (contentType === 'application/json' ? IS_JSON : 0) | (created === undefined ? 0 : HAS_CREATED)
}

export function ordinalIn(bytes: Buffer, start: number): number {
  return bytes.readDoubleLE(start + ORDINAL)
}

export function subjectHashIn(bytes: Buffer, start: number): number {
  return bytes.readUInt32LE(start + SUBJECT_HASH)
}

/** The event that was written. Its data and metadata point into the bytes. */
export function eventIn(bytes: Buffer, start: number, end: number): DecodableEvent {
  const streamStart = start + HEAD_LENGTH
  const idStart = streamStart + bytes.readUInt32LE(start + STREAM_LENGTH)
  const typeStart = idStart + bytes.readUInt32LE(start + ID_LENGTH)
  const metadataStart = typeStart + bytes.readUInt32LE(start + TYPE_LENGTH)
  const dataStart = metadataStart + bytes.readUInt32LE(start + METADATA_LENGTH)
  const flags = bytes[start + FLAGS] as number
  return {
    stream: bytes.toString('utf8', streamStart, idStart),
    revision: bytes.readDoubleLE(start + REVISION),
    id: bytes.toString('utf8', idStart, typeStart),
    type: bytes.toString('utf8', typeStart, metadataStart),
    contentType: contentTypeOf(flags),
    data: bytes.subarray(dataStart, end),
    metadata: dataStart === metadataStart ? NO_BYTES : bytes.subarray(metadataStart, dataStart),
    created: flags & HAS_CREATED ? bytes.readBigInt64LE(start + CREATED) : undefined,
  }
}

function contentTypeOf(flags: number): ContentType {
  return flags & IS_JSON ? 'application/json' : 'application/octet-stream'
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}
