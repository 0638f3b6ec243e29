// The tables of the store: opening LMDB in a folder, telling our folders from others by their layout's version.
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import { StoreUnavailableError } from '../../log/store-errors.js'
import { unavailable } from './errors.js'

/** Raised whenever the bytes on disk change their meaning. */
export const LAYOUT_VERSION = 1

/**
 * A value read from a table of views stands in a buffer that the next reading overwrites. Whoever keeps it copies it.
 */
export interface Tables {
  readonly root: RootDatabase<Buffer, Buffer>
  /** Events by position; read as views. */
  readonly log: Database<Buffer, number>
  /** Positions (8 bytes) by stream and revision; read as views. */
  readonly index: Database<Buffer, Buffer>
  /** Heads by name; see keys.ts. */
  readonly heads: Database<Buffer, Buffer>
  /** Names by stream number. */
  readonly names: Database<Buffer, Buffer>
  /** The log's end, under {@link TAIL_KEY}. */
  readonly tail: Database<Buffer, Buffer>
}

export const TAIL_KEY = Buffer.from('tail')

const LAYOUT_KEY = Buffer.from('layout')
const LAYOUT = /^makegood embedded store, layout (\d+)$/

// LMDB ends the process on a data file that is none, so its first page is looked at before: magic number and format.
const MAGIC = Buffer.from('dec0efbe02000000', 'hex')
const MAGIC_START = 24

/** LMDB's name of the file that holds everything. */
export const DATA_FILE = 'data.mdb'
const LOCK_FILE = 'lock.mdb'

/** What a folder is: no folder or an empty one, a store (of some version), or something else. */
export type FolderKind = 'none' | 'store' | 'foreign'

/** Looks without changing anything. Throws StoreUnavailableError where the folder cannot be read. */
export function kindOfFolder(folder: string): FolderKind {
  try {
    if (!existsSync(folder)) return 'none'
    const files = readdirSync(folder)
    // A making that was cut short leaves an empty data file or only the lock.
    const data = join(folder, DATA_FILE)
    if (files.includes(DATA_FILE) && statSync(data).size > 0) return isLmdb(data) ? 'store' : 'foreign'
    return files.every((file) => file === LOCK_FILE || file === DATA_FILE) ? 'none' : 'foreign'
  } catch (cause) {
    throw unavailable(folder, 'cannot be read', cause)
  }
}

/** The refusal of a folder that holds something else. */
export function foreignFolder(folder: string): StoreUnavailableError {
  return new StoreUnavailableError(`${folder} holds something else than a Makegood store, or a damaged one`)
}

function isLmdb(path: string): boolean {
  const descriptor = openSync(path, 'r')
  try {
    const found = Buffer.alloc(MAGIC.length)
    readSync(descriptor, found, 0, found.length, MAGIC_START)
    return found.equals(MAGIC)
  } finally {
    closeSync(descriptor)
  }
}

/** Opens the store in a folder that holds one. */
export function openTables(folder: string, { readOnly }: { readOnly: boolean }): Tables {
  if (kindOfFolder(folder) === 'foreign') throw foreignFolder(folder)
  const root = openRoot(folder, readOnly)
  try {
    if (!readOnly) markLayout(folder, root)
    checkLayout(folder, root)
    return openEach(folder, root)
  } catch (error) {
    void root.close()
    throw error
  }
}

/** Makes the folder and the store in it, such that both outlive a loss of power. */
export function makeTables(folder: string): Tables {
  try {
    const first = mkdirSync(folder, { recursive: true })
    const tables = openTables(folder, { readOnly: false })
    // Files that were just made are found again only if the folders that name them are on disk too.
    const top = first === undefined ? resolve(folder) : dirname(first)
    for (let path = resolve(folder); ; path = dirname(path)) {
      syncFolder(path)
      if (path === top || path === dirname(path)) break
    }
    return tables
  } catch (cause) {
    throw cause instanceof StoreUnavailableError ? cause : unavailable(folder, 'cannot be made', cause)
  }
}

function openRoot(folder: string, readOnly: boolean): RootDatabase<Buffer, Buffer> {
  try {
    return open<Buffer, Buffer>({
      path: folder,
      noSubdir: false,
      readOnly,
      // With it an append would be acknowledged before it is on disk.
      overlappingSync: false,
      // With it a failed commit leaves a rejected promise that nobody can take up, which ends the process.
      eventTurnBatching: false,
      encoding: 'binary',
      keyEncoding: 'binary',
      maxDbs: 8,
    })
  } catch (cause) {
    throw unavailable(folder, 'cannot be opened as a store', cause)
  }
}

/** Writes the layout's version into a store that was just made: all at once, so that of several makers one does it. */
function markLayout(folder: string, root: RootDatabase<Buffer, Buffer>): void {
  try {
    root.transactionSync(() => {
      if (root.getKeysCount({ limit: 1 }) > 0) return
      root.putSync(LAYOUT_KEY, Buffer.from(`makegood embedded store, layout ${LAYOUT_VERSION}`))
    })
  } catch (cause) {
    throw unavailable(folder, 'cannot be written', cause)
  }
}

function checkLayout(folder: string, root: RootDatabase<Buffer, Buffer>): void {
  const found = LAYOUT.exec(root.get(LAYOUT_KEY)?.toString('utf8') ?? '')?.[1]
  if (found === undefined) throw foreignFolder(folder)
  if (Number(found) === LAYOUT_VERSION) return
  const remedy =
    Number(found) > LAYOUT_VERSION
      ? 'use the Makegood that wrote it, or a newer one'
      : 'export it with the Makegood that wrote it and import it with this one'
  throw new StoreUnavailableError(
    `${folder} is a store of layout ${found}, this program knows layout ${LAYOUT_VERSION}: ${remedy}`,
  )
}

function openEach(folder: string, root: RootDatabase<Buffer, Buffer>): Tables {
  const views = { encode: (value: Buffer) => value, decode: (bytes: Buffer) => bytes.subarray(0, bytes.length) }
  const openOne = <Key extends number | Buffer>(name: string, options: object): Database<Buffer, Key> => {
    const table: Database<Buffer, Key> | undefined = root.openDB(name, options)
    if (!table) throw new StoreUnavailableError(`${folder} is being made by another process: try again`)
    return table
  }
  const binary = { encoding: 'binary', keyEncoding: 'binary' } as const
  return {
    root,
    log: openOne<number>('log', { encoder: views, keyEncoding: 'ordered-binary' }),
    index: openOne<Buffer>('index', { encoder: views, keyEncoding: 'binary' }),
    heads: openOne<Buffer>('heads', binary),
    names: openOne<Buffer>('names', binary),
    tail: openOne<Buffer>('tail', binary),
  }
}

function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
