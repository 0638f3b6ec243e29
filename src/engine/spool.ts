// A spool: records spread over partitions, held as bytes outside of the heap up to a budget and in scratch space beyond it, and read back one
// partition at a time in the order in which they came.
import type { Scratch, ScratchRun } from './scratch.js'

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

  /** Takes the first `length` bytes of `record` as the partition's next record. Throws ScratchError. */
  write(index: number, record: Buffer, length: number): void {
    const partition = this.#partitions[index] as Partition
    const last = partition.pieces.at(-1)
    const needed = LENGTH_BYTES + length
    const piece = last && last.used + needed <= last.bytes.length ? last : this.#newPiece(partition, needed)
    piece.bytes.writeUInt32LE(length, piece.used)
    record.copy(piece.bytes, piece.used + LENGTH_BYTES, 0, length)
    piece.used += needed
    partition.bytes += needed
    if (this.#heldBytes > this.#bytesMax) this.#writeOut()
  }

  /** Gives a partition's records; may be called again. The bytes stay as they are until the next call. Throws ScratchError. */
  read(index: number, onRecord: OnRecord): void {
    const { run, pieces } = this.#partitions[index] as Partition
    for (const piece of run?.read() ?? []) {
      splitPiece(Buffer.from(piece.buffer, piece.byteOffset, piece.length), piece.length, onRecord)
    }
    for (const { bytes, used } of pieces) splitPiece(bytes, used, onRecord)
  }

  #newPiece(partition: Partition, needed: number): Piece {
    const size = nextSize(partition)
    const free = size === PIECE_BYTES_MAX && needed <= size ? this.#free.pop() : undefined
    const bytes = free ?? Buffer.allocUnsafeSlow(Math.max(size, needed))
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

function splitPiece(bytes: Buffer, used: number, onRecord: OnRecord): void {
  for (let at = 0; at < used; ) {
    const start = at + LENGTH_BYTES
    at = start + bytes.readUInt32LE(at)
    onRecord(bytes, start, at)
  }
}
