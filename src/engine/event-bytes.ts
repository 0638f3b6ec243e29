// One event of a replay as bytes, for its time between reading and folding: what the log holds of it (src/log/event-bytes.ts), with its subject's
// hash and its ordinal in front and the name of its stream behind. Its position is left out, which no fold looks at.
import type { RecordedEvent } from '../log/event.js'
import { eventLengthMax, readEvent, writeEvent } from '../log/event-bytes.js'
import type { DecodableEvent } from './decode.js'

// Offsets in the keeper's part.
const SUBJECT_HASH = 0
const STREAM_LENGTH = 4
const ORDINAL = 8

/** A UTF-16 code unit takes at most so many bytes. */
const BYTES_PER_UNIT_MAX = 3

/** What stands around an event's own bytes. */
export interface EventPlace {
  readonly stream: string
  /** The how-many-eth event of the reading it is. */
  readonly ordinal: number
  readonly subjectHash: number
}

/** Writes one event after the other into the same bytes, which whoever keeps them copies. */
export class EventWriter {
  bytes = Buffer.allocUnsafeSlow(2 ** 12)

  /** Gives the length of the event, which stands at the start of `bytes`. */
  write(event: Omit<RecordedEvent, 'position'>, place: EventPlace): number {
    this.#makeRoom(eventLengthMax(event), place)
    return this.#finish(writeEvent(this.bytes, 0, event), place)
  }

  /** The same of an event that is bytes already. */
  copy(source: Buffer, start: number, end: number, place: EventPlace): number {
    this.#makeRoom(end - start, place)
    return this.#finish(source.copy(this.bytes, 0, start, end), place)
  }

  #finish(end: number, { stream, ordinal, subjectHash }: EventPlace): number {
    const { bytes } = this
    const streamLength = bytes.write(stream, end)
    bytes.writeUInt32LE(subjectHash, SUBJECT_HASH)
    bytes.writeUInt32LE(streamLength, STREAM_LENGTH)
    bytes.writeDoubleLE(ordinal, ORDINAL)
    return end + streamLength
  }

  #makeRoom(eventLength: number, { stream }: EventPlace): void {
    const length = eventLength + BYTES_PER_UNIT_MAX * stream.length
    if (length > this.bytes.length) this.bytes = Buffer.allocUnsafeSlow(length * 2)
  }
}

export function ordinalIn(bytes: Buffer, start: number): number {
  return bytes.readDoubleLE(start + ORDINAL)
}

export function subjectHashIn(bytes: Buffer, start: number): number {
  return bytes.readUInt32LE(start + SUBJECT_HASH)
}

/** The event that was written. Its data and metadata point into the bytes. */
export function eventIn(bytes: Buffer, start: number, end: number): DecodableEvent {
  const streamStart = end - bytes.readUInt32LE(start + STREAM_LENGTH)
  return Object.assign(readEvent(bytes, start, streamStart), { stream: bytes.toString('utf8', streamStart, end) })
}
