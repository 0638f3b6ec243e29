// Which cut of a series a question may begin from: the newest that lies before its own cut, was judged by no later `now`, and is one of this log.
import { type Cut, eventAt } from '../engine/cut.js'
import type { EventReader } from '../log/event-store.js'
import { comparePositions, type Position } from '../log/position.js'
import type { Ticks } from '../log/ticks.js'
import type { Series } from './series.js'

/** Called where cuts are passed over because they are of another log, or of what the log was before it was set back. */
export type OnForeign = (why: string) => void

/** The newest of the first `count` cuts that is one of this log; 0: none is. Throws SnapshotDamagedError and what the reader throws. */
export async function newestOfLog(
  reader: EventReader,
  series: Series,
  count: number,
  onForeign?: OnForeign,
): Promise<number> {
  const isOfLog = async (number: number) => {
    const { cut } = series.info(number)
    return cut !== undefined && (await eventAt(reader, cut.position))?.id === cut.eventId
  }
  const newest = await lastWhere(count, isOfLog)
  if (newest < count) onForeign?.(`${count - newest} of ${count} cuts are not of this log`)
  return newest
}

/** The newest cut from which a reading up to `cut`, judged by `now`, may go on; 0: none. Throws as newestOfLog does. */
export async function fittingCut(
  reader: EventReader,
  series: Series,
  { cut, now }: { readonly cut: Cut; readonly now: number },
  onForeign?: OnForeign,
): Promise<number> {
  const fits = (number: number) => {
    const info = series.info(number)
    return isUpTo(info.cut, cut.position) && info.now <= now
  }
  return newestOfLog(reader, series, await lastWhere(series.count(), fits), onForeign)
}

/** The newest cut that a time or a position takes in with all that is before it. Throws as newestOfLog does. */
export async function knownCutBefore(
  reader: EventReader,
  series: Series,
  spec: { readonly kind: 'time'; readonly ticks: Ticks } | { readonly kind: 'position'; readonly position: Position },
  onForeign?: OnForeign,
): Promise<Cut | undefined> {
  const isBefore = (number: number) => {
    const { cut, latest } = series.info(number)
    if (spec.kind === 'position') return isUpTo(cut, spec.position)
    return latest === undefined || latest <= spec.ticks
  }
  const count = await lastWhere(series.count(), isBefore)
  return series.info(await newestOfLog(reader, series, count, onForeign)).cut
}

/** Whether a cut ends no later than that position. */
export function isUpTo(cut: Cut | undefined, position: Position): boolean {
  return cut !== undefined && comparePositions(cut.position, position) <= 0
}

/** The last number up to `count` for which a condition holds that, once it does not, does not for any later one; 0: for none. */
export async function lastWhere(count: number, holds: (number: number) => boolean | Promise<boolean>): Promise<number> {
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
