// Bytes of a log into lines, streaming: no more than one line and one chunk are held.
import { BrokenGzipError } from './gunzip.js'

/** A longer line is broken: no single event is as large, and it must not fill the memory. */
export const LINE_BYTES_MAX = 16 * 1024 * 1024

/** One line, by its 1-based number, or what stands in its place. */
export type LogLine =
  /** Without its line end, CR or LF with CR, and without the file's byte-order mark; may be blank. */
  | { readonly kind: 'line'; readonly number: number; readonly bytes: Uint8Array }
  | { readonly kind: 'tooLong'; readonly number: number }
  /** The file breaks off in or before this line: unknown lines are missing. Always the last. */
  | { readonly kind: 'brokenEnd'; readonly number: number; readonly why: string }

/** The lines of a log, in runs; a last line without line end is one too. Throws what `chunks` throws, but for BrokenGzipError. */
export async function* readLines(
  chunks: AsyncIterable<Uint8Array>,
  lineBytesMax: number = LINE_BYTES_MAX,
): AsyncGenerator<readonly LogLine[]> {
  const splitter = new LineSplitter(lineBytesMax)
  try {
    for await (const chunk of chunks) yield splitter.split(chunk)
  } catch (error) {
    if (!(error instanceof BrokenGzipError)) throw error
    yield splitter.breakOff(error.message)
    return
  }
  yield splitter.finish()
}

const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d

class LineSplitter {
  #number = 1
  /** The line under way: its bytes so far, none where it is too long. */
  #parts: Uint8Array[] = []
  #size = 0

  constructor(readonly lineBytesMax: number) {}

  split(chunk: Uint8Array): LogLine[] {
    const lines: LogLine[] = []
    let start = 0
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      this.#add(chunk.subarray(start, end))
      lines.push(this.#endLine())
      start = end + 1
    }
    this.#add(chunk.subarray(start))
    return lines
  }

  finish(): LogLine[] {
    return this.#size === 0 ? [] : [this.#endLine()]
  }

  breakOff(why: string): LogLine[] {
    const number = this.#number
    return [...this.finish(), { kind: 'brokenEnd', number, why }]
  }

  #add(part: Uint8Array): void {
    if (part.length === 0) return
    this.#size += part.length
    if (this.#size > this.lineBytesMax) this.#parts = []
    else this.#parts.push(part)
  }

  #endLine(): LogLine {
    const [number, parts, isTooLong] = [this.#number, this.#parts, this.#size > this.lineBytesMax]
    this.#number += 1
    this.#parts = []
    this.#size = 0
    if (isTooLong) return { kind: 'tooLong', number }
    const [only] = parts
    const bytes = only && parts.length === 1 ? only : Buffer.concat(parts)
    return { kind: 'line', number, bytes: trimmed(bytes, number === 1) }
  }
}

function trimmed(bytes: Uint8Array, isFirst: boolean): Uint8Array {
  const start = isFirst && hasByteOrderMark(bytes) ? 3 : 0
  const end = bytes.at(-1) === CARRIAGE_RETURN ? bytes.length - 1 : bytes.length
  return start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end)
}

function hasByteOrderMark(bytes: Uint8Array): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
}
