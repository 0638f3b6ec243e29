// Walks a whole store and says what is wrong with it. Meant to run in a process of its own: LMDB ends the process (SIGBUS) on
// a data file that was cut short.
import { TOMBSTONE_REVISION } from '../../log/revision.js'
import { StoreUnavailableError } from '../../log/store-errors.js'
import { describedBy } from '../../log/stream.js'
import { limitsFromMetadata, NO_HEAD, type StreamHead } from '../stream-head.js'
import { decodeRecord, isIntact, type StreamName, streamIdOf } from './event-record.js'
import { decodeGap } from './head-record.js'
import { indexKey, parseIndexKey } from './keys.js'
import { LogReader } from './log-reader.js'
import { kindOfFolder, openTables, type Tables } from './tables.js'

/** One thing that is wrong, in a sentence; where it concerns an event or a stream, which. */
export interface Problem {
  readonly message: string
  /** Position of the event, `commit/prepare`. */
  readonly position?: string
  readonly stream?: string
}

/** What a store holds and what is wrong with it: whole where `problems` is empty. */
export interface FolderCheck {
  readonly events: number
  readonly streams: number
  /** At most {@link PROBLEMS_MAX}; `problemCount` counts all. */
  readonly problems: readonly Problem[]
  readonly problemCount: number
}

/** So many problems are told one by one. */
export const PROBLEMS_MAX = 100

/**
 * Checks checksums, density of revisions, that records follow each other without a gap, and that index and heads agree with the log.
 * Writes nothing. Throws StoreUnavailableError where the folder holds no store that can be opened.
 */
export async function checkFolder(folder: string): Promise<FolderCheck> {
  if (kindOfFolder(folder) === 'none') throw new StoreUnavailableError(`${folder} holds no store`)
  const tables = openTables(folder, { readOnly: true })
  try {
    return new FolderWalk(tables).check()
  } finally {
    await tables.root.close()
  }
}

class FolderWalk {
  readonly #tables: Tables
  readonly #reader: LogReader
  readonly #problems: Problem[] = []
  #problemCount = 0
  #events = 0
  #nextPlace = 1
  /** What the heads should be, by the log; by stream name. */
  readonly #heads = new Map<string, StreamHead>()

  constructor(tables: Tables) {
    this.#tables = tables
    this.#reader = new LogReader(tables)
  }

  check(): FolderCheck {
    // One snapshot from here to the end, even while others write: nothing below gives other code a turn.
    this.#reader.refresh()
    try {
      this.#walkLog()
      this.#checkEnd()
      this.#walkIndex()
      this.#checkHeads()
    } catch (error) {
      this.#tell(`The store cannot be walked any further: ${(error as Error).message}`)
    }
    const streams = [...this.#heads.values()].filter(({ last, tombstoned }) => last >= 0 || tombstoned).length
    return { events: this.#events, streams, problems: this.#problems, problemCount: this.#problemCount }
  }

  #walkLog(): void {
    for (const { key: place, value } of this.#tables.log.getRange()) {
      this.#events += 1
      if (place !== this.#nextPlace) this.#tell(`records are missing before it, from ${this.#nextPlace} on`, { place })
      this.#nextPlace = place + value.length
      this.#checkRecord(place, Buffer.from(value))
    }
  }

  #checkRecord(place: number, bytes: Buffer): void {
    const id = streamIdOf(bytes)
    const stream = this.#nameOf(id)
    if (!stream) {
      this.#tell(`its stream, number ${id}, has no readable name`, { place })
      return
    }
    if (!isIntact(bytes, stream, place)) {
      this.#tell('fails its checksum', { place, stream: stream.name })
      return
    }
    const { revision, data } = decodeRecord(bytes, stream.name)
    const indexed = this.#tables.index.get(indexKey(id, revision))?.readDoubleLE(0)
    if (indexed !== place)
      this.#tell(`the index has its revision ${revision} elsewhere`, { place, stream: stream.name })
    this.#moveHead(stream, { place, revision, data })
  }

  #moveHead({ id, name: stream }: StreamName, event: { place: number; revision: number; data: Uint8Array }): void {
    const head = this.#heads.get(stream) ?? NO_HEAD
    const { place, revision } = event
    const tombstone = revision === TOMBSTONE_REVISION
    if (head.tombstoned) this.#tell('stands behind its tombstone', { place, stream })
    if (!tombstone && revision !== head.last + 1 && this.#gapEndAt(id, head.last + 1) !== revision) {
      this.#tell(`is revision ${revision} where ${head.last + 1} is due`, { place, stream })
    }
    this.#heads.set(stream, tombstone ? { ...head, tombstoned: true } : { ...head, last: revision })
    const described = describedBy(stream)
    if (described === undefined) return
    const limits = limitsFromMetadata(event.data, tombstone)
    this.#heads.set(described, { ...(this.#heads.get(described) ?? NO_HEAD), limits })
  }

  /** Where a gap ends that was restored with the log. */
  #gapEndAt(id: number, start: number): number | undefined {
    const indexed = this.#tables.index.get(indexKey(id, start))
    return indexed && decodeGap(indexed)
  }

  #checkEnd(): void {
    try {
      const { nextPlace } = this.#reader.tail()
      if (nextPlace !== this.#nextPlace) {
        this.#tell(`The log should end at ${nextPlace} and ends at ${this.#nextPlace}`)
      }
    } catch (error) {
      this.#tell((error as Error).message)
    }
  }

  /** Every entry must lead to a record; that every record has an entry was looked at in the log. */
  #walkIndex(): void {
    for (const { key, value } of this.#tables.index.getRange()) {
      const { streamId, revision } = parseIndexKey(key)
      const place = this.#placeIn(value, streamId)
      if (this.#tables.log.doesExist(place)) continue
      const stream = this.#nameOf(streamId)?.name
      this.#tell(`the index names it as revision ${revision}, and it is missing`, {
        place,
        ...(stream !== undefined && { stream }),
      })
    }
  }

  /** The place to which an index entry leads; one that tells of a gap leads to the event behind it. */
  #placeIn(entry: Buffer, streamId: number): number {
    const end = decodeGap(entry)
    if (end === undefined) return entry.readDoubleLE(0)
    return this.#tables.index.get(indexKey(streamId, end))?.readDoubleLE(0) ?? 0
  }

  #checkHeads(): void {
    for (const [stream, head] of this.#heads) this.#checkHead(stream, head)
    const count = this.#tables.heads.getKeysCount({})
    if (count !== this.#heads.size) this.#tell(`There are ${count} heads of ${this.#heads.size} streams`)
  }

  #checkHead(stream: string, expected: StreamHead): void {
    try {
      const found = this.#reader.headOf(stream)
      if (describeHead(found) === describeHead(expected)) return
      this.#tell(`its head says ${describeHead(found)} where the log says ${describeHead(expected)}`, { stream })
    } catch (error) {
      this.#tell((error as Error).message, { stream })
    }
  }

  #nameOf(id: number) {
    try {
      return this.#reader.streams.nameOf(id)
    } catch {
      return undefined
    }
  }

  #tell(what: string, { place, stream }: { place?: number; stream?: string } = {}): void {
    this.#problemCount += 1
    if (this.#problems.length >= PROBLEMS_MAX) return
    const where = {
      ...(place !== undefined && { position: `${place}/${place}` }),
      ...(stream !== undefined && { stream }),
    }
    this.#problems.push({ message: [...subjectOf(where), what].join(': '), ...where })
  }
}

function subjectOf({ position, stream }: Omit<Problem, 'message'>): string[] {
  return [
    ...(position === undefined ? [] : [`Event at ${position}`]),
    ...(stream === undefined ? [] : [`Stream ${JSON.stringify(stream)}`]),
  ]
}

/** A head in words, the same for equal heads. */
function describeHead({ last, tombstoned, limits }: StreamHead): string {
  const { truncateBefore, maxCount, maxAgeSeconds, softDeleted } = limits
  return [
    `last revision ${last}`,
    ...(tombstoned ? ['tombstoned'] : []),
    ...(softDeleted ? ['deleted'] : []),
    ...(truncateBefore === undefined ? [] : [`$tb ${truncateBefore}`]),
    ...(maxCount === undefined ? [] : [`$maxCount ${maxCount}`]),
    ...(maxAgeSeconds === undefined ? [] : [`$maxAge ${maxAgeSeconds}`]),
  ].join(', ')
}
