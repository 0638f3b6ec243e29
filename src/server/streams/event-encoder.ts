// Events as they stand on the wire, framed and many in a buffer. This one message is written by hand, field by field of ReadResp in
// streams.proto: the generated classes would cost more than reading the event does. A test holds it to them.
import type { RecordedEvent } from '../../log/event.js'
import type { Position } from '../../log/position.js'
import { type Revision, TOMBSTONE_REVISION } from '../../log/revision.js'
import { structuredUuid, type UuidForm } from './uuids.js'

const FIRST_BUFFER_BYTES = 16 * 1024
const KEPT_BUFFER_BYTES_MAX = 4 * 1024 * 1024

/** Encoding never waits, so one buffer serves everybody: hundreds of subscriptions would each keep one as large as their largest event. */
let scratch = Buffer.allocUnsafe(FIRST_BUFFER_BYTES)

const FRAME_PREFIX_BYTES = 5
const MAX_VARINT_BYTES = 10

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

/** What is sent of one place: an event, or a link with the event that it leads to, if it leads to one. */
export type Sent =
  | (Retries & { readonly event: RecordedEvent; readonly link?: undefined })
  | (Retries & { readonly event?: RecordedEvent | undefined; readonly link: RecordedEvent })

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
  encode(sent: readonly Sent[]): Buffer {
    this.#start = scratch.length
    for (let i = sent.length - 1; i >= 0; i--) this.#message(sent[i] as Sent)
    const encoded = Buffer.from(scratch.subarray(this.#start))
    if (scratch.length > KEPT_BUFFER_BYTES_MAX) scratch = Buffer.allocUnsafe(FIRST_BUFFER_BYTES)
    return encoded
  }

  #message(sent: Sent): void {
    const { event, link } = sent
    const before = this.#used
    const place = sent.link ?? sent.event
    if (sent.retryCount !== undefined) this.#field(READ_EVENT.retryCount, sent.retryCount)
    this.#position(READ_EVENT.commit, place.position.commit)
    if (link) this.#nested(READ_EVENT.link, () => this.#recorded(link))
    if (event) this.#nested(READ_EVENT.event, () => this.#recorded(event))
    this.#head(READ_RESP.event, this.#used - before)
    const length = this.#used - before
    this.#room(FRAME_PREFIX_BYTES)
    this.#start -= FRAME_PREFIX_BYTES
    scratch[this.#start] = 0
    scratch.writeUInt32BE(length, this.#start + 1)
  }

  #recorded(event: RecordedEvent): void {
    this.#bytes(RECORDED.data, event.data)
    if (event.metadata.length > 0) this.#bytes(RECORDED.customMetadata, event.metadata)
    this.#entry('content-type', event.contentType)
    this.#entry('created', String(event.created ?? 0n))
    this.#entry('type', event.type)
    this.#position(RECORDED.commit, event.position.commit)
    this.#position(RECORDED.prepare, event.position.prepare)
    this.#revision(event.revision)
    this.#nested(RECORDED.stream, () => this.#text(STREAM_NAME, event.stream))
    this.#nested(RECORDED.id, () => this.#id(event.id))
  }

  #id(id: string): void {
    if (this.#form === 'string') {
      this.#text(UUID.string, id)
      return
    }
    const { mostSignificant, leastSignificant } = structuredUuid(id)
    this.#nested(UUID.structured, () => {
      this.#field(UUID.leastSignificant, BigInt.asUintN(64, leastSignificant))
      this.#field(UUID.mostSignificant, BigInt.asUintN(64, mostSignificant))
    })
  }

  #entry(key: string, value: string): void {
    this.#nested(RECORDED.metadata, () => {
      this.#text(ENTRY.value, value)
      this.#text(ENTRY.key, key)
    })
  }

  #revision(revision: Revision): void {
    this.#field(RECORDED.revision, revision === TOMBSTONE_REVISION ? 2n ** 63n - 1n : revision)
  }

  #position(field: number, part: Position['commit']): void {
    this.#field(field, part <= Number.MAX_SAFE_INTEGER ? Number(part) : part)
  }

  #nested(field: number, content: () => void): void {
    const before = this.#used
    content()
    this.#head(field, this.#used - before)
  }

  #text(field: number, text: string): void {
    const length = Buffer.byteLength(text)
    this.#room(length)
    this.#start -= length
    scratch.write(text, this.#start, length)
    this.#head(field, length)
  }

  #bytes(field: number, bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#start -= bytes.length
    scratch.set(bytes, this.#start)
    this.#head(field, bytes.length)
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
    this.#room(MAX_VARINT_BYTES)
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

function varintLength(value: number | bigint): number {
  let length = 1
  if (typeof value === 'bigint') {
    for (let rest = value >> 7n; rest > 0n; rest >>= 7n) length++
    return length
  }
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) length++
  return length
}
