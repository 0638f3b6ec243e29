// A log of any length in bounded memory, on its way to being folded: while it is read its events are only gathered as bytes, spread by subject (a
// Grace hash partition); then one part after the other is handed on, each with all events of its subjects.
import { deserialize, serialize } from 'node:v8'
import type { RecordedEvent } from '../log/event.js'
import { subjectHashIn } from './event-bytes.js'
import { EventSpreader } from './event-spreader.js'
import { addCounts, type FoldCounts, type FoldOptions } from './fold.js'
import { hashOf } from './hash.js'
import type { RangeRead } from './pour-range.js'
import type { Projection } from './projection.js'
import type { Scratch, ScratchRun } from './scratch.js'
import { type Block, readRecords, Spool, selectRecords } from './spool.js'

/** How much memory a replay may take, and where it writes what does not fit. */
export interface MemoryLimit {
  /** Bytes of events and of the states that they are folded into. */
  readonly bytesMax: number
  readonly scratch: () => Scratch
}

/** All events of some subjects, as bytes. */
export interface Part {
  readonly blocks: readonly Block[]
}

/** Into so many parts subjects are spread. A part that would take too much memory is handed on in several passes. */
const PARTITIONS = 256
const PASSES_MAX = 256
/** Small partitions are handed on together up to so many bytes of events: what a thread judges in a tenth of a second. */
const PART_BYTES = 2 ** 21

/** Of the limit, what events may take as bytes; the rest is for the parts being judged, for findings, and for garbage. */
const EVENTS_SHARE = 1 / 4
const PART_SHARE = 1 / 16

export class PartitionedLog {
  readonly #limit: MemoryLimit | undefined
  readonly #spreader: EventSpreader
  readonly #events: Spool
  /** Of ranges that others read. */
  readonly #readBeside: RangeRead[] = []
  #scratch: Scratch | undefined

  constructor(projection: Projection, limit?: MemoryLimit, options: FoldOptions = {}) {
    this.#limit = limit
    this.#events = this.newSpool(PARTITIONS, EVENTS_SHARE)
    this.#spreader = new EventSpreader(projection, options, (subjectHash, record, length) =>
      this.#events.write(subjectHash % PARTITIONS, record, length),
    )
  }

  /** How many events of the log were taken. */
  get taken(): number {
    return this.#readBeside.reduce((sum, { taken }) => sum + taken, this.#spreader.taken)
  }

  /** What was counted of events that belong to no subject; the counts of the parts come on top. */
  get unownedCounts(): FoldCounts {
    const counts = { ...this.#spreader.unownedCounts }
    for (const { unownedCounts } of this.#readBeside) addCounts(counts, unownedCounts)
    return counts
  }

  /** Takes the next event of the log. Throws ScratchError. */
  add(event: RecordedEvent): void {
    this.#spreader.add(event)
  }

  /** Takes the next event of the log as bytes (src/log/event-bytes.ts). Throws ScratchError. */
  addBytes(stream: string, bytes: Buffer, start: number, end: number): void {
    this.#spreader.addBytes(stream, bytes, start, end)
  }

  /** What is added next is the first event of the log's how-many-eth range, from 0. Ranges may be read in any order, also side by side. */
  startRange(range: number): void {
    this.#spreader.startRange(range)
  }

  /** Takes records of a range that is read beside. Throws ScratchError. */
  addRecords(block: Block): void {
    readRecords(block, (bytes, start, end) =>
      this.#events.write(subjectHashIn(bytes, start) % PARTITIONS, bytes, end - start, start),
    )
  }

  /** Such a range was read to its end. */
  endRange(read: RangeRead): void {
    this.#readBeside.push(read)
  }

  /**
   * The parts, one in memory at a time. May be asked again. `only`: hashes of subjects; all others are left out. Throws ScratchError.
   */
  *parts(only?: ReadonlySet<number>): Iterable<Part> {
    this.#events.end()
    const wanted = only && new Set([...only].map((hash) => hash % PARTITIONS))
    const passes = this.#passes
    for (const indices of this.#groups) {
      if (wanted && !indices.some((index) => wanted.has(index))) continue
      for (let pass = 0; pass < passes; pass += 1) {
        const isIn = (bytes: Buffer, start: number) => {
          const hash = subjectHashIn(bytes, start)
          return passOf(hash, passes) === pass && (only?.has(hash) ?? true)
        }
        const blocks = this.#blocksIn(indices)
        yield { blocks: passes > 1 || only ? selectRecords(blocks, isIn) : [...blocks] }
      }
    }
  }

  /** How many parts there are. */
  get partCount(): number {
    return this.#groups.length * this.#passes
  }

  /** Room for records of somebody else's, who shares the limit and the scratch space. */
  newSpool(partitions: number, share: number): Spool {
    return new Spool({ partitions, ...this.roomFor(share) })
  }

  /** The same for whoever writes runs; `most`: bytes that are enough where there is a limit. */
  roomFor(
    share: number,
    most = Number.POSITIVE_INFINITY,
  ): { readonly bytesMax: number; readonly scratch: () => Scratch } {
    const bytesMax = this.#limit ? Math.min(most, this.#limit.bytesMax * share) : Number.POSITIVE_INFINITY
    return { bytesMax, scratch: () => this.#openScratch() }
  }

  close(): void {
    this.#scratch?.close()
  }

  get #passes(): number {
    if (!this.#limit) return 1
    const bytes = this.#groups.map((indices) => indices.reduce((sum, index) => sum + this.#events.bytesIn(index), 0))
    const passes = Math.ceil(Math.max(...bytes) / Math.max(PART_BYTES, this.#limit.bytesMax * PART_SHARE))
    return Math.min(PASSES_MAX, Math.max(1, passes))
  }

  /** Partitions that are handed on together: one part holds a whole small log. */
  get #groups(): number[][] {
    const groups: number[][] = []
    let room = 0
    for (let index = 0; index < PARTITIONS; index += 1) {
      const bytes = this.#events.bytesIn(index)
      if (groups.length === 0 || bytes > room) {
        groups.push([])
        room = PART_BYTES
      }
      room -= bytes
      groups.at(-1)?.push(index)
    }
    return groups
  }

  *#blocksIn(indices: readonly number[]): Iterable<Block> {
    for (const index of indices) yield* this.#events.blocks(index)
  }

  #openScratch(): Scratch {
    this.#scratch ??= this.#limit?.scratch()
    if (!this.#scratch) throw new Error('a log without a limit needs no scratch space')
    return this.#scratch
  }
}

/** Apart from what a partition's hashes have in common. */
function passOf(hash: number, passes: number): number {
  return Math.floor(hash / PARTITIONS) % passes
}

/** Spreads text evenly over the partitions. */
function partitionOf(text: string): number {
  return hashOf(text) % PARTITIONS
}

/** One run a partition, made when its first record comes. */
export class PartitionedRuns {
  readonly #runs: (ScratchRun | undefined)[] = new Array(PARTITIONS).fill(undefined)

  constructor(readonly scratch: Scratch) {}

  /** Writes a plain value into the partition of `text`. */
  write(text: string, value: unknown): void {
    const index = partitionOf(text)
    const run = this.#runs[index] ?? this.scratch.newRun()
    this.#runs[index] = run
    run.write(serialize(value))
  }

  *read(index: number): Iterable<unknown> {
    for (const record of this.#runs[index]?.read() ?? []) yield deserialize(record)
  }

  /** Partition by partition. */
  *readEach(): Iterable<Iterable<unknown>> {
    for (let index = 0; index < PARTITIONS; index += 1) yield this.read(index)
  }
}
