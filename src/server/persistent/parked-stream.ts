// Where a group keeps what its consumers could not deal with: links to the events, in a stream of its own, until they are replayed.
import { randomUUID } from 'node:crypto'
import { jsonEvent, type ProposedEvent, type RecordedEvent } from '../../log/event.js'
import type { EventStore } from '../../log/event-store.js'
import type { Revision } from '../../log/revision.js'
import { metadataStreamOf } from '../../log/stream.js'
import { ADMINS } from '../access/principal.js'
import type { Sent } from '../streams/event-encoder.js'
import { placeOfRevision } from './places.js'
import { shownEvent } from './shown-event.js'

/** What a real server writes with `$tb`. */
const ACL = { $r: ADMINS, $w: ADMINS, $d: ADMINS, $mr: ADMINS, $mw: ADMINS }

/** The revisions that can be read: from `first` up to `end`, exclusive. */
export interface ParkedBounds {
  readonly first: Revision
  readonly end: Revision
}

export class ParkedStream {
  readonly #store: EventStore
  readonly #stream: string

  constructor(store: EventStore, stream: string) {
    this.#store = store
    this.#stream = stream
  }

  /** Whether it was written. */
  async park(sent: Sent, { reason, nowMs }: { reason: string; nowMs: number }): Promise<boolean> {
    const metadata = {
      added: new Date(nowMs).toISOString(),
      reason,
      // As on a real server, which leaves out a 0.
      ...numberOf(sent.link ?? sent.event),
    }
    return this.#append([link(targetOf(sent), Buffer.from(JSON.stringify(metadata)))])
  }

  /** Parks again what was replayed and not settled, word for word. Whether it was written. */
  parkAgain(links: readonly RecordedEvent[]): Promise<boolean> {
    return this.#append(links.map(({ data, metadata }) => link(data, metadata)))
  }

  /** Undefined where nothing is parked. */
  async bounds(): Promise<ParkedBounds | undefined> {
    const [first, last] = await Promise.all([this.#one('forwards'), this.#one('backwards')])
    return first && last && { first: first.revision, end: last.revision + 1 }
  }

  /** The links from a revision on. */
  async *read(from: Revision): AsyncGenerator<readonly RecordedEvent[], void, undefined> {
    const read = await this.#store.readStream(this.#stream, { from })
    if (read.kind === 'found') yield* read.events
  }

  /** Drops what stands before a revision. Whether that was written. */
  async truncate(before: Revision): Promise<boolean> {
    const data = { $tb: before, $acl: ACL }
    const metadata = jsonEvent({ id: randomUUID(), type: '$metadata', data })
    return (await this.#store.append(metadataStreamOf(this.#stream), [metadata], 'any')).kind === 'appended'
  }

  async delete(): Promise<void> {
    await this.#store.deleteStream(this.#stream, 'any')
  }

  async #append(events: readonly ProposedEvent[]): Promise<boolean> {
    return (await this.#store.append(this.#stream, events, 'any')).kind === 'appended'
  }

  async #one(direction: 'forwards' | 'backwards'): Promise<RecordedEvent | undefined> {
    const read = await this.#store.readStream(this.#stream, { direction, maxCount: 1 })
    if (read.kind !== 'found') return undefined
    for await (const [one] of read.events) return one
    return undefined
  }
}

function link(data: Uint8Array, metadata: Uint8Array): ProposedEvent {
  return { id: randomUUID(), type: '$>', contentType: 'application/octet-stream', data, metadata }
}

/** `5@payment-42`: the event itself, whatever led to it; where that is not there, what its link says. */
function targetOf(sent: Sent): Uint8Array {
  const event = shownEvent(sent)
  return event !== sent.link ? Buffer.from(`${placeOfRevision(event.revision)}@${event.stream}`) : event.data
}

function numberOf({ revision }: RecordedEvent) {
  return revision === 0 ? {} : { subscriptionEventNumber: revision }
}
