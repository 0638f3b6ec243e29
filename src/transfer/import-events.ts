// Import: events of log files into their streams, each behind its guard, so that importing again (also after the logs have grown, or after
// a repair) adds nothing that is there.
import type { ProposedEvent, RecordedEvent } from '../log/event.js'
import type { AppendResult, EventReader, EventStore } from '../log/event-store.js'
import type { Position } from '../log/position.js'
import type { ExpectedRevision } from '../log/revision.js'
import { StoreUnavailableError } from '../log/store-errors.js'
import { Lanes } from './lanes.js'
import { headOf, isAddedSince } from './log-head.js'
import { settleWrite } from './settled-write.js'

export interface ImportCounts {
  readonly added: number
  /** There already, by an earlier import. */
  readonly present: number
}

/**
 * Appends every event of `source` to the stream it names. The event's revision is its ordinal among the source's events of that stream; its
 * place in the store is behind what others have appended there. Throws StoreUnavailableError and what the source throws.
 */
export async function importEvents(
  source: EventReader,
  store: EventStore,
  options: { signal?: AbortSignal; onProgress?: (events: number) => void } = {},
): Promise<ImportCounts> {
  const imported = new EventImport(store, await headOf(store))
  for await (const { events } of source.readAll(options.signal ? { signal: options.signal } : {})) {
    options.signal?.throwIfAborted()
    for (const event of events) await imported.push(event)
    options.onProgress?.(imported.added + imported.present)
  }
  await imported.drain()
  return { added: imported.added, present: imported.present }
}

class EventImport {
  added = 0
  present = 0
  readonly #lanes = new Lanes()

  constructor(
    readonly store: EventStore,
    readonly headAtStart: Position | undefined,
  ) {}

  push(event: RecordedEvent): Promise<void> {
    return this.#lanes.push(event.stream, () => this.#import(event))
  }

  drain(): Promise<void> {
    return this.#lanes.drain()
  }

  async #import(event: RecordedEvent): Promise<void> {
    const { id, type, contentType, data, metadata } = event
    const proposed = { id, type, contentType, data, metadata }
    let expected: ExpectedRevision = event.revision === 0 ? 'noStream' : event.revision - 1
    let result = await this.#append(event.stream, proposed, expected)
    // Something else stands there by now (a compensation, another log's lines): look for the event, else go behind it.
    while (result.kind === 'conflict') {
      const known = await this.#find(event.stream, proposed)
      if (known === 'present') {
        this.present += 1
        return
      }
      expected = known
      result = await this.#append(event.stream, proposed, expected)
    }
    this.#count(result, event.stream)
  }

  #append(stream: string, event: ProposedEvent, expected: ExpectedRevision) {
    return settleWrite(`Import into ${JSON.stringify(stream)} stopped`, () =>
      this.store.append(stream, [event], expected),
    )
  }

  /** Whether the event stands in its stream; else where the stream ends. */
  async #find(stream: string, { id }: ProposedEvent): Promise<'present' | 'noStream' | number> {
    const read = await this.store.readStream(stream)
    let head: 'noStream' | number = 'noStream'
    if (read.kind !== 'found') return head
    for await (const batch of read.events) {
      if (batch.some((event) => event.id === id)) return 'present'
      head = batch.at(-1)?.revision ?? head
    }
    return head
  }

  #count(result: Extract<AppendResult, { kind: 'appended' | 'refused' }>, stream: string): void {
    if (result.kind !== 'appended') {
      throw new StoreUnavailableError(
        `Import into ${JSON.stringify(stream)} stopped: ${result.message}; run it again to go on`,
      )
    }
    const isNew = isAddedSince(this.headAtStart, result.position)
    if (isNew) this.added += 1
    else this.present += 1
  }
}
