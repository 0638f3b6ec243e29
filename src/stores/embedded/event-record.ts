// One event in the log's table: its bytes (src/log/event-bytes.ts), with a checksum, its stream's number and its place in front. The checksum covers
// all of it and, as the seed, the stream's name, so that an event that stands in a wrong place or under a wrong name is found out when it is read.
import { crc32 } from 'node:zlib'
import type { ProposedEvent, RecordedEvent } from '../../log/event.js'
import { eventLengthMax, mayHoldEvent, readStored, type StoredEvent, writeEvent } from '../../log/event-bytes.js'
import type { Position } from '../../log/position.js'
import type { Revision } from '../../log/revision.js'
import type { Ticks } from '../../log/ticks.js'

// Offsets in the keeper's part; little endian.
const CHECKSUM = 0
const STREAM_ID = 4
const PLACE = 8

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
  const room = Buffer.allocUnsafe(eventLengthMax(event))
  const bytes = room.subarray(0, writeEvent(room, 0, { ...event, revision, created }))
  bytes.writeUInt32LE(stream.id, STREAM_ID)
  bytes.writeDoubleLE(place, PLACE)
  bytes.writeUInt32LE(checksumOf(bytes, stream.seed), CHECKSUM)
  return bytes
}

/** The stream's id in a record's bytes, unchecked: enough to pass it over. */
export function streamIdOf(bytes: Buffer): number {
  return mayHoldEvent(bytes.length) ? bytes.readUInt32LE(STREAM_ID) : 0
}

/** Whether the bytes are what was once written for this stream at this place. */
export function isIntact(bytes: Buffer, { id, seed }: StreamName, place: number): boolean {
  return (
    mayHoldEvent(bytes.length) &&
    bytes.readUInt32LE(CHECKSUM) === checksumOf(bytes, seed) &&
    bytes.readUInt32LE(STREAM_ID) === id &&
    bytes.readDoubleLE(PLACE) === place
  )
}

/** The event in intact bytes, which it keeps: they must not change afterwards. */
export function decodeRecord(bytes: Buffer, stream: string): RecordedEvent {
  return readStored(storedRecord(bytes, stream))
}

/** The same without looking into it. */
export function storedRecord(bytes: Buffer, stream: string): StoredEvent {
  return { stream, position: positionOf(bytes.readDoubleLE(PLACE)), bytes }
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
