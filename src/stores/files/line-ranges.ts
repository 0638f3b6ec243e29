// A file read in ranges, each for itself: a line belongs to the range in which it begins. So several threads read one file, and what they
// find is what a reading from its start finds.
import { type FileHandle, open } from 'node:fs/promises'
import { LINE_BYTES_MAX, type LineBlock, lineEnd, tooLong } from './line-blocks.js'
import { readFailure } from './lines.js'

const LF = 0x0a
/** Lines mostly end within so many bytes behind their range. */
const BEHIND_BYTES = 16 * 1024

/** Bytes of a file from `start` to `end`. `size`: what is behind it is not looked at. */
export interface ByteRange {
  readonly file: string
  readonly start: number
  readonly end: number
  readonly size: number
}

/** Reads ranges one after the other into one buffer. */
export class RangeReader {
  readonly #lineBytesMax: number
  #buffer = Buffer.alloc(0)
  #file: string | undefined
  #handle: FileHandle | undefined

  constructor(lineBytesMax: number = LINE_BYTES_MAX) {
    this.#lineBytesMax = lineBytesMax
  }

  /** The lines that begin in a range, which is not longer than a line may be. They are good until the next call. Throws LogFileError. */
  async read(range: ByteRange): Promise<LineBlock[]> {
    try {
      return await this.#read(range, await this.#open(range.file))
    } catch (error) {
      throw readFailure(range.file, error)
    }
  }

  async close(): Promise<void> {
    await this.#handle?.close()
    this.#handle = undefined
    this.#file = undefined
  }

  async #open(file: string): Promise<FileHandle> {
    if (this.#handle && this.#file === file) return this.#handle
    await this.close()
    this.#handle = await open(file)
    this.#file = file
    return this.#handle
  }

  async #read({ start, end, size }: ByteRange, handle: FileHandle): Promise<LineBlock[]> {
    // One byte more in front tells whether a line begins where the range does.
    const base = Math.max(0, start - 1)
    const bytes = await this.#fill(handle, base, Math.min(end + BEHIND_BYTES, size))
    const inRange = bytes.subarray(0, end - base)
    const first = start === 0 ? 0 : lineEnd(inRange, 0)
    if ((start > 0 && first === 0) || first >= inRange.length) return []
    const last = inRange.subarray(0, -1).lastIndexOf(LF) + 1
    return this.#blocksOf(await this.#readOn(handle, bytes, { base, last, size }), { base, first, last })
  }

  /** The same bytes and behind them as many as the last line needs to be whole, or to be seen to be too long. */
  async #readOn(
    handle: FileHandle,
    begun: Buffer,
    { base, last, size }: { base: number; last: number; size: number },
  ): Promise<Buffer> {
    const enough = Math.min(size, base + last + this.#lineBytesMax + 1)
    let bytes = begun
    while (bytes.indexOf(LF, last) < 0 && base + bytes.length < enough) {
      const more = await this.#fill(handle, base, Math.min(base + 4 * bytes.length, enough))
      // The file has become shorter.
      if (more.length <= bytes.length) return more
      bytes = more
    }
    return bytes
  }

  #blocksOf(bytes: Buffer, { base, first, last }: { base: number; first: number; last: number }): LineBlock[] {
    const lf = bytes.indexOf(LF, last)
    const end = lf < 0 ? bytes.length : lf
    const offset = base + first
    if (end - last <= this.#lineBytesMax) {
      // The last line of a file may have no LF: there is room for one behind what was read.
      this.#buffer[end] = LF
      return [{ kind: 'lines', bytes: this.#buffer.subarray(first, end + 1), offset }]
    }
    const broken: LineBlock = { kind: 'broken', why: tooLong(this.#lineBytesMax), offset: base + last }
    return last === first ? [broken] : [{ kind: 'lines', bytes: bytes.subarray(first, last), offset }, broken]
  }

  /** The file's bytes from `start` to `end`, or fewer where it is shorter. */
  async #fill(handle: FileHandle, start: number, end: number): Promise<Buffer> {
    const wanted = end - start
    if (this.#buffer.length <= wanted) this.#buffer = Buffer.allocUnsafeSlow(wanted + 1)
    let length = 0
    for (let read = 1; read > 0 && length < wanted; length += read) {
      read = (await handle.read(this.#buffer, length, wanted - length, start + length)).bytesRead
    }
    return this.#buffer.subarray(0, length)
  }
}
