// A stream that a projection writes. Its own last event tells how far it has come, and every append is guarded by the revision of that event:
// so whatever died in between, no link is written twice and none is left out.
import { randomUUID } from 'node:crypto'
import { jsonEvent, type ProposedEvent, type RecordedEvent } from '../../log/event.js'
import type { AppendResult, EventStore } from '../../log/event-store.js'
import { comparePositions, type Position } from '../../log/position.js'
import type { ExpectedRevision } from '../../log/revision.js'
import { StoreUnavailableError } from '../../log/store-errors.js'
import { metadataStreamOf } from '../../log/stream.js'
import type { Emission } from './definitions.js'
import { ofAnotherLog, targetDeleted, targetRefused, writtenByAnother, writtenFromOutside } from './faults.js'
import { placeOfLink } from './link-place.js'
import { correlationIdOf, type SourceEvent } from './source-event.js'
import { formatStamp, type Life, parseStamp } from './stamp.js'

/** An event with what it gives rise to. */
export interface Due {
  readonly source: SourceEvent
  readonly emission: Emission
}

/** Everybody may read what system projections write; a link still shows nothing that its reader may not read. */
const ACL = { $r: '$all', $mr: '$all' }

/** So often a stream is looked at anew after somebody else wrote to it, or after an append of which nobody knows. */
const TRIES = 10

/** In one append: little enough for its data to stay far below the usual limit. */
const RUN_MAX = 250

type Refused = Extract<AppendResult, { kind: 'refused' }>

interface Known {
  readonly expected: ExpectedRevision
  /** All events up to here have their link. */
  readonly linkedTo: Position | undefined
  /** The first revision of this life of the projection, where its metadata is still to be written. */
  readonly begins?: number
}

export class TargetStream {
  readonly #store: EventStore
  readonly #stream: string
  readonly #life: Life
  #known: Known | undefined
  /** What a stream without a readable event is found at. */
  #hiddenHead: ExpectedRevision = 'noStream'

  constructor(store: EventStore, stream: string, life: Life) {
    this.#store = store
    this.#stream = stream
    this.#life = life
  }

  /** Writes what is not there yet, in the order given, which is that of the log. Throws ProjectionFaultError. */
  async write(due: readonly Due[]): Promise<void> {
    for (let start = 0; start < due.length; start += RUN_MAX) await this.#writeRun(due.slice(start, start + RUN_MAX))
  }

  async #writeRun(due: readonly Due[]): Promise<void> {
    for (let left = TRIES; left > 0; left--) {
      this.#known ??= await this.#look()
      const { linkedTo } = this.#known
      const missing = linkedTo ? due.filter(({ source }) => isAfter(source, linkedTo)) : due
      const last = missing.at(-1)
      if (!last || (await this.#append(missing, last, this.#known))) return
    }
    throw new StoreUnavailableError(`The stream ${this.#stream} could not be written in ${TRIES} tries`)
  }

  /** Whether it was written; else nothing is known of the stream any more. */
  async #append(due: readonly Due[], last: Due, { expected, begins }: Known): Promise<boolean> {
    this.#known = undefined
    if (begins !== undefined && !(await this.#begin(begins))) return false
    const events = due.map((one) => this.#proposed(one))
    const result = await this.#store.append(this.#stream, events, expected)
    if (result.kind === 'appended') {
      this.#known = { expected: result.revision ?? expected, linkedTo: last.source.record.position }
      return true
    }
    if (result.kind === 'refused') return this.#appendHalves(due, result)
    if (result.kind === 'conflict') this.#hiddenHead = result.actual
    return false
  }

  async #appendHalves(due: readonly Due[], refused: Refused): Promise<boolean> {
    if (refused.reason !== 'too-large' || due.length === 1) throw refusedAs(this.#stream, refused)
    const half = Math.ceil(due.length / 2)
    await this.#writeRun(due.slice(0, half))
    await this.#writeRun(due.slice(half))
    return true
  }

  async #look(): Promise<Known> {
    const read = await this.#store.readStream(this.#stream, { direction: 'backwards', maxCount: 1 })
    if (read.kind === 'tombstoned') throw targetDeleted(this.#stream)
    if (read.kind === 'missing') return { expected: 'noStream', linkedTo: undefined, begins: 0 }
    for await (const [last] of read.events) if (last) return this.#knownFrom(last)
    return { expected: this.#hiddenHead, linkedTo: undefined }
  }

  async #knownFrom(last: RecordedEvent): Promise<Known> {
    const { id, epoch } = this.#life
    const stamp = parseStamp(last.metadata)
    if (!stamp) throw writtenFromOutside(this.#stream, id)
    if (stamp.id !== id) throw writtenByAnother(this.#stream, { own: id, other: stamp.id })
    const expected = last.revision
    if (stamp.version < epoch) return { expected, linkedTo: undefined, begins: expected + 1 }
    const linkedTo = await placeOfLink(this.#store, last, stamp)
    if (!linkedTo) throw ofAnotherLog(this.#stream)
    return { expected, linkedTo }
  }

  /** Makes that everybody may read it, and that nobody reads what was written in an earlier life. Whether that is done. */
  async #begin(revision: number): Promise<boolean> {
    const data = { ...(revision > 0 && { $tb: revision }), $acl: ACL }
    const metadata = jsonEvent({ id: randomUUID(), type: '$metadata', data })
    // Of a stream that is new, metadata that is there already was set by somebody on purpose, or before a kill.
    const expected = revision === 0 ? 'noStream' : 'any'
    const result = await this.#store.append(metadataStreamOf(this.#stream), [metadata], expected)
    if (result.kind === 'refused') throw refusedAs(this.#stream, result)
    return result.kind === 'appended' || (result.kind === 'conflict' && revision === 0)
  }

  #proposed({ source, emission }: Due): ProposedEvent {
    const $correlationId = correlationIdOf(source)
    const metadata = formatStamp(this.#life, source.record.position, {
      ...emission.extra,
      $causedBy: source.shown.id,
      ...($correlationId !== undefined && { $correlationId }),
    })
    const data = Buffer.from(emission.data)
    return { id: randomUUID(), type: emission.type, contentType: 'application/octet-stream', data, metadata }
  }
}

function refusedAs(stream: string, { reason, message }: Refused): Error {
  return reason === 'stream-deleted' ? targetDeleted(stream) : targetRefused(stream, message)
}

function isAfter({ record }: SourceEvent, position: Position): boolean {
  return comparePositions(record.position, position) > 0
}
