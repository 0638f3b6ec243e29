// A watch as a whole: it takes the lease of its name, runs sessions as long as it holds it, and stands by while another process does.
import { StoreUnavailableError } from '../log/store-errors.js'
import { acquireLease, type HeldLease } from './lease.js'
import { pauseUnless } from './pause.js'
import { Session } from './session.js'
import type { Outcome, SessionOptions } from './session-options.js'
import { LogChangedError, runSession, type WatcherOptions } from './watcher.js'

export interface WatchOptions extends SessionOptions, WatcherOptions {
  /** Who this process is: another text for each. */
  readonly holder: string
  /** After so much silence of the holder another process takes over. */
  readonly leaseSilenceMs: number
  /** Milliseconds of a steady clock. */
  readonly steadyClock: () => number
  /** The store was reached before: an outage is waited for from the beginning. */
  readonly wasReached?: boolean
  /** Aborted: the watch drains and ends. */
  readonly signal: AbortSignal
  /** Another process watches under this name; it is waited for. */
  readonly onStandby: (holder: string) => void
  /** A session has begun, and what it knows can be looked at; undefined: it has ended. */
  readonly onSession?: (session: Session | undefined) => void
  /** What goes on beside the watch while it holds the lease (a webhook, repairs). It ends when the signal is aborted, and is waited for. */
  readonly beside?: (ending: AbortSignal) => Promise<void>
  /** The store cannot be reached or what was written is not known; it is tried again. */
  readonly onTrouble: (error: Error) => void
}

/**
 * Watches until the signal is aborted, or with `once` until the log's end. Throws CheckpointRefusedError, StoreUnavailableError where the store
 * cannot be reached at the beginning, and what rules throw.
 */
export async function watch(options: WatchOptions): Promise<void> {
  const { signal } = options
  // Once a session has run, a store that cannot be reached is waited for.
  const history = { hasRun: options.wasReached ?? false, mustStartAnew: options.fromStart ?? false }
  for (let outcome: Outcome = 'on'; outcome !== 'drained' && !signal.aborted; ) {
    const lease = await untilReachable(options, history, () =>
      acquireLease({ ...options, silenceMs: options.leaseSilenceMs }, options),
    )
    if (!lease) return
    outcome = await runUnderLease(options, history, lease).finally(() => giveBack(lease))
  }
}

interface History {
  hasRun: boolean
  /** Until a checkpoint was saved, the one that is there must not be gone on from. */
  mustStartAnew: boolean
}

async function runUnderLease(options: WatchOptions, history: History, lease: HeldLease): Promise<Outcome> {
  const ending = new AbortController()
  const beside = options.beside?.(ending.signal)
  try {
    return await runSessions(options, history, lease)
  } finally {
    ending.abort()
    await beside
  }
}

async function runSessions(options: WatchOptions, history: History, { lost }: HeldLease): Promise<Outcome> {
  const { signal: drain } = options
  let outcome: Outcome = 'on'
  while (outcome === 'on' && !lost.aborted && !drain.aborted) {
    outcome = (await untilReachable(options, history, () => runOnce(options, history, { drain, lost }))) ?? 'on'
  }
  return lost.aborted ? 'taken' : outcome
}

async function runOnce(
  options: WatchOptions,
  history: History,
  signals: { drain: AbortSignal; lost: AbortSignal },
): Promise<Outcome> {
  const session = await Session.open({ ...options, fromStart: history.mustStartAnew })
  history.hasRun = true
  options.onSession?.(session)
  try {
    return await runSession(session, options, signals)
  } catch (error) {
    if (!(error instanceof LogChangedError)) throw error
    options.onTrouble(error)
    await pauseUnless(options.signal, options.retryMs)
    return 'on'
  } finally {
    options.onSession?.(undefined)
    if (session.hasSaved) history.mustStartAnew = false
  }
}

/** Tries again, after growing pauses, while the store cannot be reached; undefined once the watch is to end. */
async function untilReachable<T>(
  { signal, retryMs, onTrouble }: WatchOptions,
  history: History,
  run: () => Promise<T>,
): Promise<T | undefined> {
  for (let pause = retryMs; ; pause = Math.min(2 * pause, RETRY_MAX_MS)) {
    try {
      return await run()
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || !history.hasRun) throw error
      onTrouble(error)
      await pauseUnless(signal, pause)
      if (signal.aborted) return undefined
    }
  }
}

const RETRY_MAX_MS = 60_000

/** A lease that cannot be given back runs out by itself. */
async function giveBack(lease: HeldLease): Promise<void> {
  try {
    await lease.release()
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error
  }
}
