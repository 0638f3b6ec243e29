// Sorted runs of records: what changed with a cut, by key. Several runs are read as one, in which the newest record of each key counts.
import type { BlockFile, BlockFileWriter, Stretch } from './block-file.js'
import { Packer } from './packer.js'

/** Sorted by `order` (an unsigned 32-bit number), then by the bytes of the key. An empty value: the key has none any more. */
export interface RunRecord {
  readonly order: number
  readonly key: Buffer
  readonly value: Buffer
}

// A record's head.
const ORDER = 0
const KEY_LENGTH = 4
const VALUE_LENGTH = 8
const HEAD_LENGTH = 12

/** One run in its file. */
export interface Run {
  readonly file: BlockFile
  readonly stretch: Stretch
}

export function compareRecords(a: RunRecord, b: RunRecord): number {
  return a.order - b.order || Buffer.compare(a.key, b.key)
}

/** Writes sorted records to the end of a file. */
export function writeRun(file: BlockFileWriter, records: Iterable<RunRecord>): Stretch {
  const packer = new Packer(file, { packed: false })
  for (const { order, key, value } of records) {
    const head = Buffer.allocUnsafe(HEAD_LENGTH)
    head.writeUInt32LE(order, ORDER)
    head.writeUInt32LE(key.length, KEY_LENGTH)
    head.writeUInt32LE(value.length, VALUE_LENGTH)
    packer.add(head, key, value)
  }
  return packer.finish()
}

/** Where a record lies in a block: its key from `key`, its value from `value` until before `end`. */
export type OnRecord = (order: number, bytes: Buffer, key: number, value: number, end: number) => void

/** Gives every record without making anything of it. Throws SnapshotDamagedError. */
export function scanRun({ file, stretch }: Run, onRecord: OnRecord): void {
  for (const bytes of file.blocks(stretch)) {
    for (let at = 0; at < bytes.length; ) {
      const key = at + HEAD_LENGTH
      const value = key + bytes.readUInt32LE(at + KEY_LENGTH)
      const end = value + bytes.readUInt32LE(at + VALUE_LENGTH)
      onRecord(bytes.readUInt32LE(at + ORDER), bytes, key, value, end)
      at = end
    }
  }
}

/** Throws SnapshotDamagedError. */
export function* recordsOf({ file, stretch }: Run): Generator<RunRecord, void, undefined> {
  for (const bytes of file.blocks(stretch)) {
    for (let at = 0; at < bytes.length; ) {
      const key = at + HEAD_LENGTH
      const value = key + bytes.readUInt32LE(at + KEY_LENGTH)
      const end = value + bytes.readUInt32LE(at + VALUE_LENGTH)
      yield { order: bytes.readUInt32LE(at), key: bytes.subarray(key, value), value: bytes.subarray(value, end) }
      at = end
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
