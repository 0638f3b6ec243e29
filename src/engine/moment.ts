// Moments: as of what a log is judged. Two times are kept apart: what was known (how far the log is read) and what had happened (which of the
// events read are folded).
import type { RecordedEvent } from '../log/event.js'
import { comparePositions } from '../log/position.js'
import { categoryOf, describedBy, subjectOf } from '../log/stream.js'
import type { Ticks } from '../log/ticks.js'
import { decode } from './decode.js'
import { happenedAt } from './fold.js'
import type { Projection } from './projection.js'
import type { ReplayOptions } from './replay.js'

/** A cut, what had happened by then, and what rules take for the present. Without a cut: an empty log. */
export type Moment = Pick<ReplayOptions, 'cut' | 'happenedBy' | 'now'>

/** Whose an event is under a projection; undefined where it is nobody's. */
export function ownerOf({ stream }: RecordedEvent, { categories }: Projection): string | undefined {
  const named = describedBy(stream) ?? stream
  return categories.includes(categoryOf(named) ?? '') ? subjectOf(named) : undefined
}

/** Whether a replay as of the moment takes an event of the projection's streams in. */
export function isTakenIn(event: RecordedEvent, { cut, happenedBy }: Moment, projection: Projection): boolean {
  if (!cut || comparePositions(event.position, cut.position) > 0) return false
  // What a stream's metadata says holds for the reading as a whole.
  if (happenedBy === undefined || describedBy(event.stream) !== undefined) return true
  const at = happenedAtOf(event, projection)
  return at !== undefined && at <= happenedBy
}

/** When what an event tells of happened; undefined in logs that keep no time where the event tells none. */
export function happenedAtOf(event: RecordedEvent, projection: Projection): Ticks | undefined {
  const place = { category: categoryOf(event.stream) ?? '', subject: subjectOf(event.stream) ?? '' }
  return happenedAt(event, decode(event, place, projection), projection)
}
