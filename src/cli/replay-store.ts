// A replay of a store with all that it gives, from a snapshot where one fits.
import type { Projection } from '../engine/projection.js'
import type { ReplayResult } from '../engine/replay.js'
import type { EventReader } from '../log/event-store.js'
import { replayFrom } from '../snapshots/replay-from.js'
import type { Context } from './context.js'
import { type ReadingOptions, replayMoment, type SettledOptions, warnOfNothingRead } from './reading.js'
import type { SnapshotOptions } from './snapshot-option.js'
import { settleQuestion, type UsableSnapshots } from './usable-snapshots.js'

/** Replays a store as a command's options ask. */
export async function replayStore(
  reader: EventReader,
  projection: Projection,
  options: ReadingOptions & SnapshotOptions,
  context: Context,
): Promise<ReplayResult> {
  const { question, snapshots } = await settleQuestion(reader, projection, options, context)
  const result = await replaySettled(snapshots, question, context)
  warnOfNothingRead(result, projection, context)
  return result
}

/** The same as of a moment that is settled already. */
export async function replaySettled(
  snapshots: UsableSnapshots,
  question: SettledOptions,
  context: Context,
): Promise<ReplayResult> {
  const resumed = await snapshots.resume(question, replayFrom)
  if (resumed) return resumed
  const { reader, projection, splitAll } = snapshots
  return replayMoment(reader, projection, { ...question, splitAll }, context)
}
