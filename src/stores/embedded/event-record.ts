// One event as bytes: a fixed head, then type, metadata and data. Its checksum covers all of it and, as the seed, the stream's
// name, so that an event that stands in a wrong place or under a wrong name is found out when it is read.
import { crc32 } from 'node:zlib'
import type { ContentType, ProposedEvent, RecordedEvent } from '../../log/event.js'
import type { Position } from '../../log/position.js'
import type { Revision } from '../../log/revision.js'
import type { Ticks } from '../../log/ticks.js'

// Offsets of the head's fields; little endian.
const CHECKSUM = 0
const STREAM_ID = 4
const PLACE = 8
const REVISION = 16
const CREATED = 24
const EVENT_ID = 32
const TYPE_LENGTH = 48
const METADATA_LENGTH = 52
const FLAGS = 56
const HEAD_LENGTH = 57

const IS_JSON = 1

/** A stream as records name it. */
export interface StreamName {
  readonly id: number
  readonly name: string
  /** Checksum of the name: the seed of the checksums of its events. */
  readonly seed: number
}

/** Where and when an event is put. `place` is its position as a number. */
export interface RecordPlace {
  readonly stream: StreamName
  readonly place: number
  readonly revision: Revision
  readonly created: Ticks
}

/** The bytes of one event. */
export function encodeRecord(event: ProposedEvent, { stream, place, revision, created }: RecordPlace): Buffer {
  const type = Buffer.from(event.type)
  const bytes = Buffer.allocUnsafe(HEAD_LENGTH + type.length + event.metadata.length + event.data.length)
  bytes.writeUInt32LE(stream.id, STREAM_ID)
  bytes.writeDoubleLE(place, PLACE)
  bytes.writeDoubleLE(revision, REVISION)
  bytes.writeBigInt64LE(created, CREATED)
  bytes.write(event.id.replaceAll('-', ''), EVENT_ID, 'hex')
  bytes.writeUInt32LE(type.length, TYPE_LENGTH)
  bytes.writeUInt32LE(event.metadata.length, METADATA_LENGTH)
  bytes.writeUInt8(event.contentType === 'application/json' ? IS_JSON : 0, FLAGS)
  bytes.set(type, HEAD_LENGTH)
  bytes.set(event.metadata, HEAD_LENGTH + type.length)
  bytes.set(event.data, HEAD_LENGTH + type.length + event.metadata.length)
  bytes.writeUInt32LE(checksumOf(bytes, stream.seed), CHECKSUM)
  return bytes
}

/** The stream's id in a record's bytes, unchecked: enough to pass it over. */
export function streamIdOf(bytes: Buffer): number {
  return bytes.length < HEAD_LENGTH ? 0 : bytes.readUInt32LE(STREAM_ID)
}

/** Whether the bytes are what was once written for this stream at this place. */
export function isIntact(bytes: Buffer, { id, seed }: StreamName, place: number): boolean {
  return (
    bytes.length >= HEAD_LENGTH &&
    bytes.readUInt32LE(CHECKSUM) === checksumOf(bytes, seed) &&
    bytes.readUInt32LE(STREAM_ID) === id &&
    bytes.readDoubleLE(PLACE) === place
  )
}

/** The event in intact bytes, which it keeps: they must not change afterwards. */
export function decodeRecord(bytes: Buffer, stream: string): RecordedEvent {
  const metadataStart = HEAD_LENGTH + bytes.readUInt32LE(TYPE_LENGTH)
  const dataStart = metadataStart + bytes.readUInt32LE(METADATA_LENGTH)
  return {
    stream,
    revision: revisionOf(bytes),
    id: idOf(bytes),
    type: bytes.toString('utf8', HEAD_LENGTH, metadataStart),
    contentType: contentTypeOf(bytes),
    data: bytes.subarray(dataStart),
    metadata: bytes.subarray(metadataStart, dataStart),
    created: bytes.readBigInt64LE(CREATED),
    position: positionOf(bytes.readDoubleLE(PLACE)),
  }
}

export function revisionOf(bytes: Buffer): Revision {
  return bytes.readDoubleLE(REVISION)
}

/** A position as the store counts it. */
export function positionOf(place: number): Position {
  const commit = BigInt(place)
  return { commit, prepare: commit }
}

/** A checksum of a text, to seed others. */
export function seedOf(name: string): number {
  return crc32(name)
}

function checksumOf(bytes: Buffer, seed: number): number {
  return crc32(bytes.subarray(STREAM_ID), seed)
}

function contentTypeOf(bytes: Buffer): ContentType {
  return bytes.readUInt8(FLAGS) & IS_JSON ? 'application/json' : 'application/octet-stream'
}

function idOf(bytes: Buffer): string {
  const hex = bytes.toString('hex', EVENT_ID, EVENT_ID + 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
