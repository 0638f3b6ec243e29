// A file written piece by piece that appears whole or not at all, packed where its name ends in `.gz`.
import { randomUUID } from 'node:crypto'
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { FileError, reasonOf } from './files.js'

const pack = promisify(gzip)

export interface WholeFile {
  write(text: string): Promise<void>
  /** Puts the file in its place, durably. */
  finish(): Promise<void>
  /** Leaves nothing behind; does nothing once the file is finished. */
  discard(): Promise<void>
}

/**
 * Begins a file beside its place; what stands there stays until the new one is finished. A link is followed. Throws FileError, also where
 * something else than an ordinary file stands there, and so do the file's own calls.
 */
export async function openWholeFile(path: string): Promise<WholeFile> {
  try {
    const place = await placeOf(path)
    const beside = `${place}.${randomUUID()}.tmp`
    return new FileBeside({ path, place, beside }, await open(beside, 'wx'))
  } catch (error) {
    throw failure(path, error)
  }
}

async function placeOf(path: string): Promise<string> {
  try {
    if (!(await stat(path)).isFile()) throw new FileError(`${path}: cannot be written: it is no ordinary file`)
    return await realpath(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return path
    throw error
  }
}

interface Paths {
  /** As it was asked for. */
  readonly path: string
  readonly place: string
  readonly beside: string
}

class FileBeside implements WholeFile {
  readonly #paths: Paths
  #file: FileHandle | undefined
  #isEmpty = true

  constructor(paths: Paths, file: FileHandle) {
    this.#paths = paths
    this.#file = file
  }

  async write(text: string): Promise<void> {
    try {
      this.#isEmpty = false
      // Each piece is packed by itself: gzip files may follow each other in one file.
      await this.#file?.appendFile(this.#paths.place.endsWith('.gz') ? await pack(text) : text)
    } catch (error) {
      throw failure(this.#paths.path, error)
    }
  }

  async finish(): Promise<void> {
    // Without any bytes a packed file would be a damaged one.
    if (this.#isEmpty) await this.write('')
    const { path, place, beside } = this.#paths
    try {
      await this.#file?.sync()
      await this.#close()
      await rename(beside, place)
      await syncFolder(dirname(place))
    } catch (error) {
      throw failure(path, error)
    }
  }

  async discard(): Promise<void> {
    await this.#close()
    await rm(this.#paths.beside, { force: true })
  }

  async #close(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
  }
}

/** A name is durable only when its folder is. */
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

function failure(path: string, error: unknown): FileError {
  if (error instanceof FileError) return error
  return new FileError(`${path}: cannot be written: ${reasonOf(error)}`, { cause: error })
}
