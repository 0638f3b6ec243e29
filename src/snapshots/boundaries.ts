// The boundary index: a cut's place is one of the log's, whatever projection, rules and version it was made by. A log whose home cannot say where it may be
// cut is cut there, so that several read it side by side.
import { eventAt } from '../engine/cut.js'
import type { EventReader } from '../log/event-store.js'
import type { Position } from '../log/position.js'
import type { CutInfo } from './cut-info.js'
import { SnapshotDamagedError } from './damaged.js'
import { isUpTo, lastWhere } from './fitting.js'
import { type Series, seriesIn } from './series.js'

export interface BoundariesAsked {
  readonly to: Position
  readonly ranges: number
  /** With fewer events in front of the last cut the log is not worth cutting. */
  readonly eventsMin: number
}

/** The cuts of one series that may be boundaries. */
interface Index {
  readonly series: Series
  readonly count: number
  readonly last: CutInfo
}

/**
 * As EventReader.splitAll: the places of cuts, spread evenly over the series in `root` that goes farthest; none where there are none. Each is looked up in
 * the log: one that is not of it is left out. Series that are damaged are passed over. Throws what the reader throws.
 */
export async function boundariesIn(
  root: string,
  reader: EventReader,
  { to, ranges, eventsMin }: BoundariesAsked,
): Promise<Position[]> {
  const indices: Index[] = []
  for (const series of orNothing(() => seriesIn(root)) ?? []) indices.push(...(await indexUpTo(series, to)))
  const [best] = indices.sort((a, b) => b.last.nextOrdinal - a.last.nextOrdinal)
  if (!best || best.last.nextOrdinal < eventsMin) return []
  const found = await Promise.all(numbersIn(best.count, ranges).map((number) => placeOf(best.series, number, reader)))
  return found.filter((position) => position !== undefined)
}

async function indexUpTo(series: Series, to: Position): Promise<Index[]> {
  try {
    const count = await lastWhere(series.count(), (number) => isUpTo(series.info(number).cut, to))
    return [{ series, count, last: series.info(count) }]
  } catch (error) {
    if (error instanceof SnapshotDamagedError) return []
    throw error
  }
}

/** The numbers of the cuts behind each range but the last one. */
function numbersIn(count: number, ranges: number): number[] {
  const numbers = Array.from({ length: ranges - 1 }, (_, index) => Math.round(((index + 1) * count) / ranges))
  return [...new Set(numbers)].filter((number) => number > 0)
}

async function placeOf(series: Series, number: number, reader: EventReader): Promise<Position | undefined> {
  const cut = orNothing(() => series.info(number).cut)
  return cut && (await eventAt(reader, cut.position))?.id === cut.eventId ? cut.position : undefined
}

function orNothing<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (error instanceof SnapshotDamagedError) return undefined
    throw error
  }
}
