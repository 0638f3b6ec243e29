// The reading loop: the log from its start to a cut, gathered to be folded.
import type { LeftOut, RecordedEvent } from '../log/event.js'
import type { EventFilter, EventReader, EventSink, ReadAllOptions } from '../log/event-store.js'
import { comparePositions, type Position } from '../log/position.js'
import { prefixesOf } from '../log/stream.js'
import type { Ticks } from '../log/ticks.js'
import { type Cut, cutAtEvent } from './cut.js'
import type { MemoryLimit, PartitionedLog } from './partitioned-log.js'
import type { Projection } from './projection.js'

export interface ReadLogOptions {
  readonly cut?: Cut
  readonly happenedBy?: Ticks
  readonly memory?: MemoryLimit
  readonly signal?: AbortSignal
  /** Called after each batch: how many events were looked at, and how much of the reading is done, 0 to 1, where its end is known. */
  readonly onBatch: (examined: number, fraction: number | undefined) => void
}

/** What of the log has been read. */
export interface Reading {
  readonly lastRead: Cut | undefined
  readonly leftOut: LeftOut
  readonly examined: number
}

/** Nothing was left out. */
export const NOTHING: LeftOut = { events: 0, streams: 0, subjects: 0 }

/** Reads what a projection wants up to the cut, else to the end. Throws what the reader throws, ScratchError, and the signal's reason when aborted. */
export async function readLog(
  reader: EventReader,
  log: PartitionedLog,
  projection: Projection,
  options: ReadLogOptions,
): Promise<Reading> {
  const { cut, signal } = options
  const filter = { streamPrefixes: prefixesOf(projection.categories) }
  if (cut && reader.pourAll) return pourUpTo(reader.pourAll.bind(reader), log, { ...options, cut, filter })
  let lastRead: Cut | undefined
  let leftOut: LeftOut = NOTHING
  let examined = 0
  for await (const batch of reader.readAll({ filter, ...settledOf(projection, options), ...(signal && { signal }) })) {
    signal?.throwIfAborted()
    const events = cut ? eventsUpTo(batch.events, cut.position) : batch.events
    for (const event of events) log.add(event)
    lastRead = cutAtEvent(events.at(-1)) ?? lastRead
    leftOut = batch.leftOut ?? leftOut
    examined = batch.examined ?? log.taken + leftOut.events
    options.onBatch(examined, cut && fractionOf(batch.position.commit, cut.position.commit))
    if (cut && comparePositions(batch.position, cut.position) >= 0) break
  }
  return { lastRead, leftOut, examined }
}

/** The same from a home that gives bytes. */
async function pourUpTo(
  pourAll: NonNullable<EventReader['pourAll']>,
  log: PartitionedLog,
  { cut, filter, signal, onBatch }: ReadLogOptions & { readonly cut: Cut; readonly filter: EventFilter },
): Promise<Reading> {
  const sink: EventSink = (...event) => log.addBytes(...event)
  for await (const { commit } of pourAll(sink, { to: cut.position, filter, ...(signal && { signal }) })) {
    signal?.throwIfAborted()
    onBatch(log.taken, fractionOf(commit, cut.position.commit))
  }
  return { lastRead: undefined, leftOut: NOTHING, examined: log.taken }
}

/** Whether settled subjects may be left out: with an earlier end they might not be settled yet. */
function settledOf(
  { settledBy }: Projection,
  { cut, happenedBy, memory }: ReadLogOptions,
): Pick<ReadAllOptions, 'settled'> {
  if (settledBy === undefined || cut !== undefined || happenedBy !== undefined) return {}
  // As much as the fold may take: there is little to fold where most is left out.
  return { settled: { by: settledBy, ...(memory && { bytesMax: memory.bytesMax }) } }
}

/** The events of a batch that are not beyond a position: all of them, but for the batch in which it lies. */
function eventsUpTo(events: readonly RecordedEvent[], position: Position): readonly RecordedEvent[] {
  const last = events.at(-1)
  if (!last || comparePositions(last.position, position) <= 0) return events
  return events.filter((event) => comparePositions(event.position, position) <= 0)
}

function fractionOf(done: bigint, all: bigint): number {
  return all === 0n ? 1 : Math.min(1, Number(done) / Number(all))
}
