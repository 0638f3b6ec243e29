// The boundary index: a cut's place is one of the log's, whatever projection, rules and version it was made by. A log whose home cannot say where it may be
// cut is cut there, so that several read it side by side.
import { type Cut, eventAt } from '../engine/cut.js'
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

/**
 * As EventReader.splitAll: the places of cuts of whatever series in `root`, each the last one in front of where an even cut would be; none where there are
 * none. Each is looked up in the log: one that is not of it is left out. Series that are damaged are passed over. Throws what the reader throws.
 */
export async function boundariesIn(
  root: string,
  reader: EventReader,
  { to, ranges, eventsMin }: BoundariesAsked,
): Promise<Position[]> {
  const all = orNothing(() => seriesIn(root)) ?? []
  const last = await newestUpTo(all, to)
  if (!last || last.nextOrdinal < eventsMin) return []
  const found = new Map<string, Position>()
  for (let index = 1; index < ranges; index += 1) {
    const commit = (to.commit * BigInt(index)) / BigInt(ranges)
    const { cut } = (await newestUpTo(all, { commit, prepare: commit })) ?? {}
    if (cut && (await eventAt(reader, cut.position))?.id === cut.eventId) found.set(cut.eventId, cut.position)
  }
  return [...found.values()]
}

/** Not the one before the first, where nothing was read. */
type Ended = CutInfo & { readonly cut: Cut }

/** Of all series, the cut that ends last up to there. */
async function newestUpTo(all: readonly Series[], position: Position): Promise<Ended | undefined> {
  let newest: Ended | undefined
  for (const series of all) {
    const info = await newestIn(series, position)
    if (info?.cut && !(newest && isUpTo(info.cut, newest.cut.position))) newest = info as Ended
  }
  return newest
}

async function newestIn(series: Series, position: Position): Promise<CutInfo | undefined> {
  try {
    return series.info(await lastWhere(series.count(), (number) => isUpTo(series.info(number).cut, position)))
  } catch (error) {
    if (error instanceof SnapshotDamagedError) return undefined
    throw error
  }
}

function orNothing<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (error instanceof SnapshotDamagedError) return undefined
    throw error
  }
}
