// Which cut of a series a question may begin from: the newest that lies before its own cut, was judged by no later `now`, and is one of this log.
import { type Cut, eventAt } from '../engine/cut.js'
import type { EventReader } from '../log/event-store.js'
import { comparePositions, type Position } from '../log/position.js'
import type { Ticks } from '../log/ticks.js'
import type { Series } from './series.js'

/** The newest of the first `count` cuts that is one of this log; 0: none is. Throws SnapshotDamagedError and what the reader throws. */
export function newestOfLog(reader: EventReader, series: Series, count: number): Promise<number> {
  const isOfLog = async (number: number) => {
    const { cut } = series.info(number)
    return cut !== undefined && (await eventAt(reader, cut.position))?.id === cut.eventId
  }
  return lastWhere(count, isOfLog)
}

/** The newest cut from which a reading up to `cut`, judged by `now`, may go on; 0: none. Throws as newestOfLog does. */
export async function fittingCut(
  reader: EventReader,
  series: Series,
  { cut, now }: { readonly cut: Cut; readonly now: number },
): Promise<number> {
  const fits = (number: number) => {
    const info = series.info(number)
    return isUpTo(info.cut, cut.position) && info.now <= now
  }
  return newestOfLog(reader, series, await lastWhere(series.count(), fits))
}

/** The newest cut that a time or a position takes in with all that is before it. Throws as newestOfLog does. */
export async function knownCutBefore(
  reader: EventReader,
  series: Series,
  spec: { readonly kind: 'time'; readonly ticks: Ticks } | { readonly kind: 'position'; readonly position: Position },
): Promise<Cut | undefined> {
  const isBefore = (number: number) => {
    const { cut, latest } = series.info(number)
    if (spec.kind === 'position') return isUpTo(cut, spec.position)
    return latest === undefined || latest <= spec.ticks
  }
  return series.info(await newestOfLog(reader, series, await lastWhere(series.count(), isBefore))).cut
}

function isUpTo(cut: Cut | undefined, position: Position): boolean {
  return cut !== undefined && comparePositions(cut.position, position) <= 0
}

/** The last number up to `count` for which a condition holds that, once it does not, does not for any later one; 0: for none. */
async function lastWhere(count: number, holds: (number: number) => boolean | Promise<boolean>): Promise<number> {
  // The last one is the likeliest.
  if (count > 0 && (await holds(count))) return count
  let [last, beyond] = [0, count]
  while (last + 1 < beyond) {
    const middle = (last + beyond) >>> 1
    if (await holds(middle)) last = middle
    else beyond = middle
  }
  return last
}
