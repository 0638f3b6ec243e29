// Writing to the log on behalf of a call: what is common to both ways of appending, to deleting and to tombstones.
import type { ProposedEvent } from '../../log/event.js'
import type { AppendResult } from '../../log/event-store.js'
import type { ServerContext } from '../server-context.js'
import { endOfLog } from './end-of-log.js'
import type { Expectation } from './identifiers.js'

/**
 * Appends, and answers at the latest after the server's commit timeout or `ms`: then the outcome is unknown, and the append may be
 * written yet. The store is called before this returns, so appends reach it in the order of these calls.
 */
export async function appendInTime(
  { store, commitTimeoutMs }: ServerContext,
  request: { readonly stream: string; readonly events: readonly ProposedEvent[]; readonly expectation: Expectation },
  ms = Number.POSITIVE_INFINITY,
): Promise<AppendResult> {
  const { stream, events, expectation } = request
  const appending = store.append(stream, events, expectation.revision)
  const result = await inTime(appending, Math.min(ms, commitTimeoutMs))
  if (result.kind !== 'appended' || result.position || events.length > 0) return result
  // An empty append takes no place in the log; clients are given the place up to which it looked.
  const position = await endOfLog(store)
  return position ? { ...result, position } : result
}

/** The result of a write, or `unknown` after so many milliseconds. */
export async function inTime<Result>(
  writing: Promise<Result>,
  ms: number,
): Promise<Result | Extract<AppendResult, { kind: 'unknown' }>> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Extract<AppendResult, { kind: 'unknown' }>>((resolve) => {
    timer = setTimeout(() => resolve({ kind: 'unknown', message: `No answer from the store in ${ms} ms` }), ms)
  })
  try {
    return await Promise.race([writing, late])
  } finally {
    clearTimeout(timer)
  }
}
