// The file that missing events are appended to: locked while open, mended where a write was torn, and durable when the append returns.
import type { Stats } from 'node:fs'
import { type FileHandle, open, realpath, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { tryLock, type Unlock } from './file-lock.js'
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
  /**
   * Appends one line a transaction, durably, and returns how many. Nothing to append makes no file. Where it fails, the file is as it was,
   * or the next opening cuts off what was torn. Throws LogFileError, also where somebody else has changed the file since it was opened.
   */
  append(transactionIds: readonly string[]): Promise<number>
  close(): Promise<void>
}

/**
 * Locks the file and mends its end: a last line that is no JSON is cut off, one that only lacks its line end gets it. A file that does
 * not begin as lines of JSON do is somebody else's and is left alone. Throws CompensationFileBusyError and LogFileError.
 */
export async function openCompensationFile(path: string): Promise<CompensationFile> {
  let unlock: Unlock | undefined
  try {
    // Lines of text behind packed bytes could be read by nobody.
    if (path.endsWith('.gz')) throw new LogFileError(`${path}: cannot be appended to: a packed file is not written`)
    unlock = await tryLock(await realPathOf(path))
    if (!unlock) {
      throw new CompensationFileBusyError(`${path}: another process is appending to it; wait for it to end`)
    }
    return new Compensations(path, await mendEnd(path), unlock)
  } catch (error) {
    await unlock?.()
    throw failure(path, error)
  }
}

class Compensations implements CompensationFile {
  readonly existed: boolean
  readonly torn: string | undefined
  /** Undefined while it is not there. */
  #size: number | undefined

  constructor(
    readonly path: string,
    { size, torn }: Mended,
    readonly close: Unlock,
  ) {
    this.existed = size !== undefined
    this.torn = torn
    this.#size = size
  }

  async append(ids: readonly string[]): Promise<number> {
    if (ids.length === 0) return 0
    try {
      if ((await statOf(this.path))?.size !== this.#size) {
        throw new LogFileError(`${this.path}: nothing appended: it was changed since it was read; run again`)
      }
      this.#size = await appendLines(this.path, ids, this.#size)
    } catch (error) {
      throw failure(this.path, error)
    }
    return ids.length
  }
}

/** One name for a file however it is spelled or linked to, also before it is there. */
async function realPathOf(path: string): Promise<string> {
  if ((await statOf(path)) !== undefined) return await realpath(path)
  return join(await realpath(dirname(path)), basename(path))
}

interface Mended {
  /** Undefined where there is no file. */
  readonly size: number | undefined
  readonly torn: string | undefined
}

async function mendEnd(path: string): Promise<Mended> {
  const stats = await statOf(path)
  if (stats === undefined) return { size: undefined, torn: undefined }
  if (!stats.isFile() && !stats.isDirectory()) {
    throw new LogFileError(`${path}: cannot be appended to: it is no ordinary file`)
  }
  const file = await open(path, 'r+')
  try {
    return await mendLastLine(file, stats.size)
  } finally {
    await file.close()
  }
}

async function mendLastLine(file: FileHandle, size: number): Promise<Mended> {
  const lastLine = await readLastLine(file, size)
  if (lastLine.length === 0 || !(await beginsLikeJsonLines(file))) return { size, torn: undefined }
  const isWhole = isJson(lastLine)
  if (isWhole) await file.write('\n', size)
  else await file.truncate(size - lastLine.length)
  await file.sync()
  if (isWhole) return { size: size + 1, torn: undefined }
  return { size: size - lastLine.length, torn: lastLine.toString('utf8') }
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
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

async function beginsLikeJsonLines(file: FileHandle): Promise<boolean> {
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(1024), position: 0 })
  return /^\s*\{/.test(buffer.toString('utf8', 0, bytesRead))
}

function isJson(line: Buffer): boolean {
  try {
    // The decoder passes over a byte-order mark, which a file of one line may begin with.
    JSON.parse(new TextDecoder().decode(line))
    return true
  } catch {
    return false
  }
}

/** Returns the file's new size. */
async function appendLines(path: string, ids: readonly string[], size: number | undefined): Promise<number> {
  const file = await open(path, size === undefined ? 'ax' : 'a')
  try {
    if (size !== undefined && (await lacksLineEnd(path, size))) await file.appendFile('\n')
    for (let start = 0; start < ids.length; start += WRITE_LINES) {
      const lines = ids.slice(start, start + WRITE_LINES).map(lineOf)
      await file.appendFile(lines.join(''))
    }
    await file.sync()
    if (size === undefined) await syncFolder(dirname(path))
    return (await file.stat()).size
  } catch (error) {
    // Best effort: what stays is cut off by the next opening, and whole lines are true.
    await file.truncate(size ?? 0).catch(() => {})
    if (size === undefined) await rm(path).catch(() => {})
    throw error
  } finally {
    await file.close()
  }
}

/** So in a file that was left alone at its opening. */
async function lacksLineEnd(path: string, size: number): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    return (await readLastLine(file, size)).length > 0
  } finally {
    await file.close()
  }
}

/** A new file's name is durable only when its folder is. */
async function syncFolder(path: string): Promise<void> {
  // Windows opens no folder, and keeps the name with the file.
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function lineOf(id: string): string {
  return `{"transaction_id": ${JSON.stringify(id)}, "event_type": "${TICKET_ISSUED}"}\n`
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  EACCES: 'no right to write it',
  EEXIST: 'it was made since it was looked for; run again',
  EISDIR: 'it is a folder',
  ENOSPC: 'the disk is full; run it again when there is room',
  EDQUOT: 'the quota is used up; run it again when there is room',
  EFBIG: 'it may not grow so large',
  EROFS: 'the disk is read-only',
}

function failure(path: string, error: unknown): Error {
  if (error instanceof LogFileError || error instanceof CompensationFileBusyError) return error
  const why =
    REASONS[(error as NodeJS.ErrnoException).code ?? ''] ?? (error instanceof Error ? error.message : String(error))
  return new LogFileError(`${path}: cannot be appended to: ${why}`, { cause: error })
}
