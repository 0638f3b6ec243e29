// Subscriptions that outlive their calls: what breaks off is subscribed to again after the last event given, and the consumer is told that it
// fell behind. "From the end" is made a place first, or what comes during the first cut would be lost.
import type { RecordedEvent } from '../../log/event.js'
import type { EventFilter, SubscriptionMessage } from '../../log/event-store.js'
import { comparePositions, type Position } from '../../log/position.js'
import { type Revision, TOMBSTONE_REVISION } from '../../log/revision.js'
import { StoreCorruptError, StreamTombstonedError } from '../../log/store-errors.js'
import { isStreamDeleted, readingError } from './errors.js'
import { readLog } from './log-reading.js'
import { type ReadContext, type Reading, readOn } from './read-call.js'
import { readStream } from './stream-reading.js'
import { logSubscriptionRequest, streamSubscriptionRequest } from './wire/read-request.js'

const CAUGHT_UP: SubscriptionMessage = { kind: 'caughtUp' }
const FELL_BEHIND: SubscriptionMessage = { kind: 'fellBehind' }

type Messages = AsyncGenerator<SubscriptionMessage, void, undefined>

/** EventStore.subscribeToStream. Ends when the signal is aborted. */
export async function* followStream(
  context: ReadContext,
  stream: string,
  { after, signal }: { readonly after: Revision | 'start' | 'end'; readonly signal: AbortSignal },
): Messages {
  try {
    let place = after === 'end' ? await lastRevision(context, stream, signal) : after
    const request = () => streamSubscriptionRequest(stream, place)
    yield* follow(readOn(context, { request, purpose: 'bulk', signal, live: true }), (events) => {
      for (const { revision } of events) {
        if (place !== 'start' && revision <= place) throw outOfOrder(stream, revision)
        place = revision
      }
    })
  } catch (error) {
    if (signal.aborted) return
    if (isStreamDeleted(error)) throw new StreamTombstonedError(stream)
    throw readingError(error, context.server)
  }
}

/** EventStore.subscribeToAll. Ends when the signal is aborted. */
export async function* followLog(
  context: ReadContext,
  {
    after,
    filter,
    signal,
  }: {
    readonly after: Position | 'start' | 'end'
    readonly filter: EventFilter | undefined
    readonly signal: AbortSignal
  },
): Messages {
  try {
    let place = after === 'end' ? await lastPosition(context, signal) : after
    const isBeyond = (position: Position) => place === 'start' || comparePositions(position, place) > 0
    const request = () => logSubscriptionRequest(place, filter)
    const reading = readOn(context, { request, purpose: 'bulk', signal, live: true })
    yield* follow(
      reading,
      (events) => {
        for (const { position } of events) {
          if (!isBeyond(position)) throw outOfOrder('$all', `${position.commit}/${position.prepare}`)
          place = position
        }
      },
      (checkpoint) => {
        const isNew = isBeyond(checkpoint)
        if (isNew) place = checkpoint
        return isNew
      },
    )
  } catch (error) {
    if (signal.aborted) return
    throw readingError(error, context.server, after)
  }
}

/** Passes on what comes. `moveTo` takes note of events and checks their order; `reach` does so of a checkpoint and says whether it is news. */
async function* follow(
  reading: AsyncGenerator<Reading, never, undefined>,
  moveTo: (events: readonly RecordedEvent[]) => void,
  reach: (checkpoint: Position) => boolean = () => false,
): Messages {
  let live = false
  for await (const item of reading) {
    if (item.kind === 'events') {
      moveTo(item.events)
      yield item
    } else if (item.kind === 'checkpoint') {
      if (reach(item.position)) yield item
    } else if (item.kind === 'caughtUp') {
      live = true
      yield CAUGHT_UP
    } else if (live && item.kind !== 'confirmed') {
      live = false
      yield FELL_BEHIND
    }
  }
}

/** `start` where the stream has no event that can be read: whatever comes is then after the end. Throws CallError where it is tombstoned. */
async function lastRevision(context: ReadContext, stream: string, signal: AbortSignal): Promise<Revision | 'start'> {
  const read = await readStream(context, stream, { direction: 'backwards', maxCount: 1, signal })
  if (read.kind === 'tombstoned') throw new StreamTombstonedError(stream)
  if (read.kind === 'missing') return 'start'
  for await (const [last] of read.events) if (last && last.revision !== TOMBSTONE_REVISION) return last.revision
  return 'start'
}

async function lastPosition(context: ReadContext, signal: AbortSignal): Promise<Position | 'start'> {
  for await (const { position } of readLog(context, { direction: 'backwards', maxCount: 1, signal })) return position
  return 'start'
}

function outOfOrder(stream: string, place: number | string): StoreCorruptError {
  return new StoreCorruptError(`The server gave an event of ${JSON.stringify(stream)} out of order, at ${place}`)
}
