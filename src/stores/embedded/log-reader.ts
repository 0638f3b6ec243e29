// Readings of the log: bounded runs, each from one snapshot, every record checked against its checksum and its place.
import type { EventBatch, RecordedEvent } from '../../log/event.js'
import { createdIn, revisionIn } from '../../log/event-bytes.js'
import type { EventFilter, EventSink } from '../../log/event-store.js'
import type { Position } from '../../log/position.js'
import { type Revision, TOMBSTONE_REVISION } from '../../log/revision.js'
import { InvalidPositionError, StoreCorruptError } from '../../log/store-errors.js'
import { isReadable } from '../../log/stream-metadata.js'
import { type HeadOf, limitsOfStream, NO_HEAD, type StreamHead } from '../stream-head.js'
import { readOrCorrupt } from './errors.js'
import { decodeRecord, isIntact, positionOf, type StreamName, streamIdOf } from './event-record.js'
import { decodeGap, decodeTail, EMPTY_TAIL, type Tail } from './head-record.js'
import { indexKey, parseIndexKey } from './keys.js'
import { StreamTable } from './stream-table.js'
import { TAIL_KEY, type Tables } from './tables.js'

/** A run holds at most so many events, and ends once it holds so many bytes; with a filter it looks at so many records. */
const RUN_EVENTS_MAX = 1_000
const RUN_BYTES_MAX = 1024 * 1024
const RUN_RECORDS_MAX = 20_000

/** Where a run over the log goes, by places (positions as numbers). */
export interface LogRange {
  /** The first place that may be given, in the direction of the run. */
  readonly from: number
  /** The last such place. */
  readonly to: number
  readonly reverse: boolean
  readonly maxEvents: number
}

/** Where a run over one stream goes: revisions that it has. */
export interface StreamRange {
  readonly from: Revision
  readonly to: Revision
  /** 1: to higher revisions, -1: to lower ones. */
  readonly step: 1 | -1
  readonly maxEvents: number
}

/** What a run over a stream gave, and the revision that it would have looked at next. */
export interface StreamRun<Event> {
  readonly events: readonly Event[]
  readonly next: Revision
}

/** What a reading gives of a record: its intact bytes, which it may keep, and its stream. */
export type Give<Event> = (bytes: Buffer, stream: string) => Event

/** Under what a stream is read: its head when the reading began, the time then in milliseconds, and what is given of its events. */
export interface StreamReading<Event> {
  readonly head: StreamHead
  readonly now: number
  readonly give: Give<Event>
}

/** Which streams a filter wants, decided once for each stream's number. */
export class StreamChoice {
  readonly #prefixes: readonly string[]
  // By number: undecided, wanted, not wanted.
  #decided = new Uint8Array(1024)

  constructor(filter: EventFilter) {
    this.#prefixes = filter.streamPrefixes
  }

  /** Whether the stream of this number is known not to be wanted. */
  excludes(id: number): boolean {
    return this.#decided[id] === NOT_WANTED
  }

  wants({ id, name }: StreamName): boolean {
    if (id >= this.#decided.length) this.#grow(id)
    const decided = this.#decided[id]
    if (decided) return decided === WANTED
    const wanted = this.#prefixes.some((prefix) => name.startsWith(prefix))
    this.#decided[id] = wanted ? WANTED : NOT_WANTED
    return wanted
  }

  #grow(id: number): void {
    const larger = new Uint8Array(Math.max(id + 1, this.#decided.length * 2))
    larger.set(this.#decided)
    this.#decided = larger
  }
}

const WANTED = 1
const NOT_WANTED = 2

export class LogReader {
  readonly streams: StreamTable
  readonly #tables: Tables

  constructor(tables: Tables) {
    this.#tables = tables
    this.streams = new StreamTable(tables)
  }

  headOf: HeadOf = (stream) => readOrCorrupt(() => this.streams.find(stream)?.head ?? NO_HEAD)

  /** Lets the next reading see all that is committed by now. */
  refresh(): void {
    this.#tables.root.resetReadTxn()
  }

  tail(): Tail {
    const bytes = readOrCorrupt(() => this.#tables.tail.get(TAIL_KEY))
    if (!bytes) return EMPTY_TAIL
    const tail = decodeTail(bytes)
    if (!tail) throw new StoreCorruptError('The record of where the log ends fails its checksum')
    return tail
  }

  /** The place of the last record, 0 where there is none. */
  lastPlace(): number {
    return readOrCorrupt(() => [...this.#tables.log.getKeys({ reverse: true, limit: 1 })][0] ?? 0)
  }

  /** The place of the last record that begins before a place, 0 where there is none. */
  placeBefore(place: number): number {
    return readOrCorrupt(() => [...this.#tables.log.getKeys({ start: place, reverse: true, limit: 1 })][0] ?? 0)
  }

  /**
   * The place of a position: 0 for the very start, Infinity beyond the end. Throws InvalidPositionError where it is inside the log and no
   * record stands there.
   */
  placeOf(position: Position): number {
    const { commit, prepare } = position
    if (commit < 0n || prepare > commit) throw new InvalidPositionError(position)
    const place = Number(commit)
    if (place > this.lastPlace()) return place === 0 ? 0 : Number.POSITIVE_INFINITY
    if (place !== 0 && !this.#tables.log.doesExist(place)) throw new InvalidPositionError(position)
    return place
  }

  /** A run of the log; undefined where there is no record in the range. */
  run<Event>(range: LogRange, choice: StreamChoice | undefined, give: Give<Event>): EventBatch<Event> | undefined {
    return readOrCorrupt(() => this.#run(range, choice, give))
  }

  #run<Event>(range: LogRange, choice: StreamChoice | undefined, give: Give<Event>): EventBatch<Event> | undefined {
    const { from, to, reverse, maxEvents } = range
    const events: Event[] = []
    const eventsMax = Math.min(RUN_EVENTS_MAX, maxEvents)
    let [bytes, records, last] = [0, 0, 0]
    const limits = { start: from, end: to, inclusiveEnd: true, reverse }
    for (const { key: place, value } of this.#tables.log.getRange(limits)) {
      records += 1
      last = place
      const id = streamIdOf(value)
      if (!choice?.excludes(id)) {
        // Copied before anything else is read: the view stands in a buffer that the next reading overwrites.
        const copy = Buffer.from(value)
        const stream = this.#nameAt(id, place)
        if (!choice || choice.wants(stream)) {
          mustBeIntact(copy, stream, place)
          events.push(give(copy, stream.name))
          bytes += copy.length
        }
      }
      if (events.length >= eventsMax || bytes >= RUN_BYTES_MAX || records >= RUN_RECORDS_MAX) break
    }
    return records === 0 ? undefined : { events, position: positionOf(last) }
  }

  /** The same, each event given to a sink as bytes; gives how far it has come. */
  pour(range: LogRange, choice: StreamChoice | undefined, sink: EventSink): Position | undefined {
    return readOrCorrupt(() => this.#pour(range, choice, sink))
  }

  #pour({ from, to }: LogRange, choice: StreamChoice | undefined, sink: EventSink): Position | undefined {
    let [records, last] = [0, 0]
    for (const { key: place, value } of this.#tables.log.getRange({ start: from, end: to, inclusiveEnd: true })) {
      records += 1
      last = place
      const id = streamIdOf(value)
      if (!choice?.excludes(id)) this.#pourRecord(value, { id, place }, choice, sink)
      if (records >= RUN_RECORDS_MAX) break
    }
    return records === 0 ? undefined : positionOf(last)
  }

  #pourRecord(
    value: Buffer,
    { id, place }: { id: number; place: number },
    choice: StreamChoice | undefined,
    sink: EventSink,
  ): void {
    const known = this.streams.knownName(id)
    // A name that has to be looked up overwrites the buffer in which the value stands.
    const bytes = known ? value : Buffer.from(value)
    const stream = known ?? this.#nameAt(id, place)
    if (choice && !choice.wants(stream)) return
    mustBeIntact(bytes, stream, place)
    sink(stream.name, bytes, 0, bytes.length)
  }

  /** The event at a revision of a stream that has it. */
  eventAt(stream: string, revision: Revision): RecordedEvent | undefined {
    return readOrCorrupt(() => {
      const found = this.streams.find(stream)
      const bytes = found && this.#recordOf(found.id, stream, revision)
      return bytes && decodeRecord(bytes, stream)
    })
  }

  /** The readable events of a stream in order of the range: a bounded run, and the revision after it. */
  streamRun<Event>(stream: string, range: StreamRange, reading: StreamReading<Event>): StreamRun<Event> {
    return readOrCorrupt(() => this.#streamRun(stream, range, reading))
  }

  #streamRun<Event>(stream: string, range: StreamRange, reading: StreamReading<Event>): StreamRun<Event> {
    const id = this.streams.find(stream)?.id ?? 0
    const place = { head: reading.head.last, now: reading.now }
    const limits = limitsOfStream(stream, reading.head)
    const eventsMax = Math.min(RUN_EVENTS_MAX, range.maxEvents)
    const events: Event[] = []
    let [bytes, looked, revision] = [0, 0, range.from]
    while ((range.to - revision) * range.step >= 0 && events.length < eventsMax && looked < RUN_RECORDS_MAX) {
      looked += 1
      const record = this.#recordOf(id, stream, revision)
      if (!record) {
        revision = this.#acrossGap(id, stream, { revision, step: range.step })
        continue
      }
      const isWanted = isReadable({ revision, created: createdIn(record, 0) }, limits, place)
      revision += range.step
      if (!isWanted) continue
      events.push(reading.give(record, stream))
      bytes += record.length
      if (bytes >= RUN_BYTES_MAX) break
    }
    return { events, next: revision }
  }

  /** The streams of the records from a place on; undefined where these are more than a run's. */
  streamsFrom(place: number): ReadonlySet<string> | undefined {
    return readOrCorrupt(() => {
      const ids = new Set<number>()
      let records = 0
      for (const { value } of this.#tables.log.getRange({ start: place })) {
        records += 1
        if (records > RUN_EVENTS_MAX) return undefined
        ids.add(streamIdOf(value))
      }
      return new Set([...ids].map((id) => this.streams.nameOf(id).name))
    })
  }

  tombstoneOf(stream: string): RecordedEvent | undefined {
    return this.eventAt(stream, TOMBSTONE_REVISION)
  }

  /** The next revision on the other side of a gap that was restored with the log; any other gap is damage. */
  #acrossGap(id: number, stream: string, { revision, step }: { revision: Revision; step: 1 | -1 }): Revision {
    const below = { start: indexKey(id, revision), end: indexKey(id, 0), inclusiveEnd: true, reverse: true, limit: 1 }
    for (const { key, value } of this.#tables.index.getRange(below)) {
      const start = parseIndexKey(key).revision
      const end = decodeGap(Buffer.from(value))
      if (end !== undefined && revision < end) return step > 0 ? end : start - 1
    }
    throw new StoreCorruptError(`Revision ${revision} of stream ${JSON.stringify(stream)} is missing`)
  }

  #recordOf(id: number, stream: string, revision: Revision): Buffer | undefined {
    const indexed = this.#tables.index.get(indexKey(id, revision))
    if (!indexed || decodeGap(indexed) !== undefined) return undefined
    const place = indexed.readDoubleLE(0)
    const value = this.#tables.log.get(place)
    if (!value) throw corruptAt(place, stream, 'is missing')
    const copy = Buffer.from(value)
    mustBeIntact(copy, this.#nameAt(id, place), place)
    const found = revisionIn(copy, 0)
    if (found !== revision) throw corruptAt(place, stream, `is revision ${found}, not ${revision}`)
    return copy
  }

  #nameAt(id: number, place: number): StreamName {
    try {
      return this.streams.nameOf(id)
    } catch (cause) {
      throw new StoreCorruptError(`The event at position ${place}/${place} names a stream that cannot be read`, {
        cause,
      })
    }
  }
}

function mustBeIntact(bytes: Buffer, stream: StreamName, place: number): void {
  if (!isIntact(bytes, stream, place)) throw corruptAt(place, stream.name, 'fails its checksum')
}

/** What is wrong with a record. */
export function corruptAt(place: number, stream: string, problem: string): StoreCorruptError {
  return new StoreCorruptError(`The event at position ${place}/${place} of stream ${JSON.stringify(stream)} ${problem}`)
}
