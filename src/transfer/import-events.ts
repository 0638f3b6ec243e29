// Import: events of log files into their streams, each behind its guard, so that importing again (also after the logs have grown, or after
// a repair) adds nothing that is there.
import type { ProposedEvent, RecordedEvent } from '../log/event.js'
import type { AppendResult, EventReader, EventStore } from '../log/event-store.js'
import { comparePositions, type Position } from '../log/position.js'
import type { ExpectedRevision } from '../log/revision.js'
import { StoreUnavailableError } from '../log/store-errors.js'

/** Appends in flight together: a durable store commits them as one. */
const IN_FLIGHT_MAX = 512

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
  const queue = new ImportQueue(store, await headOf(store))
  for await (const { events } of source.readAll(options.signal ? { signal: options.signal } : {})) {
    options.signal?.throwIfAborted()
    for (const event of events) await queue.push(event)
    options.onProgress?.(queue.added + queue.present)
  }
  await queue.drain()
  return { added: queue.added, present: queue.present }
}

async function headOf(store: EventReader): Promise<Position | undefined> {
  for await (const { events } of store.readAll({ direction: 'backwards', maxCount: 1 })) {
    if (events[0]) return events[0].position
  }
  return undefined
}

/** Keeps many appends in flight, but those of one stream in order. */
class ImportQueue {
  added = 0
  present = 0
  readonly #inFlight = new Set<Promise<void>>()
  readonly #byStream = new Map<string, Promise<void>>()
  #failure: unknown

  constructor(
    readonly store: EventStore,
    readonly headAtStart: Position | undefined,
  ) {}

  async push(event: RecordedEvent): Promise<void> {
    while (this.#inFlight.size >= IN_FLIGHT_MAX) await Promise.race(this.#inFlight)
    if (this.#failure !== undefined) throw this.#failure
    const before = this.#byStream.get(event.stream) ?? Promise.resolve()
    const done: Promise<void> = before
      .then(() => this.#import(event))
      .catch((error: unknown) => {
        this.#failure ??= error
      })
      .finally(() => {
        this.#inFlight.delete(done)
        if (this.#byStream.get(event.stream) === done) this.#byStream.delete(event.stream)
      })
    this.#inFlight.add(done)
    this.#byStream.set(event.stream, done)
  }

  async drain(): Promise<void> {
    await Promise.all(this.#inFlight)
    if (this.#failure !== undefined) throw this.#failure
  }

  async #import(event: RecordedEvent): Promise<void> {
    const { id, type, contentType, data, metadata } = event
    const proposed = { id, type, contentType, data, metadata }
    let expected: ExpectedRevision = event.revision === 0 ? 'noStream' : event.revision - 1
    let result = await this.store.append(event.stream, [proposed], expected)
    // Something else stands there by now (a compensation, another log's lines): look for the event, else go behind it.
    while (result.kind === 'conflict') {
      const known = await this.#find(event.stream, proposed)
      if (known === 'present') {
        this.present += 1
        return
      }
      expected = known
      result = await this.store.append(event.stream, [proposed], expected)
    }
    this.#count(result, event.stream)
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

  #count(result: Exclude<AppendResult, { kind: 'conflict' }>, stream: string): void {
    if (result.kind !== 'appended') {
      throw new StoreUnavailableError(
        `Import into ${JSON.stringify(stream)} stopped: ${result.message}; run it again to go on`,
      )
    }
    const isNew =
      result.position !== undefined && (!this.headAtStart || comparePositions(result.position, this.headAtStart) > 0)
    if (isNew) this.added += 1
    else this.present += 1
  }
}
