// A spool: records spread over partitions, held as bytes outside of the heap up to a budget and in scratch space beyond it, and read back one
// partition at a time in the order in which they came.
import type { Scratch, ScratchRun } from './scratch.js'

/** Whole records, each behind its length, in the first `used` bytes. Those still in memory are shared between threads, not copied. */
export interface Block {
  readonly bytes: Uint8Array
  readonly used: number
}

/** Where records lie: whole ones, from `start` until before `end` of each. */
export type OnRecord = (bytes: Buffer, start: number, end: number) => void

export interface SpoolOptions {
  readonly partitions: number
  /** Bytes held in memory at most, but for one piece a partition. */
  readonly bytesMax: number
  /** Called once, when that is not enough. */
  readonly scratch: () => Scratch
}

/** Records are gathered in pieces: small ones first, since most logs are small. */
const PIECE_BYTES_FIRST = 2 ** 12
const PIECE_BYTES_MAX = 2 ** 16
const LENGTH_BYTES = 4

interface Piece {
  readonly bytes: Buffer
  used: number
}

function appendRecord(piece: Piece, bytes: Buffer, start: number, length: number): void {
  piece.bytes.writeUInt32LE(length, piece.used)
  bytes.copy(piece.bytes, piece.used + LENGTH_BYTES, start, start + length)
  piece.used += LENGTH_BYTES + length
}

interface Partition {
  readonly pieces: Piece[]
  run: ScratchRun | undefined
  /** All bytes ever written. */
  bytes: number
}

export class Spool {
  readonly #partitions: readonly Partition[]
  readonly #bytesMax: number
  readonly #openScratch: () => Scratch
  #scratch: Scratch | undefined
  #heldBytes = 0
  /** Of the largest size, written out: memory that is given back is not free before the next collection of garbage, so it is used again. */
  readonly #free: Buffer[] = []

  constructor({ partitions, bytesMax, scratch }: SpoolOptions) {
    this.#partitions = Array.from({ length: partitions }, () => ({ pieces: [], run: undefined, bytes: 0 }))
    this.#bytesMax = bytesMax
    this.#openScratch = scratch
  }

  /** All that was written into a partition. */
  bytesIn(index: number): number {
    return this.#partitions[index]?.bytes ?? 0
  }

  /** Takes `length` bytes from `start` on as the partition's next record. Throws ScratchError. */
  write(index: number, bytes: Buffer, length: number, start = 0): void {
    const partition = this.#partitions[index] as Partition
    const last = partition.pieces.at(-1)
    const needed = LENGTH_BYTES + length
    const piece = last && last.used + needed <= last.bytes.length ? last : this.#newPiece(partition, needed)
    appendRecord(piece, bytes, start, length)
    partition.bytes += needed
    if (this.#heldBytes > this.#bytesMax) this.#writeOut()
  }

  /** Nothing is written any more: where some went to scratch space the rest follows, so that its memory is somebody else's. Throws ScratchError. */
  end(): void {
    if (this.#scratch) this.#writeOut()
    this.#free.length = 0
  }

  /** A partition's records, block by block; may be called again. Nothing may be written afterwards. Throws ScratchError. */
  *blocks(index: number): Iterable<Block> {
    const { run, pieces } = this.#partitions[index] as Partition
    for (const bytes of run?.read() ?? []) yield { bytes, used: bytes.length }
    yield* pieces
  }

  /** Gives a partition's records; may be called again. Throws ScratchError. */
  read(index: number, onRecord: OnRecord): void {
    for (const block of this.blocks(index)) readRecords(block, onRecord)
  }

  #newPiece(partition: Partition, needed: number): Piece {
    const size = nextSize(partition)
    const free = size === PIECE_BYTES_MAX && needed <= size ? this.#free.pop() : undefined
    const bytes = free ?? Buffer.from(new SharedArrayBuffer(Math.max(size, needed)))
    const piece = { bytes, used: 0 }
    partition.pieces.push(piece)
    this.#heldBytes += bytes.length
    return piece
  }

  #writeOut(): void {
    this.#scratch ??= this.#openScratch()
    for (const partition of this.#partitions) {
      for (const { bytes, used } of partition.pieces.splice(0)) {
        partition.run ??= this.#scratch.newRun()
        partition.run.write(bytes.subarray(0, used))
        if (bytes.length === PIECE_BYTES_MAX) this.#free.push(bytes)
      }
    }
    this.#heldBytes = 0
  }
}

function nextSize({ pieces, run }: Partition): number {
  // Once anything was written out the log is no small one.
  if (run) return PIECE_BYTES_MAX
  return Math.min(PIECE_BYTES_MAX, 2 * (pieces.at(-1)?.bytes.length ?? PIECE_BYTES_FIRST / 2))
}

/** So many bytes of records go from one thread to another at once. */
const BATCH_BYTES = 2 ** 20

/** Records on their way to another thread, each batch in memory of its own that can be handed over. */
export class RecordBatches {
  #batches: Piece[] = []

  /** Takes `length` bytes from `start` on as the next record. */
  write(bytes: Buffer, length: number, start = 0): void {
    const needed = LENGTH_BYTES + length
    const last = this.#batches.at(-1)
    const batch = last && last.used + needed <= last.bytes.length ? last : this.#newBatch(needed)
    appendRecord(batch, bytes, start, length)
  }

  /** The batches to which nothing is added any more. */
  takeFull(): Block[] {
    return this.#batches.splice(0, this.#batches.length - 1)
  }

  takeAll(): Block[] {
    return this.#batches.splice(0)
  }

  #newBatch(needed: number): Piece {
    const batch = { bytes: Buffer.from(new ArrayBuffer(Math.max(BATCH_BYTES, needed))), used: 0 }
    this.#batches.push(batch)
    return batch
  }
}

/** Some records of blocks, copied: what they are taken from need not be held. */
export function selectRecords(blocks: Iterable<Block>, isWanted: (bytes: Buffer, start: number) => boolean): Block[] {
  const selected = new RecordBatches()
  for (const block of blocks) {
    readRecords(block, (bytes, start, end) => {
      if (isWanted(bytes, start)) selected.write(bytes, end - start, start)
    })
  }
  return selected.takeAll()
}

/** Where a record ends that starts there. */
export function endOfRecord(bytes: Buffer, start: number): number {
  return start + bytes.readUInt32LE(start - LENGTH_BYTES)
}

/** Gives a block's records in order. */
export function readRecords({ bytes, used }: Block, onRecord: OnRecord): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = 0; at < used; ) {
    const start = at + LENGTH_BYTES
    at = start + buffer.readUInt32LE(at)
    onRecord(buffer, start, at)
  }
}
