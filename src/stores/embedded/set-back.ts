// LMDB keeps the number of the last commit in memory that all processes share. Each process that opens the store writes there what it read
// in the data file a moment before, under no lock (mdb_env_open2 in mdb.c): a commit in between is then behind the number, and the next
// transaction would begin before it and overwrite it. Here that is noticed before anything is written, and put right.
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import type { RootDatabase } from 'lmdb'

/** The transaction began before the last commit. Nothing was written. */
export class SetBackError extends Error {
  override readonly name = 'SetBackError'
}

/** Looks at every transaction of a process before its first write. */
export class SetBackGuard {
  readonly #folder: string
  #bringing: Promise<void> | undefined

  constructor(folder: string) {
    this.#folder = folder
  }

  /** To be called inside a write transaction. Throws SetBackError. */
  requireLatest(root: RootDatabase<Buffer, Buffer>): void {
    const id = root.getWriteTxnId()
    // From the data file, and not from the number that is shared.
    const { lastTxnId } = root.getStats() as { lastTxnId: number }
    if (id !== lastTxnId + 1) throw new SetBackError(`transaction ${id} begins before ${lastTxnId}`)
  }

  /**
   * Puts the number right: as long as it is wrong nobody commits, so whoever opens the store now reads the last commit and writes its number.
   * It must be another process: in this one the store is open.
   */
  bringForward(): Promise<void> {
    this.#bringing ??= openElsewhere(this.#folder).finally(() => {
      this.#bringing = undefined
    })
    return this.#bringing
  }
}

const OPEN = 'require(process.argv[1]).open({ path: process.argv[2], noSubdir: false, readOnly: true }).close()'
const TIME_MAX_MS = 30_000

/** Resolves also where it fails: the next transaction finds out. */
function openElsewhere(folder: string): Promise<void> {
  const driver = createRequire(import.meta.url).resolve('lmdb')
  return new Promise((resolve) => {
    execFile(process.execPath, ['-e', OPEN, driver, folder], { timeout: TIME_MAX_MS }, () => resolve())
  })
}
