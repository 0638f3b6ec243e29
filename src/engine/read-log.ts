// The reading loop: the log from its start to a cut, gathered to be folded.
import type { LeftOut, RecordedEvent } from '../log/event.js'
import type { EventFilter, EventReader, EventSink, ReadAllOptions } from '../log/event-store.js'
import { comparePositions, type Position } from '../log/position.js'
import { prefixesOf } from '../log/stream.js'
import type { Ticks } from '../log/ticks.js'
import { type Cut, cutAtEvent } from './cut.js'
import type { MemoryLimit, PartitionedLog } from './partitioned-log.js'
import type { RangeQuestion } from './pour-range.js'
import type { Projection } from './projection.js'
import type { ReplayThreads } from './replay-threads.js'
import type { Block } from './spool.js'

export interface ReadLogOptions {
  readonly cut?: Cut
  readonly happenedBy?: Ticks
  readonly memory?: MemoryLimit
  readonly signal?: AbortSignal
  /** Where the log may be cut, for a reader that does not know. */
  readonly splitAll?: NonNullable<EventReader['splitAll']>
  /** Others that may read ranges of the log, where it can be read so. */
  readonly others?: { readonly count: number; open(): ReplayThreads | undefined }
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
  if (cut && reader.pourAll) return pourUpTo(reader, log, { ...options, cut, filter })
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
    options.onBatch(examined, cut && fractionOf(Number(batch.position.commit), Number(cut.position.commit)))
    if (cut && comparePositions(batch.position, cut.position) >= 0) break
  }
  return { lastRead, leftOut, examined }
}

interface PourUpToOptions extends ReadLogOptions {
  readonly cut: Cut
  readonly filter: EventFilter
}

/** For each thread so many ranges: whoever is done sooner, or has one with less in it, takes the next. */
const RANGES_PER_THREAD = 4

/** The same from a home that gives bytes: in ranges side by side, where there are others to read them. */
async function pourUpTo(reader: EventReader, log: PartitionedLog, options: PourUpToOptions): Promise<Reading> {
  const { others, cut } = options
  const rangesMax = others && others.count > 0 ? RANGES_PER_THREAD * (others.count + 1) : 1
  const splitAll = reader.splitAll?.bind(reader) ?? options.splitAll
  const inner = rangesMax > 1 ? ((await splitAll?.(cut.position, rangesMax)) ?? []) : []
  const ends = [...inner, cut.position]
  const threads = inner.length > 0 ? others?.open() : undefined
  const ranges = ends.map((to, range) => ({ range, to, ...(range > 0 && { after: ends[range - 1] as Position }) }))
  if (threads?.readRange) await pourRanges(reader, log, { ...options, threads, ranges })
  else await pourHere(reader, log, { ...options, to: cut.position })
  return { lastRead: undefined, leftOut: NOTHING, examined: log.taken }
}

/** Each thread takes the next range that nobody has taken, and so does this one. */
async function pourRanges(
  reader: EventReader,
  log: PartitionedLog,
  options: PourUpToOptions & { threads: ReplayThreads; ranges: readonly RangeQuestion[] },
): Promise<void> {
  const { threads, ranges, happenedBy, signal } = options
  const left = ranges.values()
  let done = 0
  const onBatch = (examined: number, share = 0) => options.onBatch(examined, (done + share) / ranges.length)
  const readHere = async () => {
    for (const question of left) {
      log.startRange(question.range)
      await pourHere(reader, log, { ...options, ...question, onBatch })
      done += 1
    }
  }
  const onRecords = (block: Block) => {
    signal?.throwIfAborted()
    log.addRecords(block)
  }
  const readBeside = async () => {
    for (const question of left) {
      const asked = { ...question, ...(happenedBy !== undefined && { happenedBy }) }
      const read = await threads.readRange?.(asked, onRecords)
      if (read) log.endRange(read)
      done += 1
    }
  }
  await Promise.all([readHere(), ...Array.from({ length: threads.count }, readBeside)])
}

async function pourHere(
  reader: EventReader,
  log: PartitionedLog,
  { after, to, filter, signal, onBatch }: PourUpToOptions & Pick<RangeQuestion, 'after' | 'to'>,
): Promise<void> {
  const sink: EventSink = (...event) => log.addBytes(...event)
  const from = Number(after?.commit ?? 0n)
  const options = { ...(after && { after }), to, filter, ...(signal && { signal }) }
  for await (const { commit } of reader.pourAll?.(sink, options) ?? []) {
    signal?.throwIfAborted()
    onBatch(log.taken, fractionOf(Number(commit) - from, Number(to.commit) - from))
  }
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

function fractionOf(done: number, all: number): number {
  return all === 0 ? 1 : Math.min(1, done / all)
}
