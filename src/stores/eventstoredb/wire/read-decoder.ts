// What a Read answers, message by message: runs of events, and what the server says between them.
import type { RecordedEvent } from '../../../log/event.js'
import type { Position } from '../../../log/position.js'
import type { Revision } from '../../../log/revision.js'
import { FrameSplitter } from './frame-splitter.js'
import { ProtoCursor } from './proto-cursor.js'
import { readEventIn } from './recorded-event.js'

/** A run of events, or one word of the server. */
export type ReadItem =
  | { readonly kind: 'events'; readonly events: readonly RecordedEvent[] }
  /** A subscription stands. */
  | { readonly kind: 'confirmed' }
  | { readonly kind: 'caughtUp' }
  | { readonly kind: 'fellBehind' }
  | { readonly kind: 'checkpoint'; readonly position: Position }
  | { readonly kind: 'streamNotFound' }
  /** A reading of one stream is at its end: the revision of the stream's last event. */
  | { readonly kind: 'lastRevision'; readonly revision: Revision }

const EVENT = 1
const CONFIRMATION = 2
const CHECKPOINT = 3
const STREAM_NOT_FOUND = 4
const LAST_STREAM_POSITION = 6
const CAUGHT_UP = 8
const FELL_BEHIND = 9

const CONFIRMED: ReadItem = { kind: 'confirmed' }
const AT_END: ReadItem = { kind: 'caughtUp' }
const BEHIND: ReadItem = { kind: 'fellBehind' }
const NOT_FOUND: ReadItem = { kind: 'streamNotFound' }

export class ReadDecoder {
  readonly #splitter = new FrameSplitter()
  readonly #cursor = new ProtoCursor()
  #items: ReadItem[] = []
  #events: RecordedEvent[] = []

  /** Whether a message was begun and is not whole yet. */
  get isWithinMessage(): boolean {
    return this.#splitter.isWithinMessage
  }

  /**
   * Takes bytes as they come and gives what is whole, in order. Events keep pointing into these bytes. Throws CallError and
   * MalformedMessageError.
   */
  push(chunk: Buffer): readonly ReadItem[] {
    this.#splitter.push(chunk, this.#onMessage)
    this.#endRun()
    const items = this.#items
    this.#items = []
    return items
  }

  readonly #onMessage = (bytes: Buffer, start: number, end: number): void => {
    const cursor = this.#cursor
    cursor.enter(bytes, start, end)
    while (cursor.more) {
      const tag = cursor.tag()
      if (tag >> 3 === LAST_STREAM_POSITION) this.#add({ kind: 'lastRevision', revision: cursor.number() })
      else if ((tag & 7) === 2) this.#message(tag >> 3, end)
      else cursor.skip(tag)
    }
  }

  #message(field: number, end: number): void {
    const cursor = this.#cursor
    const fieldEnd = cursor.fieldEnd()
    cursor.end = fieldEnd
    if (field === EVENT) this.#events.push(readEventIn(cursor))
    else if (field === CHECKPOINT) this.#add({ kind: 'checkpoint', position: positionIn(cursor) })
    else if (field === CONFIRMATION) this.#add(CONFIRMED)
    else if (field === CAUGHT_UP) this.#add(AT_END)
    else if (field === FELL_BEHIND) this.#add(BEHIND)
    else if (field === STREAM_NOT_FOUND) this.#add(NOT_FOUND)
    cursor.at = fieldEnd
    cursor.end = end
  }

  #add(item: ReadItem): void {
    this.#endRun()
    this.#items.push(item)
  }

  #endRun(): void {
    if (this.#events.length === 0) return
    this.#items.push({ kind: 'events', events: this.#events })
    this.#events = []
  }
}

function positionIn(cursor: ProtoCursor): Position {
  let [commit, prepare] = [0n, 0n]
  while (cursor.more) {
    const tag = cursor.tag()
    if (tag === 8) commit = cursor.bigint()
    else if (tag === 16) prepare = cursor.bigint()
    else cursor.skip(tag)
  }
  return { commit, prepare }
}
