// Lines of a file as bytes, one after the other with their numbers: streamed, unpacked where packed, and never more of a line in memory
// than a line may be long.
import { constants, createReadStream } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { unpack } from './gunzip.js'

/** A line longer than this is broken where nothing else is said; the reading goes on behind it. */
const LINE_BYTES_MAX = 16 * 1024 * 1024
const [LF, CR] = [0x0a, 0x0d]
const BOM = Buffer.from([0xef, 0xbb, 0xbf])

/** A line without its end, or what kept it from being read. */
export type Line =
  | { readonly kind: 'line'; readonly number: number; readonly bytes: Uint8Array }
  | { readonly kind: 'broken'; readonly number: number; readonly why: string }

/** A log file that cannot be opened or read: which, and why. */
export class LogFileError extends Error {
  override readonly name = 'LogFileError'
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'no right to read it',
  EISDIR: 'it is a folder',
}

/** Sees without reading whether a file can be read. Throws LogFileError. */
export async function assertReadable(file: string): Promise<void> {
  if (file === '-') {
    if (!process.stdin.readableDidRead) return
    throw new LogFileError('-: standard input was read already and cannot be read again; name a file')
  }
  try {
    await access(file, constants.R_OK)
    if ((await stat(file)).isDirectory()) throw new LogFileError(`${file}: cannot be read: ${REASONS.EISDIR}`)
  } catch (error) {
    throw readFailure(file, error)
  }
}

/**
 * Reads a file's lines in order. `-` is standard input. Gzip is unpacked, by its first bytes or by a name that ends in `.gz`; a packed file that is
 * cut off gives what came before and then a broken line. Throws LogFileError.
 */
export async function* readLines(file: string, lineBytesMax = LINE_BYTES_MAX): AsyncGenerator<Line, void, undefined> {
  await assertReadable(file)
  const source = file === '-' ? process.stdin : createReadStream(file)
  const splitter = new LineSplitter(lineBytesMax)
  try {
    for await (const chunk of unpack(source, { isNamedGzip: file.endsWith('.gz') })) yield* splitter.split(chunk)
  } catch (error) {
    if (!isUnpackingError(error)) throw readFailure(file, error)
    yield* splitter.end()
    yield { kind: 'broken', number: splitter.next, why: 'the packed file is cut off or damaged here' }
    return
  } finally {
    source.destroy()
  }
  yield* splitter.end()
}

/**
 * Reads the lines of several files, one file after the other. Whether all are there is seen before the first line is read. Throws LogFileError.
 */
export async function* readLinesOf(
  files: readonly string[],
  lineBytesMax = LINE_BYTES_MAX,
): AsyncGenerator<Line & { readonly file: string; readonly line: number }, void, undefined> {
  for (const file of files) await assertReadable(file)
  for (const file of files) {
    for await (const line of readLines(file, lineBytesMax)) yield { ...line, file, line: line.number }
  }
}

function isUnpackingError(error: unknown): boolean {
  return ((error as NodeJS.ErrnoException).code ?? '').startsWith('Z_')
}

function readFailure(file: string, error: unknown): LogFileError {
  if (error instanceof LogFileError) return error
  const code = (error as NodeJS.ErrnoException).code ?? ''
  const why = REASONS[code] ?? (error instanceof Error ? error.message : String(error))
  return new LogFileError(`${file}: cannot be read: ${why}`, { cause: error })
}

/** Cuts chunks into lines; keeps the part of a line that is not ended yet. */
class LineSplitter {
  /** The number of the line that comes next, from 1. */
  next = 1
  readonly #lineBytesMax: number
  #parts: Uint8Array[] = []
  #length = 0

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax
  }

  *split(chunk: Uint8Array): Generator<Line, void, undefined> {
    let start = 0
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      this.#keep(chunk.subarray(start, end))
      yield this.#take()
      start = end + 1
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start))
  }

  /** The last line, where the file does not end with a line end. */
  *end(): Generator<Line, void, undefined> {
    if (this.#length > 0) yield this.#take()
  }

  #keep(part: Uint8Array): void {
    this.#length += part.length
    if (this.#length <= this.#lineBytesMax) this.#parts.push(part)
    else this.#parts = []
  }

  #take(): Line {
    const number = this.next
    const [parts, length] = [this.#parts, this.#length]
    this.next += 1
    this.#parts = []
    this.#length = 0
    if (length > this.#lineBytesMax) return { kind: 'broken', number, why: `longer than ${this.#lineBytesMax} bytes` }
    const whole = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts)
    const start = number === 1 && BOM.equals(whole.subarray(0, 3)) ? 3 : 0
    const end = whole.at(-1) === CR ? whole.length - 1 : whole.length
    return { kind: 'line', number, bytes: whole.subarray(start, Math.max(start, end)) }
  }
}
