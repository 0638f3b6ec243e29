// One range of a log, read beside others: its events go as records to whoever gathers them, a batch at a time.
import type { EventReader } from '../log/event-store.js'
import type { Position } from '../log/position.js'
import { prefixesOf } from '../log/stream.js'
import { EventSpreader } from './event-spreader.js'
import type { FoldCounts, FoldOptions } from './fold.js'
import type { Projection } from './projection.js'
import { type Block, RecordBatches } from './spool.js'

/** Which range. Plain data. */
export interface RangeQuestion extends FoldOptions {
  /** The how-many-eth of the log's ranges it is, from 0. */
  readonly range: number
  /** The last event of the range before it; left out for the first one. */
  readonly after?: Position
  readonly to: Position
}

/** What a range held, beside its records. Plain data. */
export interface RangeRead {
  readonly taken: number
  /** Of events that belong to no subject. */
  readonly unownedCounts: FoldCounts
}

/**
 * Reads a range from a home that pours. `send` takes each batch's records, which are its own from then on, and tells when it can take the next. Throws
 * what the reader throws.
 */
export async function pourRange(
  reader: EventReader,
  projection: Projection,
  { range, after, to, ...options }: RangeQuestion,
  send: (block: Block) => Promise<void>,
): Promise<RangeRead> {
  if (!reader.pourAll) throw new Error('a range is read only from a home that pours')
  const batches = new RecordBatches()
  const onSpread = (_: number, record: Buffer, length: number) => batches.write(record, length)
  const spreader = new EventSpreader(projection, options, onSpread)
  spreader.startRange(range)
  const sink = spreader.addBytes.bind(spreader)
  const filter = { streamPrefixes: prefixesOf(projection.categories) }
  for await (const _ of reader.pourAll(sink, { ...(after && { after }), to, filter })) {
    for (const block of batches.takeFull()) await send(block)
  }
  for (const block of batches.takeAll()) await send(block)
  return { taken: spreader.taken, unownedCounts: spreader.unownedCounts }
}
