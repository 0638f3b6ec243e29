// What writes the operations of a workload into a store, whichever way the store allows.
import type { AppendResult } from '../log/event-store.js'
import type { RestoreResult } from '../log/restorable-store.js'
import type { Operation } from './operation.js'

export interface OperationWriter {
  /** How many operations it takes together. */
  readonly length: number
  /** Takes operations up; the last ones may still be under way. */
  write(operations: readonly Operation[]): Promise<void>
  /** Resolves when everything is in the store. */
  written(): Promise<void>
}

/** Operations did not go through. */
export class WorkloadWriteError extends Error {
  override readonly name = 'WorkloadWriteError'
  constructor(
    readonly stream: string,
    readonly result: AppendResult | RestoreResult,
  ) {
    super(`${stream} could not be written: ${JSON.stringify(result)}`)
  }
}

const TRIES_MAX = 5

/** In doubt the identical request is made again: same ids, same guard. */
export async function settle<Result extends { readonly kind: string }>(write: () => Promise<Result>): Promise<Result> {
  let result = await write()
  for (let tries = 1; tries < TRIES_MAX && result.kind === 'unknown'; tries += 1) result = await write()
  return result
}
