// Events as they stand on the wire, framed and many in a buffer. This one message is written by hand, field by field of ReadResp in
// streams.proto: the generated classes would cost more than reading the event does. A test holds it to them. An event that is bytes already is
// copied part by part, and none of it is read.
import { copyBytes } from '../../log/copy-bytes.js'
import type { ContentType, RecordedEvent } from '../../log/event.js'
import { AT, FLAG, revisionIn, type StoredEvent, typeIn } from '../../log/event-bytes.js'
import type { Position } from '../../log/position.js'
import { type Revision, TOMBSTONE_REVISION } from '../../log/revision.js'
import { writeTicksText } from '../../log/ticks-text.js'
import { UUID_TEXT_LENGTH, uuidAt, writeUuidText } from '../../log/uuid-bytes.js'
import { bytesBefore, headBefore, integerBefore, textBefore } from './backwards.js'
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

/** Fills a buffer from its end. What was added last stands first. */
export class EventEncoder {
  readonly #form: UuidForm

  constructor(form: UuidForm) {
    this.#form = form
  }

  /** Framed messages in the order of the list. The bytes are the caller's. */
  encode(sent: readonly Sent<Given>[]): Buffer {
    makeRoom(sent)
    let at = scratch.length
    for (let i = sent.length - 1; i >= 0; i--) at = messageBefore(scratch, at, sent[i] as Sent<Given>, this.#form)
    const encoded = Buffer.from(scratch.subarray(at))
    if (scratch.length > KEPT_BUFFER_BYTES_MAX) scratch = Buffer.allocUnsafe(FIRST_BUFFER_BYTES)
    return encoded
  }
}

function makeRoom(sent: readonly Sent<Given>[]): void {
  let room = 0
  for (const { event, link } of sent) room += roomFor(event) + roomFor(link)
  if (room > scratch.length) scratch = Buffer.allocUnsafe(2 * room)
}

/** The most bytes that an event can take, all heads included. */
function roomFor(event: Given | undefined): number {
  if (!event) return 0
  const characters = event.stream.length + ('bytes' in event ? 0 : event.type.length + event.id.length)
  return FIXED_BYTES_MAX + CHARACTER_BYTES_MAX * characters + weightOf(event)
}

function messageBefore(target: Buffer, end: number, sent: Sent<Given>, form: UuidForm): number {
  const { event, link, retryCount } = sent
  const place = sent.link ?? sent.event
  let at = retryCount === undefined ? end : integerBefore(target, end, READ_EVENT.retryCount, retryCount)
  at = integerBefore(target, at, READ_EVENT.commit, integerOf(place.position.commit))
  if (link) at = eventBefore(target, at, READ_EVENT.link, { event: link, form })
  if (event) at = eventBefore(target, at, READ_EVENT.event, { event, form })
  at = headBefore(target, at, READ_RESP.event, end - at)
  const start = at - FRAME_PREFIX_BYTES
  target[start] = 0
  target.writeUInt32BE(end - at, start + 1)
  return start
}

interface Shown<Event> {
  readonly event: Event
  readonly form: UuidForm
}

function eventBefore(target: Buffer, end: number, field: number, { event, form }: Shown<Given>): number {
  const at =
    'bytes' in event ? storedBefore(target, end, { event, form }) : recordedBefore(target, end, { event, form })
  return headBefore(target, at, field, end - at)
}

function recordedBefore(target: Buffer, end: number, { event, form }: Shown<RecordedEvent>): number {
  const { data, metadata } = event
  let at = bytesBefore(target, end, RECORDED.data, { bytes: data, start: 0, end: data.length })
  if (metadata.length > 0) {
    at = bytesBefore(target, at, RECORDED.customMetadata, { bytes: metadata, start: 0, end: metadata.length })
  }
  at = contentTypeBefore(target, at, event.contentType)
  at = textEntryBefore(target, at, KEY.created, String(event.created ?? 0n))
  at = textEntryBefore(target, at, KEY.type, event.type)
  at = placeBefore(target, at, event, event.revision)
  return idBefore(target, at, event.id, form)
}

/** The same fields from where they stand in the event's bytes. */
function storedBefore(target: Buffer, end: number, { event, form }: Shown<StoredEvent>): number {
  const { bytes } = event
  const metadataStart = AT.type + bytes.readUInt32LE(AT.typeLength)
  const dataStart = metadataStart + bytes.readUInt32LE(AT.metadataLength)
  const flags = bytes[AT.flags] as number
  let at = bytesBefore(target, end, RECORDED.data, { bytes, start: dataStart, end: bytes.length })
  if (dataStart > metadataStart) {
    at = bytesBefore(target, at, RECORDED.customMetadata, { bytes, start: metadataStart, end: dataStart })
  }
  at = contentTypeBefore(target, at, flags & FLAG.json ? 'application/json' : 'application/octet-stream')
  at = storedCreatedBefore(target, at, bytes, flags)
  const typeAt = bytesBefore(target, at, ENTRY.value, { bytes, start: AT.type, end: metadataStart })
  at = keyBefore(target, typeAt, KEY.type, at - typeAt)
  at = placeBefore(target, at, event, revisionIn(bytes, 0))
  return form === 'string' ? storedIdBefore(target, at, bytes) : idBefore(target, at, uuidAt(bytes, AT.eventId), form)
}

function storedCreatedBefore(target: Buffer, end: number, bytes: Buffer, flags: number): number {
  if (flags & FLAG.untimed) return textEntryBefore(target, end, KEY.created, '0')
  const textAt = writeTicksText(bytes, AT.created, target, end)
  const at = headBefore(target, textAt, ENTRY.value, end - textAt)
  return keyBefore(target, at, KEY.created, end - at)
}

function storedIdBefore(target: Buffer, end: number, bytes: Buffer): number {
  writeUuidText(bytes, AT.eventId, target, end - UUID_TEXT_LENGTH)
  const at = headBefore(target, end - UUID_TEXT_LENGTH, UUID.string, UUID_TEXT_LENGTH)
  return headBefore(target, at, RECORDED.id, end - at)
}

function idBefore(target: Buffer, end: number, id: string, form: UuidForm): number {
  const at = form === 'string' ? textBefore(target, end, UUID.string, id) : halvesBefore(target, end, id)
  return headBefore(target, at, RECORDED.id, end - at)
}

function halvesBefore(target: Buffer, end: number, id: string): number {
  const { mostSignificant, leastSignificant } = structuredUuid(id)
  let at = integerBefore(target, end, UUID.leastSignificant, BigInt.asUintN(64, leastSignificant))
  at = integerBefore(target, at, UUID.mostSignificant, BigInt.asUintN(64, mostSignificant))
  return headBefore(target, at, UUID.structured, end - at)
}

function placeBefore(target: Buffer, end: number, { position, stream }: Given, revision: Revision): number {
  const commit = integerOf(position.commit)
  const prepare = position.prepare === position.commit ? commit : integerOf(position.prepare)
  let at = integerBefore(target, end, RECORDED.commit, commit)
  at = integerBefore(target, at, RECORDED.prepare, prepare)
  at = integerBefore(target, at, RECORDED.revision, revision === TOMBSTONE_REVISION ? 2n ** 63n - 1n : revision)
  const nameAt = textBefore(target, at, STREAM_NAME, stream)
  return headBefore(target, nameAt, RECORDED.stream, at - nameAt)
}

function contentTypeBefore(target: Buffer, end: number, contentType: ContentType): number {
  return textEntryBefore(target, end, KEY.contentType, contentType)
}

function textEntryBefore(target: Buffer, end: number, key: Buffer, value: string): number {
  const at = textBefore(target, end, ENTRY.value, value)
  return keyBefore(target, at, key, end - at)
}

/** Puts a key, and the entry's own head, before the value that stands there. */
function keyBefore(target: Buffer, end: number, key: Buffer, valueLength: number): number {
  const at = end - key.length
  copyBytes(key, 0, key.length, target, at)
  return headBefore(target, at, RECORDED.metadata, valueLength + key.length)
}

/** As a number where that is exact, which is quicker. */
function integerOf(part: Position['commit']): number | bigint {
  return part <= Number.MAX_SAFE_INTEGER ? Number(part) : part
}

function keyField(key: string): Buffer {
  return Buffer.concat([Buffer.of(ENTRY.key, key.length), Buffer.from(key)])
}
