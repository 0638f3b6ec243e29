// An event as it stands on the wire, into the event as the log's readers know it. This one message is decoded by hand: nearly all bytes that are
// ever read are these, and the generated classes take longer than everything else together. A test holds it to them.
import { NO_BYTES, type RecordedEvent } from '../../../log/event.js'
import { MalformedMessageError, type ProtoCursor } from './proto-cursor.js'

const varint = (field: number) => field << 3
const bytes = (field: number) => (field << 3) | 2

export const READ_RESP = { event: bytes(1) }
export const READ_EVENT = { event: bytes(1), link: bytes(2) }
export const RECORDED = {
  id: bytes(1),
  stream: bytes(2),
  revision: varint(3),
  prepare: varint(4),
  commit: varint(5),
  metadata: bytes(6),
  customMetadata: bytes(7),
  data: bytes(8),
}
export const STREAM_NAME = bytes(3)
export const UUID = { structured: bytes(1), text: bytes(2), mostSignificant: varint(1), leastSignificant: varint(2) }
export const ENTRY = { key: bytes(1), value: bytes(2) }

export const JSON_CONTENT = 'application/json'

/** Ticks are read in two parts, since a double has not the digits for all of them. */
const LOW_DIGITS = 7
const LOW_SCALE = 10_000_000n

type Draft = { -readonly [Key in keyof RecordedEvent]: RecordedEvent[Key] }

/** The event of a ReadEvent message, which is what the cursor has entered. Links are not resolved: a link is an event like others. */
export function readEventIn(cursor: ProtoCursor): RecordedEvent {
  let event: RecordedEvent | undefined
  const end = cursor.end
  while (cursor.more) {
    const tag = cursor.tag()
    if (tag !== READ_EVENT.event && tag !== READ_EVENT.link) {
      cursor.skip(tag)
      continue
    }
    cursor.end = cursor.fieldEnd()
    event = recordedEventIn(cursor)
    cursor.end = end
  }
  if (!event) throw new MalformedMessageError('A message of an event holds none')
  return event
}

/** The event of a RecordedEvent message, which is what the cursor has entered. */
export function recordedEventIn(cursor: ProtoCursor): RecordedEvent {
  const draft: Draft = {
    stream: '',
    revision: 0,
    id: '',
    type: '',
    contentType: 'application/octet-stream',
    data: NO_BYTES,
    metadata: NO_BYTES,
    created: undefined,
    position: { commit: 0n, prepare: 0n },
  }
  let commit = 0n
  let prepare = 0n
  while (cursor.more) {
    const tag = cursor.tag()
    if (tag === RECORDED.commit) commit = cursor.bigint()
    else if (tag === RECORDED.prepare) prepare = cursor.bigint()
    else readField(cursor, tag, draft)
  }
  draft.position = { commit, prepare }
  return draft
}

function readField(cursor: ProtoCursor, tag: number, draft: Draft): void {
  switch (tag) {
    case RECORDED.id:
      draft.id = nested(cursor, uuidIn)
      return
    case RECORDED.stream:
      draft.stream = nested(cursor, streamNameIn)
      return
    case RECORDED.revision:
      draft.revision = cursor.number()
      return
    case RECORDED.metadata:
      readEntry(cursor, draft)
      return
    case RECORDED.customMetadata:
      draft.metadata = cursor.slice()
      return
    case RECORDED.data:
      draft.data = cursor.slice()
      return
    default:
      cursor.skip(tag)
  }
}

function nested<T>(cursor: ProtoCursor, read: (cursor: ProtoCursor) => T): T {
  const outer = cursor.end
  cursor.end = cursor.fieldEnd()
  const result = read(cursor)
  cursor.at = cursor.end
  cursor.end = outer
  return result
}

function streamNameIn(cursor: ProtoCursor): string {
  let name = ''
  while (cursor.more) {
    const tag = cursor.tag()
    if (tag === STREAM_NAME) name = cursor.text()
    else cursor.skip(tag)
  }
  return name
}

/** We ask for text; a server that gives the two halves all the same is understood. */
function uuidIn(cursor: ProtoCursor): string {
  let id = ''
  while (cursor.more) {
    const tag = cursor.tag()
    if (tag === UUID.text) id = cursor.text()
    else if (tag === UUID.structured) id = nested(cursor, structuredUuidIn)
    else cursor.skip(tag)
  }
  return id
}

function structuredUuidIn(cursor: ProtoCursor): string {
  let [most, least] = [0n, 0n]
  while (cursor.more) {
    const tag = cursor.tag()
    if (tag === UUID.mostSignificant) most = cursor.bigint()
    else if (tag === UUID.leastSignificant) least = cursor.bigint()
    else cursor.skip(tag)
  }
  const hex = ((most << 64n) | least).toString(16).padStart(32, '0')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** One entry of the server's own metadata: `type`, `created`, `content-type`. Keys have unlike lengths, so that is what is looked at. */
function readEntry(cursor: ProtoCursor, draft: Draft): void {
  const outer = cursor.end
  cursor.end = cursor.fieldEnd()
  let keyBytes = 0
  let [start, end] = [cursor.at, cursor.at]
  while (cursor.more) {
    const tag = cursor.tag()
    const fieldEnd = cursor.fieldEnd()
    if (tag === ENTRY.key) keyBytes = fieldEnd - cursor.at
    else if (tag === ENTRY.value) [start, end] = [cursor.at, fieldEnd]
    cursor.at = fieldEnd
  }
  cursor.end = outer
  if (keyBytes === 'type'.length) draft.type = cursor.bytes.toString('utf8', start, end)
  else if (keyBytes === 'created'.length) draft.created = ticksIn(cursor.bytes, start, end)
  else if (keyBytes === 'content-type'.length && cursor.bytes.toString('latin1', start, end) === JSON_CONTENT)
    draft.contentType = JSON_CONTENT
}

/** 100-nanosecond steps in decimal digits; undefined where there are none. */
function ticksIn(text: Buffer, start: number, end: number): bigint | undefined {
  if (start === end) return undefined
  const middle = Math.max(start, end - LOW_DIGITS)
  const [high, low] = [digitsIn(text, start, middle), digitsIn(text, middle, end)]
  if (high === undefined || low === undefined) return undefined
  return BigInt(high) * LOW_SCALE + BigInt(low)
}

function digitsIn(text: Buffer, start: number, end: number): number | undefined {
  let value = 0
  for (let at = start; at < end; at += 1) {
    const digit = (text[at] ?? 0) - 48
    if (digit < 0 || digit > 9) return undefined
    value = value * 10 + digit
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : undefined
}
