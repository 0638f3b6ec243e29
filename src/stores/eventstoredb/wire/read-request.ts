// What a Read asks for. Built with the client's own generated messages: one a call, so their cost does not matter.
import shared from '@eventstore/db-client/generated/shared_pb.js'
import streams from '@eventstore/db-client/generated/streams_pb.js'
import type { Direction, EventFilter } from '../../../log/event-store.js'
import type { Position } from '../../../log/position.js'
import type { Revision } from '../../../log/revision.js'

const { Options } = streams.ReadReq
const { FilterOptions } = Options

/** Records that a server looks at in one go while it searches for those that match. */
const READ_WINDOW = 10_000
/** For subscriptions: a checkpoint comes every so many records. */
const CHECKPOINT_RECORDS = 500

/** "All of them", as clients say it. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER
/** Places above it are none, and a server has no words for them. */
const MAX_PLACE = 2n ** 63n - 1n

interface Counted {
  readonly direction: Direction
  readonly maxCount: number
}

/** A reading of one stream, from a revision on (inclusive). */
export function streamRequest(
  stream: string,
  { from, direction, maxCount }: Counted & { readonly from: Revision | 'start' | 'end' },
): Uint8Array {
  const options = counted(streamOptions(stream, from), { direction, maxCount }).setNoFilter(new shared.Empty())
  // Asks for the word at the stream's end by which a whole reading is told from one that broke off.
  options.setControlOption(new Options.ControlOption().setCompatibility(1))
  return serialize(options)
}

/** A reading of the whole log; forwards the record at `from` is the first, backwards the one before it. */
export function logRequest({
  from,
  filter,
  direction,
  maxCount,
}: Counted & { readonly from: Position | 'start' | 'end'; readonly filter: EventFilter | undefined }): Uint8Array {
  return serialize(counted(filtered(logOptions(from), filter, READ_WINDOW), { direction, maxCount }))
}

/** A subscription to one stream, after a revision. */
export function streamSubscriptionRequest(stream: string, after: Revision | 'start'): Uint8Array {
  return serialize(subscribing(streamOptions(stream, after)).setNoFilter(new shared.Empty()))
}

/** A subscription to the whole log, after a position. */
export function logSubscriptionRequest(after: Position | 'start', filter: EventFilter | undefined): Uint8Array {
  return serialize(filtered(subscribing(logOptions(after)), filter, CHECKPOINT_RECORDS))
}

type RequestOptions = streams.ReadReq.Options

function streamOptions(stream: string, place: Revision | 'start' | 'end'): RequestOptions {
  const identifier = new shared.StreamIdentifier().setStreamName(Buffer.from(stream))
  const where = new Options.StreamOptions().setStreamIdentifier(identifier)
  if (place === 'start') where.setStart(new shared.Empty())
  else if (place === 'end') where.setEnd(new shared.Empty())
  else where.setRevision(placeText(BigInt(place)))
  return new Options().setStream(where)
}

function logOptions(place: Position | 'start' | 'end'): RequestOptions {
  const where = new Options.AllOptions()
  if (place === 'start') where.setStart(new shared.Empty())
  else if (place === 'end') where.setEnd(new shared.Empty())
  else {
    const [commit, prepare] = [placeText(place.commit), placeText(place.prepare)]
    where.setPosition(new Options.Position().setCommitPosition(commit).setPreparePosition(prepare))
  }
  return new Options().setAll(where)
}

function placeText(place: bigint): string {
  return String(place > MAX_PLACE ? MAX_PLACE : place)
}

function counted(options: RequestOptions, { direction, maxCount }: Counted): RequestOptions {
  const { FORWARDS, BACKWARDS } = Options.ReadDirection
  return options
    .setReadDirection(direction === 'forwards' ? FORWARDS : BACKWARDS)
    .setCount(String(Math.min(maxCount, NO_LIMIT)))
}

function subscribing(options: RequestOptions): RequestOptions {
  return options.setReadDirection(Options.ReadDirection.FORWARDS).setSubscription(new Options.SubscriptionOptions())
}

function filtered(options: RequestOptions, filter: EventFilter | undefined, window: number): RequestOptions {
  if (!filter) return options.setNoFilter(new shared.Empty())
  const names = new FilterOptions.Expression().setPrefixList([...filter.streamPrefixes])
  return options.setFilter(
    new FilterOptions().setStreamIdentifier(names).setMax(window).setCheckpointintervalmultiplier(1),
  )
}

function serialize(options: RequestOptions): Uint8Array {
  // As text an id is one copy of bytes; as two halves it would be two big integers.
  options.setResolveLinks(false).setUuidOption(new Options.UUIDOption().setString(new shared.Empty()))
  return new streams.ReadReq().setOptions(options).serializeBinary()
}
