// Waiting that can be ended: a timer left behind would keep the process from ending.
import { setTimeout as sleep } from 'node:timers/promises'

/** Waits so many milliseconds, or until the signal is aborted. */
export async function pauseUnless(signal: AbortSignal, ms: number): Promise<void> {
  if (signal.aborted) return
  try {
    await sleep(ms, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
