// Events as they stand on the wire, into the bytes in which a log's readers keep them (src/log/event-bytes.ts), without making anything else of them:
// no text but the stream's name, no big integers, no object an event. A replay reads nearly all of its bytes here; a test holds this to the decoder
// beside it.
import { copyBytes } from '../../../log/copy-bytes.js'
import { AT, FLAG } from '../../../log/event-bytes.js'
import { readTicksText } from '../../../log/ticks-text.js'
import { readUuidText, UUID_TEXT_LENGTH } from '../../../log/uuid-bytes.js'
import { FrameSplitter } from './frame-splitter.js'
import { MalformedMessageError, ProtoCursor } from './proto-cursor.js'
import { ENTRY, JSON_CONTENT, READ_EVENT, READ_RESP, RECORDED, STREAM_NAME, UUID } from './recorded-event.js'

/** A position: its parts are numbers where that is exact. The two kinds compare with each other. */
export interface Place {
  readonly commit: number | bigint
  readonly prepare: number | bigint
}

/** Takes one event: its place in the log, its stream and its bytes, which stand only until it returns. */
export type OnEvent = (place: Place, stream: string, record: Buffer, end: number) => void

/** What is told of a chunk that held an event. */
export interface Poured {
  readonly kind: 'poured'
}

const POURED: readonly Poured[] = [{ kind: 'poured' }]
const NOTHING: readonly Poured[] = []
const FIRST_RECORD_BYTES = 2 ** 16
const JSON_BYTES = Buffer.from(JSON_CONTENT)

/** Decodes one call, and hands on each event as it comes. */
export class EventPourer {
  readonly #splitter = new FrameSplitter()
  readonly #cursor = new ProtoCursor()
  readonly #onEvent: OnEvent
  #record = Buffer.alloc(FIRST_RECORD_BYTES)
  #count = 0
  // Of the event that is being read: its stream, whether it has an id, and where in the message its parts stand.
  #stream = ''
  #hasId = false
  #revision = 0
  #commit: Place['commit'] = 0
  #prepare: Place['prepare'] = 0
  #flags = 0
  readonly #type = new Part()
  readonly #metadata = new Part()
  readonly #data = new Part()

  constructor(onEvent: OnEvent) {
    this.#onEvent = onEvent
  }

  /** Whether a message was begun and is not whole yet. */
  get isWithinMessage(): boolean {
    return this.#splitter.isWithinMessage
  }

  /** Takes bytes as they come. Throws CallError, MalformedMessageError and what the taker of events throws. */
  push(chunk: Buffer): readonly Poured[] {
    const before = this.#count
    this.#splitter.push(chunk, this.#onMessage)
    return this.#count > before ? POURED : NOTHING
  }

  readonly #onMessage = (bytes: Buffer, start: number, end: number): void => {
    const cursor = this.#cursor
    cursor.enter(bytes, start, end)
    // An event's bytes are never more than its message and the head.
    if (this.#record.length < AT.type + end - start) this.#record = Buffer.alloc(2 * (AT.type + end - start))
    while (cursor.more) {
      const tag = cursor.tag()
      if (tag !== READ_RESP.event) {
        cursor.skip(tag)
        continue
      }
      const outer = cursor.enterField()
      this.#readEvent()
      cursor.leaveField(outer)
      this.#handOn()
    }
  }

  /** Links are not resolved: a link is an event like others. */
  #readEvent(): void {
    const cursor = this.#cursor
    this.#hasId = false
    while (cursor.more) {
      const tag = cursor.tag()
      if (tag !== READ_EVENT.event && tag !== READ_EVENT.link) {
        cursor.skip(tag)
        continue
      }
      const outer = cursor.enterField()
      this.#readRecorded()
      cursor.leaveField(outer)
    }
  }

  #readRecorded(): void {
    const cursor = this.#cursor
    this.#stream = ''
    this.#revision = 0
    this.#commit = 0
    this.#prepare = 0
    this.#flags = FLAG.untimed
    this.#type.clear()
    this.#metadata.clear()
    this.#data.clear()
    while (cursor.more) this.#readField(cursor.tag())
  }

  #readField(tag: number): void {
    const cursor = this.#cursor
    if (tag === RECORDED.id) this.#readId()
    else if (tag === RECORDED.stream) this.#readStream()
    else if (tag === RECORDED.revision) this.#revision = cursor.number()
    else if (tag === RECORDED.prepare) this.#prepare = cursor.integer()
    else if (tag === RECORDED.commit) this.#commit = cursor.integer()
    else if (tag === RECORDED.metadata) this.#readEntry()
    else if (tag === RECORDED.customMetadata) this.#metadata.take(cursor)
    else if (tag === RECORDED.data) this.#data.take(cursor)
    else cursor.skip(tag)
  }

  #readId(): void {
    const cursor = this.#cursor
    const outer = cursor.enterField()
    while (cursor.more) {
      const tag = cursor.tag()
      if (tag === UUID.text) this.#readIdText()
      else if (tag === UUID.structured) this.#readIdHalves()
      else cursor.skip(tag)
    }
    cursor.leaveField(outer)
  }

  #readIdText(): void {
    const cursor = this.#cursor
    const end = cursor.fieldEnd()
    const hasLength = end - cursor.at === UUID_TEXT_LENGTH
    this.#hasId = hasLength && readUuidText(cursor.bytes, cursor.at, this.#record, AT.eventId)
    cursor.at = end
  }

  #readIdHalves(): void {
    const cursor = this.#cursor
    const outer = cursor.enterField()
    let [most, least] = [0n, 0n]
    while (cursor.more) {
      const tag = cursor.tag()
      if (tag === UUID.mostSignificant) most = cursor.bigint()
      else if (tag === UUID.leastSignificant) least = cursor.bigint()
      else cursor.skip(tag)
    }
    cursor.leaveField(outer)
    this.#record.writeBigUInt64BE(most, AT.eventId)
    this.#record.writeBigUInt64BE(least, AT.eventId + 8)
    this.#hasId = true
  }

  #readStream(): void {
    const cursor = this.#cursor
    const outer = cursor.enterField()
    while (cursor.more) {
      const tag = cursor.tag()
      if (tag === STREAM_NAME) this.#stream = cursor.text()
      else cursor.skip(tag)
    }
    cursor.leaveField(outer)
  }

  /** One entry of the server's own metadata. Keys have unlike lengths, so that is what is looked at. */
  #readEntry(): void {
    const cursor = this.#cursor
    const outer = cursor.enterField()
    let keyBytes = 0
    let [start, end] = [cursor.at, cursor.at]
    while (cursor.more) {
      const tag = cursor.tag()
      const fieldEnd = cursor.fieldEnd()
      if (tag === ENTRY.key) keyBytes = fieldEnd - cursor.at
      else if (tag === ENTRY.value) [start, end] = [cursor.at, fieldEnd]
      cursor.at = fieldEnd
    }
    cursor.leaveField(outer)
    this.#takeEntry(keyBytes, start, end)
  }

  #takeEntry(keyBytes: number, start: number, end: number): void {
    const { bytes } = this.#cursor
    if (keyBytes === 'type'.length) this.#type.set(start, end)
    else if (keyBytes === 'content-type'.length) {
      if (isJson(bytes, start, end)) this.#flags |= FLAG.json
    } else if (keyBytes === 'created'.length && readTicksText(bytes, start, end, this.#record, AT.created)) {
      this.#flags &= ~FLAG.untimed
    }
  }

  #handOn(): void {
    if (!this.#hasId) throw new MalformedMessageError('A message of an event holds none, or one without a UUID')
    const record = this.#record
    const { bytes } = this.#cursor
    const metadataStart = this.#type.copy(bytes, record, AT.type)
    const dataStart = this.#metadata.copy(bytes, record, metadataStart)
    const end = this.#data.copy(bytes, record, dataStart)
    record.writeDoubleLE(this.#revision, AT.revision)
    record.writeUInt32LE(metadataStart - AT.type, AT.typeLength)
    record.writeUInt32LE(dataStart - metadataStart, AT.metadataLength)
    if (this.#flags & FLAG.untimed) record.fill(0, AT.created, AT.created + 8)
    record[AT.flags] = this.#flags
    this.#count += 1
    this.#onEvent({ commit: this.#commit, prepare: this.#prepare }, this.#stream, record, end)
  }
}

/** Where in a message a part of an event stands. */
class Part {
  #start = 0
  #end = 0

  clear(): void {
    this.set(0, 0)
  }

  set(start: number, end: number): void {
    this.#start = start
    this.#end = end
  }

  /** The field that begins where the cursor stands. */
  take(cursor: ProtoCursor): void {
    const end = cursor.fieldEnd()
    this.set(cursor.at, end)
    cursor.at = end
  }

  copy(source: Buffer, target: Buffer, at: number): number {
    return copyBytes(source, this.#start, this.#end, target, at)
  }
}

function isJson(bytes: Buffer, start: number, end: number): boolean {
  if (end - start !== JSON_BYTES.length) return false
  for (let index = 0; index < JSON_BYTES.length; index += 1) {
    if (bytes[start + index] !== JSON_BYTES[index]) return false
  }
  return true
}
