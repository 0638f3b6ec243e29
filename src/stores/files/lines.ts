// Lines of a file as bytes, one after the other with their numbers: streamed, unpacked where packed, and never more of a line in memory
// than a line may be long.
import { constants, createReadStream } from 'node:fs'
import { access, open, stat } from 'node:fs/promises'
import { beginsPacked, unpack } from './gunzip.js'
import { BlockSplitter, LINE_BYTES_MAX, type LineBlock, lineEnd, trimLine } from './line-blocks.js'

/** So much of a file is read at once where blocks are asked for. */
const CHUNK_BYTES = 1024 * 1024

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

/** Whether all of them can be read a second time: no pipe and no standard input among them. Throws LogFileError where one cannot be read at all. */
export async function canReadTwice(files: readonly string[]): Promise<boolean> {
  for (const file of files) await assertReadable(file)
  const stats = await Promise.all(files.map((file) => (file === '-' ? undefined : stat(file))))
  return stats.every((found) => found?.isFile())
}

/** Whether a file is gzip: by its name or by its first bytes, as `readLines` sees it. Throws LogFileError. */
export async function isPacked(file: string): Promise<boolean> {
  if (isNamedPacked(file)) return true
  try {
    const handle = await open(file)
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0).finally(() => handle.close())
    return beginsPacked(buffer.subarray(0, bytesRead))
  } catch (error) {
    throw readFailure(file, error)
  }
}

function isNamedPacked(file: string): boolean {
  return file.endsWith('.gz')
}

/**
 * Reads a file's lines in order. `-` is standard input. Gzip is unpacked, by its first bytes or by a name that ends in `.gz`; a packed file that is
 * cut off gives what came before and then a broken line. Throws LogFileError.
 */
export async function* readLines(file: string, lineBytesMax = LINE_BYTES_MAX): AsyncGenerator<Line, void, undefined> {
  await assertReadable(file)
  const source = file === '-' ? process.stdin : createReadStream(file)
  try {
    yield* numberLines(splitBlocks(source, { file, lineBytesMax }))
  } finally {
    source.destroy()
  }
}

/**
 * Reads the lines in the first `bytesMax` bytes of a file, by the block: each is good until the next one is asked for. Otherwise as
 * `readLines`, but not of standard input. Throws LogFileError.
 */
export function readBlocks(file: string, bytesMax: number): AsyncGenerator<LineBlock, void, undefined> {
  return splitBlocks(readChunks(file, bytesMax), { file, lineBytesMax: LINE_BYTES_MAX })
}

/** The lines of blocks, as good as these are. */
export async function* numberLines(blocks: AsyncIterable<LineBlock>): AsyncGenerator<Line, void, undefined> {
  let number = 0
  for await (const block of blocks) {
    if (block.kind === 'broken') {
      number += 1
      yield { kind: 'broken', number, why: block.why }
      continue
    }
    for (const bytes of linesIn(block.bytes)) {
      number += 1
      yield { kind: 'line', number, bytes: trimLine(bytes, number === 1) }
    }
  }
}

async function* splitBlocks(
  chunks: AsyncIterable<Uint8Array>,
  { file, lineBytesMax }: { file: string; lineBytesMax: number },
): AsyncGenerator<LineBlock, void, undefined> {
  const splitter = new BlockSplitter(lineBytesMax)
  try {
    for await (const chunk of unpack(chunks, { isNamedGzip: isNamedPacked(file) })) yield* splitter.split(chunk)
  } catch (error) {
    if (!isUnpackingError(error)) throw readFailure(file, error)
    yield* splitter.end()
    yield { kind: 'broken', why: 'the packed file is cut off or damaged here', offset: splitter.offset }
    return
  }
  yield* splitter.end()
}

function* linesIn(block: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let start = 0; start < block.length; ) {
    const end = lineEnd(block, start)
    yield block.subarray(start, end - 1)
    start = end
  }
}

/** A file's bytes from two buffers in turn: while one is looked at, the other is filled. */
async function* readChunks(file: string, bytesMax: number): AsyncGenerator<Uint8Array, void, undefined> {
  const handle = await open(file)
  const buffers = [Buffer.allocUnsafeSlow(CHUNK_BYTES), Buffer.allocUnsafeSlow(CHUNK_BYTES)] as const
  let left = bytesMax
  const fill = (turn: number) => handle.read(buffers[turn % 2] as Buffer, 0, Math.min(CHUNK_BYTES, left), null)
  let filling = fill(0)
  try {
    for (let turn = 0; ; turn += 1) {
      const { bytesRead, buffer } = await filling
      if (bytesRead === 0) return
      left -= bytesRead
      filling = fill(turn + 1)
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    // Not under way any more when the file is closed, and its failure no longer anybody's.
    await filling.catch(() => {})
    await handle.close()
  }
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

/** What the operating system says of a file, as a LogFileError. */
export function readFailure(file: string, error: unknown): LogFileError {
  if (error instanceof LogFileError) return error
  const code = (error as NodeJS.ErrnoException).code ?? ''
  const why = REASONS[code] ?? (error instanceof Error ? error.message : String(error))
  return new LogFileError(`${file}: cannot be read: ${why}`, { cause: error })
}
