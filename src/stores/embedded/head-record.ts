// The small records beside the log, each with its checksum: a stream's head, a stream's name, where revisions are missing, and where the
// log ends.
import { crc32 } from 'node:zlib'
import type { Revision } from '../../log/revision.js'
import type { StreamLimits } from '../../log/stream-metadata.js'
import type { StreamHead } from '../stream-head.js'

const CHECKSUM_LENGTH = 4

// Flags of a head.
const TOMBSTONED = 1
const SOFT_DELETED = 2
const HAS_TRUNCATE_BEFORE = 4
const HAS_MAX_COUNT = 8
const HAS_MAX_AGE = 16

const HEAD_LENGTH = 37
const TAIL_LENGTH = 12
const GAP_LENGTH = 8

/** A stream's head with the number by which records name the stream. */
export interface StoredHead {
  readonly id: number
  readonly head: StreamHead
}

/** Where the next record and the next stream go. */
export interface Tail {
  readonly nextPlace: number
  readonly nextStreamId: number
}

/** The end of an empty log. Place 0 stands before the first record. */
export const EMPTY_TAIL: Tail = { nextPlace: 1, nextStreamId: 1 }

export function encodeHead({ id, head }: StoredHead): Buffer {
  const { limits } = head
  const body = Buffer.alloc(HEAD_LENGTH)
  body.writeUInt32LE(id, 0)
  body.writeDoubleLE(head.last, 4)
  body.writeUInt8(flagsOf(head), 12)
  body.writeDoubleLE(limits.truncateBefore ?? 0, 13)
  body.writeDoubleLE(limits.maxCount ?? 0, 21)
  body.writeDoubleLE(limits.maxAgeSeconds ?? 0, 29)
  return withChecksum(body)
}

/** Undefined where the bytes are not what was written. */
export function decodeHead(bytes: Buffer): StoredHead | undefined {
  const body = withoutChecksum(bytes)
  if (body?.length !== HEAD_LENGTH) return undefined
  const flags = body.readUInt8(12)
  const limits: StreamLimits = {
    ...(flags & HAS_TRUNCATE_BEFORE && { truncateBefore: body.readDoubleLE(13) }),
    ...(flags & HAS_MAX_COUNT && { maxCount: body.readDoubleLE(21) }),
    ...(flags & HAS_MAX_AGE && { maxAgeSeconds: body.readDoubleLE(29) }),
    softDeleted: (flags & SOFT_DELETED) !== 0,
  }
  const head = { last: body.readDoubleLE(4), tombstoned: (flags & TOMBSTONED) !== 0, limits }
  return { id: body.readUInt32LE(0), head }
}

export function encodeTail({ nextPlace, nextStreamId }: Tail): Buffer {
  const body = Buffer.alloc(TAIL_LENGTH)
  body.writeDoubleLE(nextPlace, 0)
  body.writeUInt32LE(nextStreamId, 8)
  return withChecksum(body)
}

/** Undefined where the bytes are not what was written. */
export function decodeTail(bytes: Buffer): Tail | undefined {
  const body = withoutChecksum(bytes)
  if (body?.length !== TAIL_LENGTH) return undefined
  return { nextPlace: body.readDoubleLE(0), nextStreamId: body.readUInt32LE(8) }
}

/** A place in the index that leads to no event: revisions are missing from here up to `end`, which is there. */
export function encodeGap(end: Revision): Buffer {
  const body = Buffer.alloc(GAP_LENGTH)
  body.writeDoubleLE(end, 0)
  return withChecksum(body)
}

/** Where a gap ends; undefined where the bytes are not what was written, as those of a place in the log are not. */
export function decodeGap(bytes: Buffer): Revision | undefined {
  // Looked at first: this is asked of every place that is read.
  return bytes.length === CHECKSUM_LENGTH + GAP_LENGTH ? withoutChecksum(bytes)?.readDoubleLE(0) : undefined
}

export function encodeName(name: string): Buffer {
  return withChecksum(Buffer.from(name))
}

/** Undefined where the bytes are not what was written. */
export function decodeName(bytes: Buffer): string | undefined {
  return withoutChecksum(bytes)?.toString('utf8')
}

function flagsOf({ tombstoned, limits }: StreamHead): number {
  return (
    (tombstoned ? TOMBSTONED : 0) |
    (limits.softDeleted ? SOFT_DELETED : 0) |
    (limits.truncateBefore === undefined ? 0 : HAS_TRUNCATE_BEFORE) |
    (limits.maxCount === undefined ? 0 : HAS_MAX_COUNT) |
    (limits.maxAgeSeconds === undefined ? 0 : HAS_MAX_AGE)
  )
}

function withChecksum(body: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(CHECKSUM_LENGTH + body.length)
  bytes.writeUInt32LE(crc32(body), 0)
  bytes.set(body, CHECKSUM_LENGTH)
  return bytes
}

function withoutChecksum(bytes: Buffer): Buffer | undefined {
  if (bytes.length < CHECKSUM_LENGTH) return undefined
  const body = bytes.subarray(CHECKSUM_LENGTH)
  return bytes.readUInt32LE(0) === crc32(body) ? body : undefined
}
