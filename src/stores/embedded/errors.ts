// What LMDB's errors mean to a caller: translated once, at this edge.
import { statfsSync } from 'node:fs'
import { StoreCorruptError, StoreFullError, StoreUnavailableError } from '../../log/store-errors.js'

/** Errors of which LMDB says that nothing was written, by errno or by LMDB's own number. */
const REASONS: ReadonlyMap<number, string> = new Map([
  [1, 'there is no right to write or lock it'],
  [12, 'there is not enough memory'],
  [13, 'there is no right to write or lock it'],
  [27, 'the limit on the size of a file is reached'],
  [28, 'the disk is full'],
  [30, 'the file system is read-only'],
  [122, 'the disk quota is used up'],
  [-30792, 'the memory map cannot grow any further'],
  [-30790, 'too many processes read it at once'],
])

const NAMED_CODES: ReadonlyMap<string, number> = new Map([
  ['EPERM', 1],
  ['ENOMEM', 12],
  ['EACCES', 13],
  ['EFBIG', 27],
  ['ENOSPC', 28],
  ['EROFS', 30],
  ['EDQUOT', 122],
])

/** Below this many free bytes a disk counts as full: LMDB reports a short write as an input/output error. */
const FREE_BYTES_MIN = 1024 * 1024

/** A failure to write to or open the store in `folder`, as one clear line. `doing`: what failed, "cannot be written". */
export function unavailable(folder: string, doing: string, cause: unknown): StoreUnavailableError {
  const message = `${folder} ${doing}: ${reasonOf(folder, cause)}`
  return isForLackOfSpace(folder, cause)
    ? new StoreFullError(message, { cause })
    : new StoreUnavailableError(message, { cause })
}

/** The store is closed, or was never made. */
export function closedError(): StoreUnavailableError {
  return new StoreUnavailableError('The store is closed')
}

/** LMDB hides the reason of a failed commit in a promise of its own, which must be taken up or it ends the process. */
export async function commitErrorOf(error: unknown): Promise<unknown> {
  const commitError = (error as { commitError?: Promise<never> } | undefined)?.commitError
  if (!commitError) return error
  return commitError.catch((cause: unknown) => cause)
}

/** Whether LMDB threw it: its errors carry a number. */
export function isFromLmdb(error: unknown): boolean {
  return typeof (error as { code?: unknown } | undefined)?.code === 'number'
}

/** LMDB's MDB_READERS_FULL: nothing is wrong with the store. */
const READERS_FULL = -30790

/** Reads; what LMDB then throws means that its pages cannot be followed. */
export function readOrCorrupt<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!isFromLmdb(cause)) throw cause
    const { code, message } = cause as Error & { code: number }
    if (code === READERS_FULL) throw new StoreUnavailableError(`The store cannot be read: ${message}`, { cause })
    throw new StoreCorruptError(`The store cannot be read: ${message}`, { cause })
  }
}

/** No space on the disk, in the quota, in the file or in the map. */
const LACK_OF_SPACE = new Set([27, 28, 122, -30792])

function isForLackOfSpace(folder: string, cause: unknown): boolean {
  const code = codeOf(cause)
  return code !== undefined && (LACK_OF_SPACE.has(code) || (code === 5 && isFull(folder)))
}

function reasonOf(folder: string, cause: unknown): string {
  const code = codeOf(cause)
  if (code === 5 && isFull(folder)) return 'the disk is full'
  const message = cause instanceof Error ? cause.message : String(cause)
  return (code !== undefined && REASONS.get(code)) || message
}

function codeOf(cause: unknown): number | undefined {
  const code = (cause as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? NAMED_CODES.get(code) : typeof code === 'number' ? code : undefined
}

function isFull(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize < FREE_BYTES_MIN
  } catch {
    return false
  }
}
