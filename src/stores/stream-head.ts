// What a home keeps of each stream, so that neither an append nor a reading has to look anywhere else.
import type { ActualRevision, Revision } from '../log/revision.js'
import { describedBy } from '../log/stream.js'
import { limitsOf, type StreamLimits } from '../log/stream-metadata.js'

/** Where a stream stands. A stream that only has metadata, or that never was, has a head without events. */
export interface StreamHead {
  /** The last event's revision, a tombstone not counted; -1 where there is none. */
  readonly last: Revision | -1
  readonly tombstoned: boolean
  /** What the last event of the stream's metadata stream says. */
  readonly limits: StreamLimits
}

const NO_LIMITS: StreamLimits = { softDeleted: false }

/** The head of a stream that never was. */
export const NO_HEAD: StreamHead = { last: -1, tombstoned: false, limits: NO_LIMITS }

/** A metadata stream shows its last event; metadata about metadata is kept and without effect, as on a real server. */
const METADATA_STREAM_LIMITS: StreamLimits = { maxCount: 1, softDeleted: false }

/** Gives the head of any stream; {@link NO_HEAD} where there is none. */
export type HeadOf = (stream: string) => StreamHead

/** The limits under which a stream is read. */
export function limitsOfStream(stream: string, head: StreamHead): StreamLimits {
  return describedBy(stream) === undefined ? head.limits : METADATA_STREAM_LIMITS
}

/** What a metadata stream's new last event makes of the described stream's limits; a tombstone lifts them. */
export function limitsFromMetadata(data: Uint8Array, tombstone: boolean): StreamLimits {
  return tombstone ? NO_LIMITS : limitsOf(data)
}

/** Whether a stream can be read: see StreamRead. A tombstone closes the stream's metadata stream too. */
export function kindOfStream(stream: string, headOf: HeadOf): 'found' | 'missing' | 'tombstoned' {
  const head = headOf(stream)
  const described = describedBy(stream)
  if (head.tombstoned || (described !== undefined && headOf(described).tombstoned)) return 'tombstoned'
  return head.last < 0 || limitsOfStream(stream, head).softDeleted ? 'missing' : 'found'
}

/** The head as an append reports it. */
export function actualRevision(head: StreamHead): ActualRevision {
  return head.last < 0 ? 'noStream' : head.last
}
