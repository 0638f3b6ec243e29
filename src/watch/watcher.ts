// The inputs of a session, from where they come: the subscription (connected again whenever it ends), deadlines, timers, and the wish to end.
// They are merged into one line and handled one after the other.
import {
  BehaviorSubject,
  concatMap,
  interval,
  lastValueFrom,
  map,
  merge,
  NEVER,
  Observable,
  switchMap,
  takeWhile,
  tap,
  timer,
} from 'rxjs'
import { eventAt } from '../engine/cut.js'
import type { Projection } from '../engine/projection.js'
import type { EventFilter, EventStore, SubscriptionMessage } from '../log/event-store.js'
import { InvalidPositionError, StoreUnavailableError } from '../log/store-errors.js'
import { prefixesOf } from '../log/stream.js'
import type { WatchSource } from './detection.js'
import { pauseUnless } from './pause.js'
import type { Session } from './session.js'
import type { Outcome } from './session-options.js'
import { isCurrent, type WatchEvent } from './watch-state.js'

export interface WatcherOptions {
  readonly store: EventStore
  readonly projection: Projection
  /** Left out: the projection's own events. */
  readonly source?: WatchSource
  readonly clock: () => number
  /** How often a checkpoint is saved while there is something to save. */
  readonly checkpointMs: number
  /** How often open alerts are told of again. */
  readonly remindMs: number
  /** How often it looks around though nothing is due. */
  readonly heartbeatMs: number
  /** The first pause before connecting again; it doubles, up to a minute. */
  readonly retryMs: number
  /** Ends the session once it has come to the log's end. */
  readonly once?: boolean
}

/** The log is no longer the one that was read: the event last taken in does not stand where it stood. */
export class LogChangedError extends Error {
  override readonly name = 'LogChangedError'
}

type Input =
  | { readonly kind: 'message'; readonly message: SubscriptionMessage }
  | { readonly kind: 'connection'; readonly event: WatchEvent }
  | { readonly kind: 'begin' | 'tick' | 'save' | 'remind' | 'drain' | 'lost' }

const RETRY_MAX_MS = 60_000
/** Timers cannot be set for longer than 2^31 ms. */
const TIMER_MAX_MS = 3_600_000

/**
 * Runs a session until it is drained, or another process watches under its name. `drain` and `lost` are the wish to end and the loss of the
 * lease. Throws StoreUnavailableError where what was written is not known, LogChangedError, and what rules throw.
 */
export async function runSession(
  session: Session,
  options: WatcherOptions,
  { drain, lost }: { drain: AbortSignal; lost: AbortSignal },
): Promise<Exclude<Outcome, 'on'>> {
  const moments = new BehaviorSubject(session.nextMoment())
  const inputs = merge(
    pulled((ending) => connect(session, options, ending)),
    moments.pipe(switchMap((moment) => timerAt(moment, session))).pipe(map((): Input => ({ kind: 'tick' }))),
    interval(options.heartbeatMs).pipe(map((): Input => ({ kind: 'tick' }))),
    interval(options.checkpointMs).pipe(map((): Input => ({ kind: 'save' }))),
    interval(Math.min(options.remindMs, 2 ** 31 - 1)).pipe(map((): Input => ({ kind: 'remind' }))),
    aborted(drain).pipe(map((): Input => ({ kind: 'drain' }))),
    aborted(lost).pipe(map((): Input => ({ kind: 'lost' }))),
  )
  const about = { once: options.once === true, ending: AbortSignal.any([drain, lost]) }
  const outcomes = inputs.pipe(
    concatMap((input) =>
      'release' in input ? handleAndRelease(session, input, about) : handle(session, input, about),
    ),
    tap(() => moments.next(session.nextMoment())),
    takeWhile((outcome) => outcome === 'on', true),
  )
  const last = await lastValueFrom(outcomes)
  return last === 'on' ? 'taken' : last
}

interface HandledIn {
  readonly once: boolean
  /** Aborted: what is long is broken off. */
  readonly ending: AbortSignal
}

async function handleAndRelease(session: Session, { item, release }: Pulled<Input>, about: HandledIn) {
  const outcome = await handle(session, item, about)
  release()
  return outcome
}

async function handle(session: Session, input: Input, { once, ending }: HandledIn): Promise<Outcome> {
  switch (input.kind) {
    case 'begin':
      return session.begin(ending)
    case 'message': {
      const outcome = await session.message(input.message)
      const isDone = once && input.message.kind === 'caughtUp' && isCurrent(session.state)
      return outcome === 'on' && isDone ? session.drain() : outcome
    }
    case 'connection':
      session.enter(input.event)
      return 'on'
    case 'tick':
      return session.tick()
    case 'save':
      return session.save()
    case 'remind':
      return session.remind()
    case 'drain':
      return session.drain()
    case 'lost':
      session.enter('ended')
      return 'taken'
  }
}

/** The subscription, from the last event taken in on; connected again after a pause whenever it ends, with an error or without. */
async function* connect(
  session: Session,
  options: WatcherOptions,
  ending: AbortSignal,
): AsyncGenerator<Input, void, undefined> {
  const { store, retryMs } = options
  const filter = filterOf(options)
  for (let pause = retryMs; !ending.aborted; pause = Math.min(2 * pause, RETRY_MAX_MS)) {
    try {
      await requirePlace(session, store)
      yield { kind: 'connection', event: 'subscribed' }
      yield { kind: 'begin' }
      for await (const message of store.subscribeToAll({
        after: session.position ?? 'start',
        filter,
        signal: ending,
      })) {
        if (message.kind === 'caughtUp') pause = retryMs
        yield { kind: 'message', message }
      }
    } catch (error) {
      if (error instanceof InvalidPositionError) throw new LogChangedError(error.message, { cause: error })
      if (!(error instanceof StoreUnavailableError)) throw error
    }
    yield { kind: 'connection', event: 'disconnected' }
    await pauseUnless(ending, pause)
  }
}

function filterOf({ projection, source }: Pick<WatcherOptions, 'projection' | 'source'>): EventFilter {
  return { streamPrefixes: source?.streamPrefixes ?? prefixesOf(projection.categories) }
}

/** A store may have been restored, or a server's leader changed, to a log without the event that was read last. */
async function requirePlace({ position, eventId }: Session, store: EventStore): Promise<void> {
  if (position && (await eventAt(store, position))?.id !== eventId) {
    throw new LogChangedError(`Event ${eventId} does not stand where it was read`)
  }
}

interface Pulled<T> {
  readonly item: T
  /** The next one is not asked for before this was called. */
  release(): void
}

/** An async iterable as an observable that does not run ahead of its consumer. */
function pulled<T>(open: (ending: AbortSignal) => AsyncIterable<T>): Observable<Pulled<T>> {
  return new Observable((subscriber) => {
    const ending = new AbortController()
    let releaseLast = () => {}
    const offer = (item: T) =>
      new Promise<void>((release) => {
        releaseLast = release
        subscriber.next({ item, release })
      })
    const pump = async () => {
      for await (const item of open(ending.signal)) {
        await offer(item)
        if (ending.signal.aborted) return
      }
      subscriber.complete()
    }
    pump().catch((error: unknown) => subscriber.error(error))
    return () => {
      ending.abort()
      releaseLast()
    }
  })
}

function timerAt(moment: number | undefined, { now }: Session): Observable<unknown> {
  if (moment === undefined) return NEVER
  // One more, because a timer may come a fraction of a millisecond early.
  return timer(Math.min(Math.max(0, moment - now) + 1, TIMER_MAX_MS))
}

function aborted(signal: AbortSignal): Observable<void> {
  return new Observable((subscriber) => {
    const tell = () => subscriber.next()
    if (signal.aborted) tell()
    signal.addEventListener('abort', tell)
    return () => signal.removeEventListener('abort', tell)
  })
}
