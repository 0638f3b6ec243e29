// Readings as iterables: run after run, each from a fresh snapshot, so that no snapshot is held while the consumer works.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { EventBatch } from '../../log/event.js'
import type { EventSink, PourOptions, ReadAllOptions, ReadStreamOptions, StreamRead } from '../../log/event-store.js'
import type { Position } from '../../log/position.js'
import type { Revision } from '../../log/revision.js'
import { InvalidPositionError } from '../../log/store-errors.js'
import { firstReadable } from '../../log/stream-metadata.js'
import { kindOfStream, limitsOfStream, NO_HEAD, type StreamHead } from '../stream-head.js'
import { positionOf } from './event-record.js'
import {
  type Give,
  type LogRange,
  type LogReader,
  StreamChoice,
  type StreamRange,
  type StreamReading,
} from './log-reader.js'

/** Gives the reader with a snapshot of this moment, undefined where the store was not made yet. Throws once it is closed. */
export type Fresh = () => LogReader | undefined

/** EventReader.readStream. `now` in milliseconds, for `$maxAge`; `give` says what is given of each event. */
export function readOneStream<Event>(
  fresh: Fresh,
  stream: string,
  options: ReadStreamOptions,
  { now, give }: Omit<StreamReading<Event>, 'head'>,
): StreamRead<Event> {
  options.signal?.throwIfAborted()
  const headOf = fresh()?.headOf ?? (() => NO_HEAD)
  const kind = kindOfStream(stream, headOf)
  if (kind !== 'found') return { kind }
  const reading = { head: headOf(stream), now, give }
  return { kind, events: runsOfStream(fresh, stream, rangeOfStream(stream, reading, options), reading, options.signal) }
}

/** EventReader.readAll, in the same way. */
export async function* readWholeLog<Event>(
  fresh: Fresh,
  options: ReadAllOptions,
  give: Give<Event>,
): AsyncGenerator<EventBatch<Event>, void, undefined> {
  const choice = options.filter && new StreamChoice(options.filter)
  let range = rangeOfLog(fresh(), options)
  while (range.maxEvents > 0) {
    options.signal?.throwIfAborted()
    const batch = fresh()?.run(range, choice, give)
    if (!batch) return
    const place = Number(batch.position.commit)
    const from = range.reverse ? place - 1 : place + 1
    range = { ...range, from, maxEvents: range.maxEvents - batch.events.length }
    yield batch
    // Timers and sockets get their turn between two runs, however fast the consumer is.
    await nextTurn()
  }
}

/** EventReader.pourAll. */
export async function* pourWholeLog(
  fresh: Fresh,
  sink: EventSink,
  { after, to, filter, signal }: PourOptions,
): AsyncGenerator<Position, void, undefined> {
  const choice = filter && new StreamChoice(filter)
  const { from, ...rest } = rangeOfLog(fresh(), after ? { from: after } : {})
  const range = { ...rest, from: after ? from + 1 : from, to: Number(to.commit) }
  for (let from = range.from; ; ) {
    signal?.throwIfAborted()
    const position = fresh()?.pour({ ...range, from }, choice, sink)
    if (!position) return
    from = Number(position.commit) + 1
    yield position
    // Timers and sockets get their turn between two runs, however fast the consumer is.
    await nextTurn()
  }
}

/** A range of fewer bytes of the log is read at once. */
const RANGE_BYTES_MIN = 2 ** 23

/** EventReader.splitAll. Places are bytes of the log, so that ranges of one length are about the same work. */
export function splitLog(reader: LogReader | undefined, to: Position, ranges: number): Position[] {
  const end = Math.min(Number(to.commit), reader?.lastPlace() ?? 0)
  const count = Math.min(ranges, Math.floor(end / RANGE_BYTES_MIN))
  const places = new Set<number>()
  for (let index = 1; index < count; index += 1) places.add(reader?.placeBefore((end * index) / count) ?? 0)
  return [...places].filter((place) => place > 0 && place < end).map(positionOf)
}

async function* runsOfStream<Event>(
  fresh: Fresh,
  stream: string,
  whole: StreamRange,
  reading: StreamReading<Event>,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly Event[], void, undefined> {
  let range = whole
  while (range.maxEvents > 0 && (range.to - range.from) * range.step >= 0) {
    signal?.throwIfAborted()
    const run = fresh()?.streamRun(stream, range, reading)
    if (!run) return
    range = { ...range, from: run.next, maxEvents: range.maxEvents - run.events.length }
    if (run.events.length > 0) yield run.events
    await nextTurn()
  }
}

/** A stream's reading ends at the head that it began with, even while the stream grows. */
function rangeOfStream(stream: string, { head }: { head: StreamHead }, options: ReadStreamOptions): StreamRange {
  const { direction = 'forwards', from, maxCount: maxEvents = Number.POSITIVE_INFINITY } = options
  const lowest = firstReadable(limitsOfStream(stream, head), head.last)
  return direction === 'forwards'
    ? { from: Math.max(lowest, revisionOf(from ?? 'start')), to: head.last, step: 1, maxEvents }
    : { from: Math.min(head.last, revisionOf(from ?? 'end')), to: lowest, step: -1, maxEvents }
}

function revisionOf(from: Revision | 'start' | 'end'): Revision {
  if (from === 'start') return 0
  return from === 'end' ? Number.POSITIVE_INFINITY : from
}

/** A reading of the log forwards ends at the record that was the last when it began. */
function rangeOfLog(reader: LogReader | undefined, options: ReadAllOptions): LogRange {
  const { direction = 'forwards', from, maxCount: maxEvents = Number.POSITIVE_INFINITY } = options
  const last = reader?.lastPlace() ?? 0
  const reverse = direction === 'backwards'
  const place = placeOf(reader, from ?? (reverse ? 'end' : 'start'), last)
  if (!reverse) return { from: place, to: last, reverse, maxEvents: place > last ? 0 : maxEvents }
  if (place === Number.POSITIVE_INFINITY && typeof from === 'object') throw new InvalidPositionError(from)
  return { from: place - 1, to: 0, reverse, maxEvents: place > 0 ? maxEvents : 0 }
}

function placeOf(reader: LogReader | undefined, from: NonNullable<ReadAllOptions['from']>, last: number): number {
  if (from === 'start') return 0
  if (from === 'end') return last + 1
  if (reader) return reader.placeOf(from)
  return from.commit === 0n ? 0 : Number.POSITIVE_INFINITY
}
