// Gathers records into blocks of a file, so that small ones share a checksum and are packed together.
import type { BlockFileWriter, Stretch } from './block-file.js'

const BLOCK_BYTES = 2 ** 15

/** Where a record lies: in the block that begins at `block`, from `at` on. */
export interface PackedPlace {
  readonly block: number
  readonly at: number
  readonly length: number
}

export class Packer {
  readonly #file: BlockFileWriter
  readonly #packed: boolean
  readonly #start: number
  #pieces: Buffer[] = []
  #gathered = 0

  /** Blocks are written to the end of `file`; nobody else may write to it until `finish`. */
  constructor(file: BlockFileWriter, { packed }: { readonly packed: boolean }) {
    this.#file = file
    this.#packed = packed
    this.#start = file.end
  }

  /** Takes the pieces as one record, which lies in one block as a whole. */
  add(...pieces: readonly Buffer[]): PackedPlace {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
    if (this.#gathered > 0 && this.#gathered + length > BLOCK_BYTES) this.#write()
    const place = { block: this.#file.end, at: this.#gathered, length }
    this.#pieces.push(...pieces)
    this.#gathered += length
    return place
  }

  /** Where all of the blocks lie. */
  finish(): Stretch {
    if (this.#gathered > 0) this.#write()
    return { start: this.#start, end: this.#file.end }
  }

  #write(): void {
    this.#file.write(Buffer.concat(this.#pieces, this.#gathered), { packed: this.#packed })
    this.#pieces = []
    this.#gathered = 0
  }
}
