// Files that commands write: whole or not at all.
import { randomUUID } from 'node:crypto'
import { fstatSync } from 'node:fs'
import { open, readFile, rename, rm, stat } from 'node:fs/promises'

/** A file that could not be read or written: which, and why. */
export class FileError extends Error {
  override readonly name = 'FileError'
}

/** Writes a file beside its place, syncs it and moves it there, so that nobody ever sees half of it. Throws FileError. */
export async function writeWhole(path: string, pieces: Iterable<string>): Promise<void> {
  const beside = `${path}.${randomUUID()}.tmp`
  try {
    const file = await open(beside, 'wx')
    try {
      for (const text of gathered(pieces)) await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {})
    throw new FileError(`${path}: cannot be written: ${reasonOf(error)}`, { cause: error })
  }
}

const PIECE_LENGTH = 1 << 20

/** Pieces put together, so that not each small one is a write. */
function* gathered(pieces: Iterable<string>): Iterable<string> {
  let text = ''
  for (const piece of pieces) {
    text += piece
    if (text.length < PIECE_LENGTH) continue
    yield text
    text = ''
  }
  yield text
}

/** Whether two names lead to one file, however it is spelled or linked to; `-` is standard input. A file that is not there is no other. */
export async function isSameFile(a: string, b: string): Promise<boolean> {
  const [left, right] = await Promise.all([a, b].map(identityOf))
  return left !== undefined && left === right
}

async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = path === '-' ? fstatSync(0, { bigint: true }) : await stat(path, { bigint: true })
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}

/** Reads a text file. Throws FileError. */
export async function readWhole(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new FileError(`${path}: cannot be read: ${reasonOf(error)}`, { cause: error })
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'no right to',
  EISDIR: 'it is a folder',
  ENOSPC: 'the disk is full',
  EROFS: 'the disk is read-only',
  EDQUOT: 'the quota is used up',
}

/** Why a file could not be read or written, for a person. */
export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  return REASONS[code] ?? (error instanceof Error ? error.message : String(error))
}
