// Carries out a decision inside a write transaction: places, times, records, index, heads, and where the log then ends.
import { randomUUID } from 'node:crypto'
import type { RecordedEvent } from '../../log/event.js'
import { type Revision, TOMBSTONE_REVISION } from '../../log/revision.js'
import { describedBy } from '../../log/stream.js'
import { type Ticks, ticksOfMs } from '../../log/ticks.js'
import type { LogView, PlannedRecord } from '../append-decision.js'
import type { IdCache, IdPlace } from '../id-cache.js'
import { limitsFromMetadata, type StreamHead } from '../stream-head.js'
import { encodeRecord, seedOf } from './event-record.js'
import { encodeGap, encodeTail, type StoredHead } from './head-record.js'
import { indexKey } from './keys.js'
import { corruptAt, type LogReader } from './log-reader.js'
import { TAIL_KEY, type Tables } from './tables.js'

/** What a transaction wrote. */
export interface Written {
  /** Places of the records, in their order. */
  readonly places: readonly number[]
  readonly streams: readonly string[]
  /** Where the log ended before and ends now. */
  readonly from: number
  readonly to: number
  /** What was remembered of it in the id cache; to be taken back if the transaction fails. */
  readonly remembered: readonly (readonly [id: string, place: IdPlace])[]
}

/** What decisions see inside the transaction. Heads are read once. */
export function viewOf(reader: LogReader, ids: IdCache): LogView {
  const heads = new Map<string, StreamHead>()
  const headOf = (stream: string): StreamHead => {
    const known = heads.get(stream) ?? reader.headOf(stream)
    heads.set(stream, known)
    return known
  }
  const idAt = (stream: string, revision: Revision) => reader.eventAt(stream, revision)?.id
  return {
    headOf,
    idAt,
    revisionOfId: (stream, id) => {
      const revision = ids.revisionIn(stream, id)
      // An id may be remembered of a transaction that then failed: the log has the last word.
      return revision !== undefined && idAt(stream, revision) === id ? revision : undefined
    },
    lastDataOf: (stream) => lastEventOf(reader, stream, headOf(stream))?.data,
    newId: randomUUID,
  }
}

function lastEventOf(reader: LogReader, stream: string, head: StreamHead): RecordedEvent | undefined {
  return head.last < 0 ? undefined : reader.eventAt(stream, head.last)
}

/** Writes planned records. `now` in milliseconds: each record is stamped a tick (100 ns) after the one before. */
export function writeRecords(
  { tables, reader, ids }: { tables: Tables; reader: LogReader; ids: IdCache },
  planned: readonly PlannedRecord[],
  now: number,
): Written {
  const writing = new Writing(tables, reader, ticksOfMs(now))
  const places = planned.map((record) => writing.put(record))
  writing.finish()
  const remembered = planned.map(({ stream, revision, event }) => [event.id, { stream, revision }] as const)
  for (const [id, place] of remembered) ids.remember(id, place)
  return { places, streams: planned.map(({ stream }) => stream), ...writing.extent, remembered }
}

class Writing {
  readonly #tables: Tables
  readonly #reader: LogReader
  readonly #heads = new Map<string, StoredHead>()
  readonly #from: number
  #nextPlace: number
  #nextStreamId: number
  #created: Ticks

  constructor(tables: Tables, reader: LogReader, created: Ticks) {
    const { nextPlace, nextStreamId } = reader.tail()
    this.#tables = tables
    this.#reader = reader
    this.#from = nextPlace
    this.#nextPlace = nextPlace
    this.#nextStreamId = nextStreamId
    this.#created = created
  }

  get extent(): { readonly from: number; readonly to: number } {
    return { from: this.#from, to: this.#nextPlace }
  }

  /** Puts one record behind the last one; the next begins where it ends. */
  put({ stream, revision, event, created = this.#created }: PlannedRecord): number {
    const stored = this.#storedHead(stream)
    const place = this.#nextPlace
    const name = { id: stored.id, name: stream, seed: seedOf(stream) }
    const bytes = encodeRecord(event, { stream: name, place, revision, created })
    // As a plain call it tells, against its type, whether the record went behind all others.
    const isLast: unknown = this.#tables.log.putSync(place, bytes, { append: true })
    if (isLast === false) throw corruptAt(place, stream, 'would stand before the end of the log')
    const placeBytes = Buffer.allocUnsafe(8)
    placeBytes.writeDoubleLE(place)
    this.#tables.index.putSync(indexKey(stored.id, revision), placeBytes)
    const due = stored.head.last + 1
    if (revision > due && revision !== TOMBSTONE_REVISION) {
      this.#tables.index.putSync(indexKey(stored.id, due), encodeGap(revision))
    }
    this.#nextPlace += bytes.length
    this.#created += 1n
    this.#moveHeads(stream, stored, { revision, data: event.data })
    return place
  }

  /** Writes what changed beside the log. */
  finish(): void {
    for (const [stream, stored] of this.#heads) this.#reader.streams.put(stream, stored)
    const tail = { nextPlace: this.#nextPlace, nextStreamId: this.#nextStreamId }
    this.#tables.tail.putSync(TAIL_KEY, encodeTail(tail))
  }

  #moveHeads(
    stream: string,
    { id, head }: StoredHead,
    { revision, data }: { revision: Revision; data: Uint8Array },
  ): void {
    const tombstone = revision === TOMBSTONE_REVISION
    const moved = tombstone ? { ...head, tombstoned: true } : { ...head, last: revision }
    this.#heads.set(stream, { id, head: moved })
    const described = describedBy(stream)
    if (described === undefined) return
    const subject = this.#storedHead(described)
    this.#heads.set(described, { ...subject, head: { ...subject.head, limits: limitsFromMetadata(data, tombstone) } })
  }

  #storedHead(stream: string): StoredHead {
    const known = this.#heads.get(stream) ?? this.#reader.streams.find(stream)
    if (known) return known
    const stored = { id: this.#nextStreamId, head: this.#reader.headOf(stream) }
    this.#nextStreamId += 1
    return stored
  }
}
