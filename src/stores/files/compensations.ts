// The file that missing events are appended to: locked while open, mended where a write was torn, and durable when the append returns.
import { createHash } from 'node:crypto'
import { type FileHandle, open, realpath, stat } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { LogFileError } from './lines.js'
import { TICKET_ISSUED } from './transaction-line.js'

const LF = 0x0a
/** The end of the file is looked at in steps of this size. */
const TAIL_BYTES = 64 * 1024
const WRITE_LINES = 10_000

/** Another process has the file open to append to it. */
export class CompensationFileBusyError extends Error {
  override readonly name = 'CompensationFileBusyError'
}

export interface CompensationFile {
  /** Whether it was there before: then its lines count as tickets. */
  readonly existed: boolean
  /** What was cut off its end because a write was torn. */
  readonly torn: string | undefined
  /** Appends one line a transaction, durably, and returns how many. Nothing to append makes no file. */
  append(transactionIds: readonly string[]): Promise<number>
  close(): Promise<void>
}

/** Locks the file and mends its end. Throws CompensationFileBusyError and LogFileError. */
export async function openCompensationFile(path: string): Promise<CompensationFile> {
  const lock = await takeLock(path)
  try {
    const { existed, torn } = await mendEnd(path)
    return {
      existed,
      torn,
      append: (ids) => appendLines(path, ids),
      close: () => new Promise((resolve) => lock.close(() => resolve())),
    }
  } catch (error) {
    lock.close()
    throw failure(path, error)
  }
}

/** A lock that ends with its holder, however it ends: a name that only one process can listen on. */
async function takeLock(path: string): Promise<Server> {
  const name = createHash('sha256')
    .update(await realPathOf(path))
    .digest('hex')
    .slice(0, 32)
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isBusy = error.code === 'EADDRINUSE'
      reject(
        isBusy
          ? new CompensationFileBusyError(`${path}: another process is appending to it; wait for it to end`)
          : failure(path, error),
      )
    })
    server.listen(lockAddress(name), () => resolve(server.unref()))
  })
}

/** One name for a file however it is spelled or linked to, also before it is there. Throws LogFileError. */
async function realPathOf(path: string): Promise<string> {
  try {
    if ((await sizeOf(path)) !== undefined) return await realpath(path)
    return join(await realpath(dirname(path)), basename(path))
  } catch (error) {
    throw failure(path, error)
  }
}

/** On Linux an abstract socket and on Windows a pipe: both vanish with the process. Elsewhere a socket file. */
function lockAddress(name: string): string {
  if (process.platform === 'linux') return `\0makegood-${name}`
  return process.platform === 'win32' ? `\\\\.\\pipe\\makegood-${name}` : join(tmpdir(), `makegood-${name}.sock`)
}

async function mendEnd(path: string): Promise<{ existed: boolean; torn: string | undefined }> {
  const size = await sizeOf(path)
  if (size === undefined) return { existed: false, torn: undefined }
  const file = await open(path, 'r+')
  try {
    const lastLine = await readLastLine(file, size)
    if (lastLine.length === 0) return { existed: true, torn: undefined }
    if (isWhole(lastLine)) {
      await file.write('\n', size)
      return { existed: true, torn: undefined }
    }
    await file.truncate(size - lastLine.length)
    await file.sync()
    return { existed: true, torn: lastLine.toString('utf8') }
  } finally {
    await file.close()
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** What stands behind the last line end: empty where the file ends with one. */
async function readLastLine(file: FileHandle, size: number): Promise<Buffer> {
  let tail = Buffer.alloc(0)
  for (let start = size; start > 0; ) {
    const from = Math.max(0, start - TAIL_BYTES)
    const { buffer } = await file.read({ buffer: Buffer.alloc(start - from), position: from })
    const end = buffer.lastIndexOf(LF)
    tail = Buffer.concat([buffer.subarray(end + 1), tail])
    if (end >= 0) return tail
    start = from
  }
  return tail
}

function isWhole(line: Buffer): boolean {
  try {
    // The decoder passes over a byte-order mark, which a file of one line may begin with.
    JSON.parse(new TextDecoder().decode(line))
    return true
  } catch {
    return false
  }
}

async function appendLines(path: string, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return 0
  try {
    const file = await open(path, 'a')
    try {
      for (let start = 0; start < ids.length; start += WRITE_LINES) {
        await file.appendFile(
          ids
            .slice(start, start + WRITE_LINES)
            .map(lineOf)
            .join(''),
        )
      }
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    throw failure(path, error)
  }
  return ids.length
}

function lineOf(id: string): string {
  return `{"transaction_id": ${JSON.stringify(id)}, "event_type": "${TICKET_ISSUED}"}\n`
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  EACCES: 'no right to write it',
  EISDIR: 'it is a folder',
  ENOSPC: 'the disk is full; run it again when there is room',
  EROFS: 'the disk is read-only',
}

function failure(path: string, error: unknown): Error {
  if (error instanceof LogFileError || error instanceof CompensationFileBusyError) return error
  const why =
    REASONS[(error as NodeJS.ErrnoException).code ?? ''] ?? (error instanceof Error ? error.message : String(error))
  return new LogFileError(`${path}: cannot be appended to: ${why}`, { cause: error })
}
