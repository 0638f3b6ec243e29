// A write to its end: in doubt the identical request is made again, which the store knows as a retry.
import { StoreUnavailableError } from '../log/store-errors.js'

const TRIES_MAX = 5

/** The result of a write that is known. `what` names it. Throws StoreUnavailableError where it stays unknown. */
export async function settleWrite<Result extends { readonly kind: string }>(
  what: string,
  write: () => Promise<Result | { readonly kind: 'unknown'; readonly message: string; readonly cause?: unknown }>,
): Promise<Exclude<Result, { readonly kind: 'unknown' }>> {
  for (let tries = 1; ; tries += 1) {
    const result = await write()
    if (result.kind !== 'unknown') return result as Exclude<Result, { readonly kind: 'unknown' }>
    if (tries < TRIES_MAX) continue
    const { message, cause } = result as { readonly message: string; readonly cause?: unknown }
    throw new StoreUnavailableError(`${what}: ${message}; run it again to go on`, { cause })
  }
}
