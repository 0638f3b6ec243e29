// Sorted runs of records: what changed with a cut, by key. Several runs are read as one, in which the newest record of each key counts. A run's blocks
// begin with the numbers that it is sorted by, so that a few records are found without looking at the others.
import type { BlockFile, BlockFileWriter, Stretch } from './block-file.js'

/** Sorted by `order` (an unsigned 32-bit number), then by the bytes of the key. An empty value: the key has none any more. */
export interface RunRecord {
  readonly order: number
  readonly key: Buffer
  readonly value: Buffer
}

/** One run in its file. */
export interface Run {
  readonly file: BlockFile
  readonly stretch: Stretch
}

// A block: how many records, then of each its order, the end of its key and its end (from the start of the bodies), then the bodies.
const FIELDS = 3
const NUMBER_BYTES = 4
const BLOCK_BYTES = 2 ** 15

export function compareRecords(a: RunRecord, b: RunRecord): number {
  return a.order - b.order || Buffer.compare(a.key, b.key)
}

/** Writes sorted records to the end of a file. */
export function writeRun(file: BlockFileWriter, records: Iterable<RunRecord>): Stretch {
  const start = file.end
  let block: RunRecord[] = []
  let length = 0
  for (const record of records) {
    block.push(record)
    length += record.key.length + record.value.length
    if (length < BLOCK_BYTES) continue
    file.write(bytesOf(block), { packed: false })
    ;[block, length] = [[], 0]
  }
  if (block.length > 0) file.write(bytesOf(block), { packed: false })
  return { start, end: file.end }
}

function bytesOf(records: readonly RunRecord[]): Buffer {
  const head = new Uint32Array(1 + FIELDS * records.length)
  let [at, end] = [0, 0]
  head[at++] = records.length
  for (const { order, key, value } of records) {
    head[at++] = order
    head[at++] = end + key.length
    end += key.length + value.length
    head[at++] = end
  }
  return Buffer.concat([Buffer.from(head.buffer), ...records.flatMap(({ key, value }) => [key, value])])
}

/** Numbers in the machine's own byte order. Copied, because an array of them must begin at a multiple of four. */
function numbersIn(bytes: Buffer, start: number, count: number): Uint32Array {
  const from = bytes.byteOffset + start
  return new Uint32Array(bytes.buffer.slice(from, from + count * NUMBER_BYTES))
}

/** A block as it is read. */
class RunBlock {
  readonly count: number
  readonly bytes: Buffer
  readonly #head: Uint32Array
  readonly #bodies: number

  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.count = numbersIn(bytes, 0, 1)[0] as number
    this.#bodies = (1 + this.count * FIELDS) * NUMBER_BYTES
    this.#head = numbersIn(bytes, NUMBER_BYTES, this.count * FIELDS)
  }

  orderOf(index: number): number {
    return this.#head[index * FIELDS] as number
  }

  keyOf(index: number): Buffer {
    const start = index === 0 ? 0 : this.#endOf(index - 1)
    return this.bytes.subarray(this.#bodies + start, this.valueStartOf(index))
  }

  valueOf(index: number): Buffer {
    return this.bytes.subarray(this.valueStartOf(index), this.#bodies + this.#endOf(index))
  }

  valueStartOf(index: number): number {
    return this.#bodies + this.#keyEndOf(index)
  }

  #keyEndOf(index: number): number {
    return this.#head[index * FIELDS + 1] as number
  }

  #endOf(index: number): number {
    return this.#head[index * FIELDS + 2] as number
  }
}

function* blocksOf({ file, stretch }: Run): Iterable<RunBlock> {
  for (const bytes of file.blocks(stretch)) yield new RunBlock(bytes)
}

/** Gives the records that have one of these orders, which are sorted. Throws SnapshotDamagedError. */
export function* recordsWith(run: Run, orders: Uint32Array): Iterable<RunRecord> {
  let next = 0
  for (const block of blocksOf(run)) {
    for (let index = 0; index < block.count && next < orders.length; index += 1) {
      const order = block.orderOf(index)
      while (next < orders.length && (orders[next] as number) < order) next += 1
      if (orders[next] === order) yield { order, key: block.keyOf(index), value: block.valueOf(index) }
    }
  }
}

/** Gives the keys of the records whose values, which begin there in the bytes, fulfil a condition. Throws SnapshotDamagedError. */
export function* keysWhere(run: Run, holds: (bytes: Buffer, value: number) => boolean): Iterable<Buffer> {
  for (const block of blocksOf(run)) {
    for (let index = 0; index < block.count; index += 1) {
      if (holds(block.bytes, block.valueStartOf(index))) yield block.keyOf(index)
    }
  }
}

/** Throws SnapshotDamagedError. */
export function* recordsOf(run: Run): Generator<RunRecord, void, undefined> {
  for (const block of blocksOf(run)) {
    for (let index = 0; index < block.count; index += 1) {
      yield { order: block.orderOf(index), key: block.keyOf(index), value: block.valueOf(index) }
    }
  }
}

/** Runs as one, each key once: the record of the first of the runs that has it. */
export function* mergeRuns(newestFirst: readonly Iterable<RunRecord>[]): Generator<RunRecord, void, undefined> {
  const sources = newestFirst.map((records) => records[Symbol.iterator]())
  const heads = sources.map((source) => nextOf(source))
  for (let least = leastOf(heads); least !== undefined; least = leastOf(heads)) {
    for (const [index, head] of heads.entries()) {
      const source = sources[index]
      if (head && source && compareRecords(head, least) === 0) heads[index] = nextOf(source)
    }
    yield least
  }
}

function nextOf(source: Iterator<RunRecord>): RunRecord | undefined {
  const { done, value } = source.next()
  return done ? undefined : value
}

function leastOf(heads: readonly (RunRecord | undefined)[]): RunRecord | undefined {
  let least: RunRecord | undefined
  for (const head of heads) if (head && (!least || compareRecords(head, least) < 0)) least = head
  return least
}
