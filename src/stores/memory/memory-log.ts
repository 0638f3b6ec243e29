// The log of the memory store: one array in order of position, and for each stream its head and its events.
import type { EventBatch, ProposedEvent, RecordedEvent } from '../../log/event.js'
import type { EventFilter } from '../../log/event-store.js'
import type { Position } from '../../log/position.js'
import { type Revision, TOMBSTONE_REVISION } from '../../log/revision.js'
import { InvalidPositionError } from '../../log/store-errors.js'
import { describedBy } from '../../log/stream.js'
import { isReadable } from '../../log/stream-metadata.js'
import { type Ticks, ticksOfMs } from '../../log/ticks.js'
import type { LogView, PlannedRecord } from '../append-decision.js'
import type { IdCache } from '../id-cache.js'
import { limitsFromMetadata, limitsOfStream, NO_HEAD, type StreamHead } from '../stream-head.js'

/** Records stand this far apart, so that a place between two of them is told from a record's place. */
const POSITION_STEP = 10n

/** How many records a reading takes at a time. */
const RUN_LENGTH = 1_000

interface StreamLog {
  head: StreamHead
  /** In order of revision, which may have gaps where a log was restored; a tombstone is not among them. */
  readonly events: RecordedEvent[]
  tombstone?: RecordedEvent
}

export class MemoryLog {
  readonly #records: RecordedEvent[] = []
  readonly #streams = new Map<string, StreamLog>()

  constructor(
    readonly clock: () => number,
    readonly ids: IdCache,
  ) {}

  get length(): number {
    return this.#records.length
  }

  headOf = (stream: string): StreamHead => this.#streams.get(stream)?.head ?? NO_HEAD

  view(newId: () => string): LogView {
    return {
      headOf: this.headOf,
      idAt: (stream, revision) => this.eventAt(stream, revision)?.id,
      revisionOfId: (stream, id) => this.ids.revisionIn(stream, id),
      lastDataOf: (stream) => this.#streams.get(stream)?.events.at(-1)?.data,
      newId,
    }
  }

  /** Appends records in their order, stamps them and returns them as they stand in the log. */
  write(planned: readonly PlannedRecord[]): RecordedEvent[] {
    const now = ticksOfMs(this.clock())
    return planned.map((record, i) => this.#writeOne(record, now + BigInt(i)))
  }

  /** The events of a stream from a revision on that its limits let be read now, by revision. A tombstone is not looked at. */
  readable(stream: string, from: Revision = 0): RecordedEvent[] {
    const head = this.headOf(stream)
    const limits = limitsOfStream(stream, head)
    const place = { head: head.last, now: this.clock() }
    const events = this.#streams.get(stream)?.events ?? []
    return events.slice(countBelow(events, from)).filter((event) => isReadable(event, limits, place))
  }

  /** The event at a place, readable or not; a tombstone too. */
  eventAt(stream: string, revision: Revision): RecordedEvent | undefined {
    const log = this.#streams.get(stream)
    if (revision === TOMBSTONE_REVISION) return log?.tombstone
    const found = log?.events[countBelow(log.events, revision)]
    return found?.revision === revision ? found : undefined
  }

  tombstoneOf(stream: string): RecordedEvent | undefined {
    return this.#streams.get(stream)?.tombstone
  }

  /** How many records stand before a place. Throws InvalidPositionError where no record stands at it. */
  countBefore(position: Position | 'start' | 'end'): number {
    if (position === 'start') return 0
    if (position === 'end') return this.length
    const { commit, prepare } = position
    if (prepare > commit || commit < 0n) throw new InvalidPositionError(position)
    if (commit === 0n) return 0
    if (commit > positionAt(this.length - 1).commit) return this.length + 1
    if (commit % POSITION_STEP !== 0n) throw new InvalidPositionError(position)
    return Number(commit / POSITION_STEP) - 1
  }

  /** How many records stand up to a position, whether or not one stands at it. */
  countUpTo({ commit }: Position): number {
    return Math.min(Number(commit / POSITION_STEP), this.length)
  }

  /** A run of records from one place towards another, both counted from the start; undefined where there is none. */
  run(from: number, to: number, filter: EventFilter | undefined): (EventBatch & { readonly next: number }) | undefined {
    if (from === to) return undefined
    const forwards = from < to
    const next = forwards ? Math.min(to, from + RUN_LENGTH) : Math.max(to, from - RUN_LENGTH)
    const records = forwards ? this.#records.slice(from, next) : this.#records.slice(next, from).reverse()
    const events = filter ? records.filter((event) => matches(event, filter)) : records
    return { events, position: positionAt(forwards ? next - 1 : next), next }
  }

  #writeOne({ stream, revision, event, created }: PlannedRecord, now: Ticks): RecordedEvent {
    const place = { stream, revision, created: created ?? now, position: positionAt(this.length) }
    const record: RecordedEvent = { ...copyOf(event), ...place }
    this.#records.push(record)
    this.#addToStream(record)
    this.ids.remember(record.id, { stream, revision })
    return record
  }

  #addToStream(record: RecordedEvent): void {
    const log = this.#streamLog(record.stream)
    const tombstone = record.revision === TOMBSTONE_REVISION
    if (tombstone) {
      log.tombstone = record
      log.head = { ...log.head, tombstoned: true }
    } else {
      log.events.push(record)
      log.head = { ...log.head, last: record.revision }
    }
    const described = describedBy(record.stream)
    if (described === undefined) return
    const subject = this.#streamLog(described)
    subject.head = { ...subject.head, limits: limitsFromMetadata(record.data, tombstone) }
  }

  #streamLog(stream: string): StreamLog {
    const found = this.#streams.get(stream)
    if (found) return found
    const made: StreamLog = { head: NO_HEAD, events: [] }
    this.#streams.set(stream, made)
    return made
  }
}

/** How many events of a stream stand below a revision: the place where it is, if it is among them. */
function countBelow(events: readonly RecordedEvent[], revision: Revision): number {
  let [low, high] = [0, Math.min(events.length, revision)]
  const isBelow = (index: number) => (events[index]?.revision ?? revision) < revision
  // Without gaps it is here.
  if (high > 0 && isBelow(high - 1)) return high
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (isBelow(middle)) low = middle + 1
    else high = middle
  }
  return low
}

function positionAt(index: number): Position {
  const place = BigInt(index + 1) * POSITION_STEP
  return { commit: place, prepare: place }
}

function matches(event: RecordedEvent, filter: EventFilter): boolean {
  return filter.streamPrefixes.some((prefix) => event.stream.startsWith(prefix))
}

/** The caller keeps its bytes and may change them. */
function copyOf({ id, type, contentType, data, metadata }: ProposedEvent): ProposedEvent {
  return { id, type, contentType, data: Uint8Array.from(data), metadata: Uint8Array.from(metadata) }
}
