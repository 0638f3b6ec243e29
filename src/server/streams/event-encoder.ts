// Events as they stand on the wire, framed and many in a buffer. This one message is written by hand, field by field of ReadResp in
// streams.proto: the generated classes would cost more than reading the event does. A test holds it to them. An event that is bytes already is
// copied part by part, and none of it is read.
import type { ContentType, RecordedEvent } from '../../log/event.js'
import { AT, FLAG, revisionIn, type StoredEvent, typeIn } from '../../log/event-bytes.js'
import type { Position } from '../../log/position.js'
import { type Revision, TOMBSTONE_REVISION } from '../../log/revision.js'
import { writeTicksText } from '../../log/ticks-text.js'
import { UUID_TEXT_LENGTH, uuidAt, writeUuidText } from '../../log/uuid-bytes.js'
import { structuredUuid, type UuidForm } from './uuids.js'

const FIRST_BUFFER_BYTES = 16 * 1024
const KEPT_BUFFER_BYTES_MAX = 4 * 1024 * 1024

/** Encoding never waits, so one buffer serves everybody: hundreds of subscriptions would each keep one as large as their largest event. */
let scratch = Buffer.allocUnsafe(FIRST_BUFFER_BYTES)

const FRAME_PREFIX_BYTES = 5
/** What a message takes at most beside the variable parts of its events, and what a character of a name takes. */
const FIXED_BYTES_MAX = 512
const CHARACTER_BYTES_MAX = 3

/** A field's number with its kind on the wire. */
const varintField = (number: number) => number << 3
const bytesField = (number: number) => (number << 3) | 2

const READ_RESP = { event: bytesField(1) }
const READ_EVENT = { event: bytesField(1), link: bytesField(2), commit: varintField(3), retryCount: varintField(5) }
const RECORDED = {
  id: bytesField(1),
  stream: bytesField(2),
  revision: varintField(3),
  prepare: varintField(4),
  commit: varintField(5),
  metadata: bytesField(6),
  customMetadata: bytesField(7),
  data: bytesField(8),
}
const STREAM_NAME = bytesField(3)
const UUID = {
  structured: bytesField(1),
  string: bytesField(2),
  mostSignificant: varintField(1),
  leastSignificant: varintField(2),
}
const ENTRY = { key: bytesField(1), value: bytesField(2) }

/** The keys of entries, with all that stands before them in the entry. */
const KEY = { type: keyField('type'), created: keyField('created'), contentType: keyField('content-type') }

/** An event as a reading gives it: read, or as its home holds it. */
export type Given = RecordedEvent | StoredEvent

/** An event's type, which is all that is read of it. */
export function typeOf(event: Given): string {
  return 'bytes' in event ? typeIn(event.bytes, 0) : event.type
}

/** About how many bytes an event takes on the wire. */
export function weightOf(event: Given): number {
  return 'bytes' in event ? event.bytes.length : event.data.length + event.metadata.length
}

/** What is sent of one place: an event, or a link with the event that it leads to, if it leads to one. */
export type Sent<Event extends Given = RecordedEvent> =
  | (Retries & { readonly event: Event; readonly link?: undefined })
  | (Retries & { readonly event?: Event | undefined; readonly link: Event })

/** The message to a consumer of a group is the same but for this. */
interface Retries {
  /** How often it was given before; undefined where nobody counts. */
  readonly retryCount?: number
}

/** Fills a buffer from its end: so each length is known when it is written. What was added last stands first. */
export class EventEncoder {
  readonly #form: UuidForm
  #start = 0

  constructor(form: UuidForm) {
    this.#form = form
  }

  /** Framed messages in the order of the list. The bytes are the caller's. */
  encode(sent: readonly Sent<Given>[]): Buffer {
    this.#start = scratch.length
    for (let i = sent.length - 1; i >= 0; i--) this.#message(sent[i] as Sent<Given>)
    const encoded = Buffer.from(scratch.subarray(this.#start))
    if (scratch.length > KEPT_BUFFER_BYTES_MAX) scratch = Buffer.allocUnsafe(FIRST_BUFFER_BYTES)
    return encoded
  }

  #message(sent: Sent<Given>): void {
    const { event, link } = sent
    this.#room(roomFor(event) + roomFor(link))
    const before = this.#used
    const place = sent.link ?? sent.event
    if (sent.retryCount !== undefined) this.#field(READ_EVENT.retryCount, sent.retryCount)
    this.#field(READ_EVENT.commit, integerOf(place.position.commit))
    if (link) this.#event(READ_EVENT.link, link)
    if (event) this.#event(READ_EVENT.event, event)
    this.#head(READ_RESP.event, this.#used - before)
    const length = this.#used - before
    this.#start -= FRAME_PREFIX_BYTES
    scratch[this.#start] = 0
    scratch.writeUInt32BE(length, this.#start + 1)
  }

  #event(field: number, event: Given): void {
    const before = this.#used
    if ('bytes' in event) this.#stored(event)
    else this.#recorded(event)
    this.#head(field, this.#used - before)
  }

  #recorded(event: RecordedEvent): void {
    this.#bytes(RECORDED.data, event.data)
    if (event.metadata.length > 0) this.#bytes(RECORDED.customMetadata, event.metadata)
    this.#contentType(event.contentType)
    this.#textEntry(KEY.created, String(event.created ?? 0n))
    this.#textEntry(KEY.type, event.type)
    this.#place(event.position, event.revision, event.stream)
    this.#id(event.id)
  }

  /** The same fields from where they stand in the event's bytes. */
  #stored({ stream, position, bytes }: StoredEvent): void {
    const metadataStart = AT.type + bytes.readUInt32LE(AT.typeLength)
    const dataStart = metadataStart + bytes.readUInt32LE(AT.metadataLength)
    const flags = bytes[AT.flags] as number
    this.#part(RECORDED.data, bytes, dataStart, bytes.length)
    if (dataStart > metadataStart) this.#part(RECORDED.customMetadata, bytes, metadataStart, dataStart)
    this.#contentType(flags & FLAG.json ? 'application/json' : 'application/octet-stream')
    if (flags & FLAG.untimed) this.#textEntry(KEY.created, '0')
    else this.#storedCreated(bytes)
    this.#storedType(bytes, metadataStart)
    this.#place(position, revisionIn(bytes, 0), stream)
    if (this.#form === 'string') this.#storedId(bytes)
    else this.#id(uuidAt(bytes, AT.eventId))
  }

  #storedCreated(bytes: Buffer): void {
    const before = this.#used
    this.#start = writeTicksText(bytes, AT.created, scratch, this.#start)
    this.#head(ENTRY.value, this.#used - before)
    this.#endEntry(KEY.created, before)
  }

  #storedType(bytes: Buffer, end: number): void {
    const before = this.#used
    this.#part(ENTRY.value, bytes, AT.type, end)
    this.#endEntry(KEY.type, before)
  }

  #storedId(bytes: Buffer): void {
    const before = this.#used
    this.#start -= UUID_TEXT_LENGTH
    writeUuidText(bytes, AT.eventId, scratch, this.#start)
    this.#head(UUID.string, UUID_TEXT_LENGTH)
    this.#head(RECORDED.id, this.#used - before)
  }

  #id(id: string): void {
    const before = this.#used
    if (this.#form === 'string') this.#text(UUID.string, id)
    else this.#halves(id)
    this.#head(RECORDED.id, this.#used - before)
  }

  #halves(id: string): void {
    const { mostSignificant, leastSignificant } = structuredUuid(id)
    const before = this.#used
    this.#field(UUID.leastSignificant, BigInt.asUintN(64, leastSignificant))
    this.#field(UUID.mostSignificant, BigInt.asUintN(64, mostSignificant))
    this.#head(UUID.structured, this.#used - before)
  }

  #place(position: Position, revision: Revision, stream: string): void {
    const commit = integerOf(position.commit)
    this.#field(RECORDED.commit, commit)
    this.#field(RECORDED.prepare, position.prepare === position.commit ? commit : integerOf(position.prepare))
    this.#field(RECORDED.revision, revision === TOMBSTONE_REVISION ? 2n ** 63n - 1n : revision)
    const before = this.#used
    this.#text(STREAM_NAME, stream)
    this.#head(RECORDED.stream, this.#used - before)
  }

  #contentType(contentType: ContentType): void {
    this.#textEntry(KEY.contentType, contentType)
  }

  #textEntry(key: Buffer, value: string): void {
    const before = this.#used
    this.#text(ENTRY.value, value)
    this.#endEntry(key, before)
  }

  /** Puts a key, and the entry's own head, before the value that is there. */
  #endEntry(key: Buffer, before: number): void {
    this.#start -= key.length
    scratch.set(key, this.#start)
    this.#head(RECORDED.metadata, this.#used - before)
  }

  #text(field: number, text: string): void {
    const length = Buffer.byteLength(text)
    this.#start -= length
    scratch.write(text, this.#start, length)
    this.#head(field, length)
  }

  #bytes(field: number, bytes: Uint8Array): void {
    this.#start -= bytes.length
    scratch.set(bytes, this.#start)
    this.#head(field, bytes.length)
  }

  #part(field: number, bytes: Buffer, start: number, end: number): void {
    this.#start -= end - start
    bytes.copy(scratch, this.#start, start, end)
    this.#head(field, end - start)
  }

  /** The number of a field and the length of what stands after it. */
  #head(field: number, length: number): void {
    this.#varint(length)
    this.#varint(field)
  }

  #field(field: number, value: number | bigint): void {
    this.#varint(value)
    this.#varint(field)
  }

  #varint(value: number | bigint): void {
    if (value < 128) {
      this.#start -= 1
      scratch[this.#start] = Number(value)
      return
    }
    this.#start -= varintLength(value)
    let at = this.#start
    let rest = value
    if (typeof rest === 'bigint') {
      for (; rest > 127n; rest >>= 7n) scratch[at++] = Number(rest & 127n) | 128
      scratch[at] = Number(rest)
      return
    }
    for (; rest > 127; rest = Math.floor(rest / 128)) scratch[at++] = (rest % 128) | 128
    scratch[at] = rest
  }

  /** How many bytes are there. Counted from the end, since the buffer grows at its start. */
  get #used(): number {
    return scratch.length - this.#start
  }

  /** Makes room for so many bytes before those that are there. */
  #room(count: number): void {
    if (this.#start >= count) return
    const used = this.#used
    const larger = Buffer.allocUnsafe(Math.max(scratch.length * 2, used + count))
    scratch.copy(larger, larger.length - used, this.#start)
    this.#start = larger.length - used
    scratch = larger
  }
}

/** The most bytes that an event can take, all heads included. */
function roomFor(event: Given | undefined): number {
  if (!event) return 0
  const characters = event.stream.length + ('bytes' in event ? 0 : event.type.length + event.id.length)
  return FIXED_BYTES_MAX + CHARACTER_BYTES_MAX * characters + weightOf(event)
}

/** As a number where that is exact, which is quicker. */
function integerOf(part: Position['commit']): number | bigint {
  return part <= Number.MAX_SAFE_INTEGER ? Number(part) : part
}

function varintLength(value: number | bigint): number {
  let length = 1
  if (typeof value === 'bigint') {
    for (let rest = value >> 7n; rest > 0n; rest >>= 7n) length++
    return length
  }
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) length++
  return length
}

function keyField(key: string): Buffer {
  return Buffer.concat([Buffer.of(ENTRY.key, key.length), Buffer.from(key)])
}
