// The fold of a log of any length in bounded memory: while the log is read, its events are only gathered as bytes, spread by subject (a Grace
// hash partition); then one partition after the other is decoded and folded, so that no more states are held at a time than one has.
import { deserialize, serialize } from 'node:v8'
import type { RecordedEvent } from '../log/event.js'
import { EventWriter, eventIn, ordinalIn, subjectHashIn } from './event-bytes.js'
import { Fold, type FoldCounts, type FoldOptions } from './fold.js'
import { hashOf } from './hash.js'
import type { Projection } from './projection.js'
import type { Scratch, ScratchRun } from './scratch.js'
import { Spool } from './spool.js'

/** How much memory a replay may take, and where it writes what does not fit. */
export interface MemoryLimit {
  /** Bytes of events and of the states that they are folded into. */
  readonly bytesMax: number
  readonly scratch: () => Scratch
}

/** Into so many parts subjects are spread. A part that would take too much memory is folded in several passes. */
const PARTITIONS = 256
const PASSES_MAX = 16
/** Small partitions are folded together up to so many bytes of events; with more states in memory, collecting garbage costs more. */
const PART_BYTES = 2 ** 21

/** Of the limit, what events may take as bytes; the rest is for the states of one part, for findings, and for garbage. */
const EVENTS_SHARE = 1 / 4
const STATES_SHARE = 1 / 4

/** What states take, beside the bytes of the events folded into them: measured at generated bookings (1.6 kB an event of 350 bytes). */
const STATE_BYTES_PER_EVENT_BYTE = 4

export class PartitionedFold<State = unknown> {
  readonly #projection: Projection<State>
  readonly #limit: MemoryLimit | undefined
  readonly #options: FoldOptions
  /** Takes what belongs to no subject, and counts it. */
  readonly #unowned: Fold<State>
  readonly #events: Spool
  readonly #writer = new EventWriter()
  #ordinal = 0
  #scratch: Scratch | undefined

  constructor(projection: Projection<State>, limit?: MemoryLimit, options: FoldOptions = {}) {
    this.#projection = projection
    this.#limit = limit
    this.#options = options
    this.#unowned = new Fold(projection, options)
    this.#events = this.newSpool(PARTITIONS, EVENTS_SHARE)
  }

  /** How many events of the log were taken. */
  get taken(): number {
    return this.#ordinal
  }

  /** What was counted of events that belong to no subject; the counts of the parts come on top. */
  get unownedCounts(): FoldCounts {
    return this.#unowned.counts
  }

  /** Takes the next event of the log. Throws ScratchError. */
  add(event: RecordedEvent): void {
    const ordinal = this.#ordinal
    this.#ordinal += 1
    const subject = this.#unowned.subjectOf(event)
    if (subject === undefined) {
      this.#unowned.add(event, ordinal)
      return
    }
    const subjectHash = hashOf(subject)
    const length = this.#writer.write(event, { ordinal, subjectHash })
    this.#events.write(subjectHash % PARTITIONS, this.#writer.bytes, length)
  }

  /**
   * The parts, each with all events of its subjects folded: one in memory at a time. May be asked again. `only`: hashes of subjects; all others
   * are left out.
   */
  *parts(only?: ReadonlySet<number>): Iterable<Fold<State>> {
    const wanted = only && new Set([...only].map((hash) => hash % PARTITIONS))
    const passes = this.#passes
    for (const indices of this.#groups) {
      if (wanted && !indices.some((index) => wanted.has(index))) continue
      for (let pass = 0; pass < passes; pass += 1) {
        const isIn = (hash: number) => passOf(hash, passes) === pass && (only?.has(hash) ?? true)
        yield this.#foldPart(indices, isIn)
      }
    }
  }

  /** How many parts there are. */
  get partCount(): number {
    return this.#groups.length * this.#passes
  }

  /** Room for records of somebody else's, who shares the limit and the scratch space. */
  newSpool(partitions: number, share: number): Spool {
    const bytesMax = this.#limit ? this.#limit.bytesMax * share : Number.POSITIVE_INFINITY
    return new Spool({ partitions, bytesMax, scratch: () => this.#openScratch() })
  }

  close(): void {
    this.#scratch?.close()
  }

  get #passes(): number {
    if (!this.#limit) return 1
    const bytes = this.#groups.map((indices) => indices.reduce((sum, index) => sum + this.#events.bytesIn(index), 0))
    const needed = Math.max(...bytes) * STATE_BYTES_PER_EVENT_BYTE
    const passes = Math.ceil(needed / (this.#limit.bytesMax * STATES_SHARE))
    return Math.min(PASSES_MAX, Math.max(1, passes))
  }

  /** Partitions that are folded together: one part holds a whole small log. */
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

  #foldPart(indices: readonly number[], isIn: (subjectHash: number) => boolean): Fold<State> {
    const fold = new Fold(this.#projection, this.#options)
    for (const index of indices) {
      this.#events.read(index, (bytes, start, end) => {
        if (isIn(subjectHashIn(bytes, start))) fold.add(eventIn(bytes, start, end), ordinalIn(bytes, start))
      })
    }
    return fold
  }

  #openScratch(): Scratch {
    this.#scratch ??= this.#limit?.scratch()
    if (!this.#scratch) throw new Error('a fold without a limit needs no scratch space')
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
