// Bytes of a file cut into blocks of whole lines: what a line is, where it ends and how long it may be is decided here, for those who
// take lines one by one and for those who take them by the thousand.

/** A line longer than this is broken where nothing else is said; the reading goes on behind it. */
export const LINE_BYTES_MAX = 16 * 1024 * 1024
const [LF, CR] = [0x0a, 0x0d]
const BOM = Buffer.from([0xef, 0xbb, 0xbf])

/** Whole lines, each with its LF, also the last one of the file; or one line that could not be kept. */
export type LineBlock =
  | {
      readonly kind: 'lines'
      /** Good until the next block is asked for. */
      readonly bytes: Uint8Array
      /** How many bytes of the file, as unpacked, stand before the block. */
      readonly offset: number
    }
  | { readonly kind: 'broken'; readonly why: string; readonly offset: number }

/** Cuts chunks behind their last line end; keeps the part of a line that is not ended yet. */
export class BlockSplitter {
  readonly #lineBytesMax: number
  /** Of the line that is not ended yet: its parts, unless they are too many, and their length. */
  #parts: Uint8Array[] = []
  #length = 0
  /** Where that line begins. */
  #offset = 0

  constructor(lineBytesMax: number = LINE_BYTES_MAX) {
    this.#lineBytesMax = lineBytesMax
  }

  /** Where the line begins that is not ended yet. */
  get offset(): number {
    return this.#offset
  }

  *split(chunk: Uint8Array): Generator<LineBlock, void, undefined> {
    const firstEnd = chunk.indexOf(LF) + 1
    if (firstEnd === 0) {
      this.#keep(copyOf(chunk))
      return
    }
    // What is left of the chunk is copied before a block is given, behind which the chunk's bytes may be others.
    const lastEnd = chunk.lastIndexOf(LF) + 1
    const rest = copyOf(chunk.subarray(lastEnd))
    const isEnding = this.#length > 0
    if (isEnding) yield* this.#end(chunk.subarray(0, firstEnd))
    const start = isEnding ? firstEnd : 0
    const offset = this.#offset
    this.#offset += lastEnd - start
    if (lastEnd > start) yield* this.#shortLines(chunk.subarray(start, lastEnd), offset)
    if (rest.length > 0) this.#keep(rest)
  }

  /** The last line, where the file does not end with a line end. */
  *end(): Generator<LineBlock, void, undefined> {
    if (this.#length > 0) yield* this.#end(Buffer.of(LF))
  }

  #keep(part: Uint8Array): void {
    this.#length += part.length
    if (this.#length <= this.#lineBytesMax) this.#parts.push(part)
    else this.#parts = []
  }

  *#end(ending: Uint8Array): Generator<LineBlock, void, undefined> {
    const [parts, offset, length] = [this.#parts, this.#offset, this.#length + ending.length - 1]
    this.#parts = []
    this.#length = 0
    this.#offset = offset + length + 1
    if (length > this.#lineBytesMax) yield { kind: 'broken', why: tooLong(this.#lineBytesMax), offset }
    else yield { kind: 'lines', bytes: Buffer.concat([...parts, ending]), offset }
  }

  /** Lines that stand in a chunk whole: too long only where a chunk is longer than a line may be. */
  *#shortLines(bytes: Uint8Array, offset: number): Generator<LineBlock, void, undefined> {
    if (bytes.length - 1 <= this.#lineBytesMax) {
      yield { kind: 'lines', bytes, offset }
      return
    }
    for (let start = 0; start < bytes.length; ) {
      const end = bytes.indexOf(LF, start) + 1
      if (end - 1 - start > this.#lineBytesMax)
        yield { kind: 'broken', why: tooLong(this.#lineBytesMax), offset: offset + start }
      else yield { kind: 'lines', bytes: bytes.subarray(start, end), offset: offset + start }
      start = end
    }
  }
}

/** Why a line could not be kept. */
export function tooLong(lineBytesMax: number): string {
  return `longer than ${lineBytesMax} bytes`
}

/** What is read into moves on, and a buffer's own slice would be a view. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes)
}

/** A line without what is no part of it: the mark at the start of its file where it is the first one, a CR at its end. `bytes` are without the LF. */
export function trimLine(bytes: Uint8Array, isFirst: boolean): Uint8Array {
  const start = isFirst && BOM.equals(bytes.subarray(0, 3)) ? 3 : 0
  const end = bytes.at(-1) === CR ? bytes.length - 1 : bytes.length
  return bytes.subarray(start, Math.max(start, end))
}

/** The place behind the LF of the line that begins at `start` in a block. */
export function lineEnd(bytes: Uint8Array, start: number): number {
  return bytes.indexOf(LF, start) + 1
}
