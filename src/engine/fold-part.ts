// Folding a part of a log one subject at a time: its events are put together first, so that a state is garbage as soon as it was looked at, and
// memory holds no more of them than one.
import { eventIn, ordinalIn, subjectHashIn } from './event-bytes.js'
import type { Fold, FoldedSubject } from './fold.js'
import type { Part } from './partitioned-log.js'
import { endOfRecord, readRecords } from './spool.js'

/** Each subject of a part, folded. It is the caller's; the fold keeps the counts. */
export function* foldPart<State>({ blocks }: Part, fold: Fold<State>): Iterable<FoldedSubject<State>> {
  const buffers = blocks.map(({ bytes }) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
  const recordAt = (place: number): Record => {
    const start = place % BLOCK_LENGTH_MAX
    const bytes = buffers[(place - start) / BLOCK_LENGTH_MAX] as Buffer
    return { bytes, start, ordinal: ordinalIn(bytes, start) }
  }
  for (const places of placesBySubject(blocks)) {
    for (const { bytes, start, ordinal } of inLogOrder(places.map(recordAt))) {
      fold.add(eventIn(bytes, start, endOfRecord(bytes, start)), ordinal)
    }
    yield* fold.take()
  }
}

interface Record {
  readonly bytes: Buffer
  readonly start: number
  readonly ordinal: number
}

/** Those of ranges that were read side by side stand among each other. */
function inLogOrder(records: Record[]): Record[] {
  const isInOrder = records.every(({ ordinal }, index) => ordinal >= (records[index - 1]?.ordinal ?? 0))
  return isInOrder ? records : records.sort((a, b) => a.ordinal - b.ordinal)
}

/** Where a record stands is one number: its block's place among the blocks, in steps of this, and its start. */
const BLOCK_LENGTH_MAX = 2 ** 32

/** Where the events of each subject stand; now and then two subjects of one hash are together. */
function placesBySubject(blocks: Part['blocks']): Iterable<readonly number[]> {
  const places = new Map<number, number[]>()
  for (const [index, block] of blocks.entries()) {
    readRecords(block, (bytes, start) => {
      const place = index * BLOCK_LENGTH_MAX + start
      const hash = subjectHashIn(bytes, start)
      const known = places.get(hash)
      if (known) known.push(place)
      else places.set(hash, [place])
    })
  }
  return places.values()
}
