// Subscriptions over any home: read on to the end, say so, wait for a change, read on. Nothing is read ahead of the consumer.
import { setMaxListeners } from 'node:events'
import type { EventBatch, RecordedEvent } from '../log/event.js'
import type { EventFilter, SubscriptionMessage } from '../log/event-store.js'
import { comparePositions, type Position } from '../log/position.js'
import type { Revision } from '../log/revision.js'
import { StreamTombstonedError } from '../log/store-errors.js'

/** What a home offers to subscriptions. Its readings answer at once, so that no change comes between one and the waiting. */
export interface SubscriptionSource {
  /** The readable events of a stream above a revision, also below a tombstone: a bounded run, empty where there are none (yet). */
  eventsAbove(stream: string, after: Revision | -1): readonly RecordedEvent[]
  /** The `$streamDeleted` event; `closed`: tombstoned with no event to show. */
  tombstoneOf(stream: string): RecordedEvent | 'closed' | undefined
  /** The last revision that is taken, -1 where there is none. */
  lastRevisionOf(stream: string): Revision | -1
  /** Throws InvalidPositionError where the position is inside the log and no record stands there. */
  checkPosition(position: Position): void
  /** A bounded run of the log after a position (from the start without one), undefined at the end. */
  recordsAfter(after: Position | undefined, filter: EventFilter | undefined): EventBatch | undefined
  /** The last record's position, undefined where there is none. */
  lastPosition(): Position | undefined
  /** Waits for a change of the stream, or of any. Resolves too when the signal is aborted. */
  nextChange(stream: string | undefined, signal: AbortSignal): Promise<void>
}

interface Subscription {
  readonly source: SubscriptionSource
  /** Aborted: the iterable ends. */
  readonly signal: AbortSignal
}

const CAUGHT_UP: SubscriptionMessage = { kind: 'caughtUp' }

/** EventStore.subscribeToStream over a home. */
export async function* followStream(
  { source, signal }: Subscription,
  stream: string,
  from: Revision | 'start' | 'end',
): AsyncGenerator<SubscriptionMessage, void, undefined> {
  if (source.tombstoneOf(stream)) throw new StreamTombstonedError(stream)
  let after = startRevision(source, stream, from)
  const pace = new Pace()
  while (!signal.aborted) {
    const events = source.eventsAbove(stream, after)
    const last = events.at(-1)
    if (last) {
      after = last.revision
      pace.read()
      yield { kind: 'events', events }
      continue
    }
    // No await, and no `yield*`, may stand between these readings and the waiting: a change in between would be lost.
    const tombstone = source.tombstoneOf(stream)
    if (tombstone) {
      if (tombstone !== 'closed') yield { kind: 'events', events: [tombstone] }
      throw new StreamTombstonedError(stream)
    }
    if (pace.reachedEnd()) yield CAUGHT_UP
    else await source.nextChange(stream, signal).then(() => pace.woken())
  }
}

function startRevision(source: SubscriptionSource, stream: string, from: Revision | 'start' | 'end'): Revision | -1 {
  if (from === 'start') return -1
  return from === 'end' ? source.lastRevisionOf(stream) : from
}

/** EventStore.subscribeToAll over a home. */
export async function* followAll(
  { source, signal }: Subscription,
  from: Position | 'start' | 'end',
  filter: EventFilter | undefined,
): AsyncGenerator<SubscriptionMessage, void, undefined> {
  if (typeof from === 'object') source.checkPosition(from)
  let after = from === 'start' ? undefined : from === 'end' ? source.lastPosition() : from
  const pace = new Pace()
  while (!signal.aborted) {
    const batch = source.recordsAfter(after, filter)
    if (batch) {
      after = batch.position
      pace.read()
      yield* messagesOf(batch, filter)
    } else if (pace.reachedEnd()) yield CAUGHT_UP
    else await source.nextChange(undefined, signal).then(() => pace.woken())
  }
}

function* messagesOf(batch: EventBatch, filter: EventFilter | undefined): Generator<SubscriptionMessage> {
  const last = batch.events.at(-1)
  if (last) yield { kind: 'events', events: batch.events }
  const beyond = !last || comparePositions(last.position, batch.position) < 0
  if (filter && beyond) yield { kind: 'checkpoint', position: batch.position }
}

/** Tells when `caughtUp` is due: on reaching the end first, and again after a wake-up that took more than one run to read. */
class Pace {
  #due = true
  #runs = 0

  read(): void {
    this.#runs += 1
    if (this.#runs > 1) this.#due = true
  }

  woken(): void {
    this.#runs = 0
  }

  /** Whether the end now reached is to be told; once. */
  reachedEnd(): boolean {
    const due = this.#due
    this.#due = false
    return due
  }
}

/**
 * Lets a consumer leave a generator that waits: leaving aborts the signal that the generator was given, as do `parents`. A bare
 * generator would put off its `return` until the wait is over, which may be never.
 */
export function leavable<T>(
  parents: readonly (AbortSignal | undefined)[],
  follow: (signal: AbortSignal) => AsyncGenerator<T, void, undefined>,
): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: () => iterate(parents, follow) }
}

function iterate<T>(
  parents: readonly (AbortSignal | undefined)[],
  follow: (signal: AbortSignal) => AsyncGenerator<T, void, undefined>,
): AsyncIterator<T, void, undefined> {
  const own = new AbortController()
  // Any number of subscriptions may hang on one signal; Node would warn of a leak from eleven on.
  for (const parent of parents) if (parent) setMaxListeners(0, parent)
  const end = () => {
    own.abort()
    for (const parent of parents) parent?.removeEventListener('abort', end)
  }
  for (const parent of parents) {
    if (parent?.aborted) own.abort()
    parent?.addEventListener('abort', end)
  }
  const generator = follow(own.signal)
  return {
    next: () => endWhenDone(generator.next(), end),
    return: () => {
      end()
      return generator.return()
    },
  }
}

async function endWhenDone<T>(
  next: Promise<IteratorResult<T, void>>,
  end: () => void,
): Promise<IteratorResult<T, void>> {
  try {
    const result = await next
    if (result.done) end()
    return result
  } catch (error) {
    end()
    throw error
  }
}
