// Picked lines of a file, read once more: where the file can be read from any place, without most of what stands between them.
import { type FileHandle, open } from 'node:fs/promises'
import { copyOf, lineEnd, trimLine } from './line-blocks.js'
import type { LineSet } from './line-set.js'
import { type Line, numberLines, readBlocks, readFailure } from './lines.js'

/** So much is read at once where no line is longer. */
const WINDOW_BYTES = 1024 * 1024

/** Lines are given so many together: waiting for each would take longer than finding it. */
const BATCH_LINES = 1_000

/**
 * The picked lines in the first `bytesMax` bytes of a file, in order, many together. `isWhole`: every line is read, as in a file that is packed or has lines that could not
 * be kept; else only what is around the picked ones. Throws LogFileError.
 */
export async function* fetchLines(
  file: string,
  lines: LineSet,
  { bytesMax, isWhole }: { bytesMax: number; isWhole: boolean },
): AsyncGenerator<readonly Line[], void, undefined> {
  if (isWhole) {
    yield* fetchAmong(numberLines(readBlocks(file, bytesMax)), lines)
    return
  }
  let handle: FileHandle | undefined
  try {
    handle = await open(file)
    yield* fetchAround(new Window(handle, bytesMax), lines)
  } catch (error) {
    throw readFailure(file, error)
  } finally {
    await handle?.close()
  }
}

async function* fetchAmong(all: AsyncIterable<Line>, lines: LineSet): AsyncGenerator<readonly Line[], void, undefined> {
  let batch: Line[] = []
  for await (const line of all) {
    if (!lines.isPicked(line.number)) continue
    batch.push(line.kind === 'line' ? { ...line, bytes: copyOf(line.bytes) } : line)
    if (batch.length < BATCH_LINES) continue
    yield batch
    batch = []
  }
  yield batch
}

async function* fetchAround(window: Window, lines: LineSet): AsyncGenerator<readonly Line[], void, undefined> {
  let batch: Line[] = []
  let next = { number: 1, offset: 0 }
  for (const picked of lines.picked()) {
    const known = lines.knownBefore(picked)
    if (known.number > next.number) next = known
    // Most lines stand in the window, and are not waited for.
    let bytes = window.seenAt(next.offset) ?? (await window.lineAt(next.offset))
    while (next.number < picked) {
      next = { number: next.number + 1, offset: next.offset + bytes.length }
      bytes = window.seenAt(next.offset) ?? (await window.lineAt(next.offset))
    }
    next = { number: picked + 1, offset: next.offset + bytes.length }
    const text = bytes.subarray(0, endsWithLineEnd(bytes) ? -1 : bytes.length)
    batch.push({ kind: 'line', number: picked, bytes: copyOf(trimLine(text, picked === 1)) })
    if (batch.length < BATCH_LINES) continue
    yield batch
    batch = []
  }
  yield batch
}

function endsWithLineEnd(bytes: Uint8Array): boolean {
  return lineEnd(bytes, 0) > 0
}

/** A part of a file in memory. */
class Window {
  readonly #handle: FileHandle
  #buffer = Buffer.allocUnsafe(WINDOW_BYTES)
  #bytes = this.#buffer.subarray(0, 0)
  /** Where in the file it begins. */
  #offset = 0

  /** Nothing is read from here on. */
  readonly #end: number

  constructor(handle: FileHandle, end: number) {
    this.#handle = handle
    this.#end = end
  }

  /** The line that begins at `offset`, with its LF; undefined where it does not stand in the window whole. Good until the next call. */
  seenAt(offset: number): Uint8Array | undefined {
    const start = offset - this.#offset
    const end = start >= 0 && start < this.#bytes.length ? lineEnd(this.#bytes, start) : 0
    return end > 0 ? this.#bytes.subarray(start, end) : undefined
  }

  /** The line that begins at `offset`, with its LF where it has one; nothing at the end of the file. Good until the next call. */
  async lineAt(offset: number): Promise<Uint8Array> {
    for (let size = WINDOW_BYTES; ; size *= 4) {
      const isEnd = await this.#moveTo(offset, size)
      const length = lineEnd(this.#bytes, 0)
      if (length > 0) return this.#bytes.subarray(0, length)
      if (isEnd) return this.#bytes
    }
  }

  /** Returns whether what may be read ends in the window. */
  async #moveTo(offset: number, size: number): Promise<boolean> {
    if (this.#buffer.length < size) this.#buffer = Buffer.allocUnsafe(size)
    const wanted = Math.max(0, Math.min(size, this.#end - offset))
    let length = 0
    for (let read = wanted; read > 0 && length < wanted; length += read) {
      read = (await this.#handle.read(this.#buffer, length, wanted - length, offset + length)).bytesRead
    }
    this.#bytes = this.#buffer.subarray(0, length)
    this.#offset = offset
    return length < size
  }
}
