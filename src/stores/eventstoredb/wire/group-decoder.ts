// What a consumer of a group is sent, message by message: that it has joined, and runs of events, each with how often it was given before.
import type { Delivery } from '../../../log/consumer-group.js'
import type { RecordedEvent } from '../../../log/event.js'
import { FrameSplitter } from './frame-splitter.js'
import { MalformedMessageError, ProtoCursor } from './proto-cursor.js'
import { recordedEventIn } from './recorded-event.js'

export type GroupItem =
  | { readonly kind: 'joined' }
  | { readonly kind: 'deliveries'; readonly deliveries: readonly Delivery[] }

const bytes = (field: number) => (field << 3) | 2

const EVENT = bytes(1)
const CONFIRMATION = bytes(2)
const READ_EVENT = { event: bytes(1), link: bytes(2), retryCount: 5 << 3 }

const JOINED: GroupItem = { kind: 'joined' }

export class GroupDecoder {
  readonly #splitter = new FrameSplitter()
  readonly #cursor = new ProtoCursor()
  #items: GroupItem[] = []
  #deliveries: Delivery[] = []

  /** Takes bytes as they come and gives what is whole, in order. Events keep pointing into these bytes. Throws CallError, MalformedMessageError. */
  push(chunk: Buffer): readonly GroupItem[] {
    this.#splitter.push(chunk, this.#onMessage)
    this.#endRun()
    const items = this.#items
    this.#items = []
    return items
  }

  readonly #onMessage = (chunk: Buffer, start: number, end: number): void => {
    const cursor = this.#cursor
    cursor.enter(chunk, start, end)
    while (cursor.more) {
      const tag = cursor.tag()
      if (tag === EVENT) this.#deliveries.push(within(cursor, deliveryIn))
      else if (tag === CONFIRMATION) {
        this.#endRun()
        this.#items.push(JOINED)
        cursor.skip(tag)
      } else cursor.skip(tag)
    }
  }

  #endRun(): void {
    if (this.#deliveries.length === 0) return
    this.#items.push({ kind: 'deliveries', deliveries: this.#deliveries })
    this.#deliveries = []
  }
}

/**
 * Where a link was resolved, the link is what was given and what is answered: groups that we make resolve none, and what others make is consumed
 * all the same.
 */
function deliveryIn(cursor: ProtoCursor): Delivery {
  let event: RecordedEvent | undefined
  let retries = 0
  while (cursor.more) {
    const tag = cursor.tag()
    if (tag === READ_EVENT.event || tag === READ_EVENT.link) event = within(cursor, recordedEventIn)
    else if (tag === READ_EVENT.retryCount) retries = cursor.number()
    else cursor.skip(tag)
  }
  if (!event) throw new MalformedMessageError('A message of an event holds none')
  return { event, retries }
}

function within<T>(cursor: ProtoCursor, read: (cursor: ProtoCursor) => T): T {
  const outer = cursor.end
  cursor.end = cursor.fieldEnd()
  const result = read(cursor)
  cursor.at = cursor.end
  cursor.end = outer
  return result
}
