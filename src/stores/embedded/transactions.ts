// Write transactions: a decision and what it writes happen in one, and it is told as done once it is on disk. Those that wait
// at the same time share a commit; each is rolled back alone if it throws.
import type { LogView, PlannedRecord } from '../append-decision.js'
import { IdCache } from '../id-cache.js'
import { commitErrorOf, isFromLmdb, unavailable } from './errors.js'
import { LogReader } from './log-reader.js'
import { viewOf, type Written, writeRecords } from './log-writer.js'
import { SetBackError, SetBackGuard } from './set-back.js'
import type { Tables } from './tables.js'

/** How often a transaction is begun anew that other processes keep setting back by opening the store. */
const TRIES_MAX = 20

/** What may be done inside a transaction. Once `write` was called the view is of the past. */
export interface Transaction {
  readonly view: LogView
  readonly reader: LogReader
  /** Writes records and gives their places. At most once. */
  write(records: readonly PlannedRecord[]): readonly number[]
}

/** Done and on disk; `written` is undefined where nothing had to be written. */
export type Outcome<Result> =
  | { readonly kind: 'done'; readonly result: Result; readonly written: Written | undefined }
  /** The commit failed, and yet the records can be read: they may or may not outlive a restart. */
  | { readonly kind: 'unknown'; readonly message: string; readonly cause: unknown }

export class Transactions {
  readonly #folder: string
  readonly #clock: () => number
  readonly #ids = new IdCache()
  readonly #guard: SetBackGuard

  constructor(folder: string, clock: () => number) {
    this.#folder = folder
    this.#clock = clock
    this.#guard = new SetBackGuard(folder)
  }

  /** Throws what `work` throws, and StoreUnavailableError where nothing could be written. */
  async run<Result>(tables: Tables, work: (transaction: Transaction) => Result): Promise<Outcome<Result>> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#runOnce(tables, work)
      } catch (error) {
        if (!(error instanceof SetBackError)) throw error
        if (tries === TRIES_MAX) throw unavailable(this.#folder, 'cannot be written', error)
        await this.#guard.bringForward()
      }
    }
  }

  async #runOnce<Result>(tables: Tables, work: (transaction: Transaction) => Result): Promise<Outcome<Result>> {
    let written: Written | undefined
    let thrown: { readonly error: unknown } | undefined
    try {
      const result = await tables.root.childTransaction(() => {
        const ids = this.#ids
        // A reader of its own: what it learns of streams must not outlive a transaction that fails.
        const reader = new LogReader(tables)
        const write = (records: readonly PlannedRecord[]) => {
          written = writeRecords({ tables, reader, ids }, records, this.#clock())
          return written.places
        }
        try {
          this.#guard.requireLatest(tables.root)
          return work({ view: viewOf(reader, ids), reader, write })
        } catch (error) {
          thrown = { error }
          throw error
        }
      })
      return { kind: 'done', result, written }
    } catch (error) {
      this.#forget(written)
      const cause = await commitErrorOf(error)
      if (thrown && !isFromLmdb(thrown.error)) throw thrown.error
      return this.#settleFailure(tables, written, thrown ? thrown.error : cause)
    }
  }

  #forget(written: Written | undefined): void {
    for (const [id, place] of written?.remembered ?? []) this.#ids.forget(id, place)
  }

  #settleFailure(tables: Tables, written: Written | undefined, cause: unknown): Outcome<never> {
    const error = unavailable(this.#folder, 'cannot be written', cause)
    if (!written || !isVisible(tables, written)) throw error
    return { kind: 'unknown', message: error.message, cause }
  }
}

/** Whether the first record of a failed transaction can be read all the same. */
function isVisible(tables: Tables, { places, remembered }: Written): boolean {
  const reader = new LogReader(tables)
  reader.refresh()
  const [first] = places
  const [id, at] = remembered[0] ?? []
  return first !== undefined && at !== undefined && reader.eventAt(at.stream, at.revision)?.id === id
}
