// All that a replay gives, from a snapshot: beside the findings what would make them good and what is at stake, made anew from the states of those on
// whom something was found, since both may change with `now` alone.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Fold, type FoldedSubject } from '../engine/fold.js'
import { compensationOf, type SubjectResult } from '../engine/judge-part.js'
import type { Projection } from '../engine/projection.js'
import { collectReplay, type ReplayResult } from '../engine/replay.js'
import type { EventReader } from '../log/event-store.js'
import type { Past } from './past.js'
import { resultIn } from './result-record.js'
import { type ScanFrom, type ScanFromOptions, scanFrom } from './scan-from.js'

export interface ReplayFrom extends ReplayResult, Pick<ScanFrom, 'read'> {}

/** Replays up to the cut. The past must fit, and what is thrown is thrown, as in `scanFrom`. */
export async function replayFrom(
  past: Past,
  reader: EventReader,
  projection: Projection,
  options: ScanFromOptions,
): Promise<ReplayFrom> {
  const scanned = await scanFrom(past, reader, projection, options)
  const results = await resultsOf(scanned, projection, options)
  return { ...collectReplay(scanned.summary, results, options.filters), read: scanned.read }
}

/** So many states are read before anything else gets its turn. */
const SUBJECTS_PER_TURN = 500

/** In the order of the subjects. */
async function resultsOf(
  { results, states }: ScanFrom,
  projection: Projection,
  { now, signal }: ScanFromOptions,
): Promise<readonly SubjectResult[]> {
  const whole = new Map(
    Array.from(results, ({ key, value }): [string, SubjectResult] => {
      const subject = key.toString('utf8')
      return [subject, { subject, ...resultIn(value), compensation: undefined, value: undefined }]
    }),
  )
  const fold = new Fold(projection)
  for (const [index, subject] of states.find(whole.keys()).entries()) {
    const restored = states.restore(subject, fold)
    const result = whole.get(subject)
    if (!restored || !result) throw new Error('a subject with findings has a state')
    whole.set(subject, withRemedy(result, restored.folded, projection, now))
    if (index % SUBJECTS_PER_TURN < SUBJECTS_PER_TURN - 1) continue
    await nextTurn()
    signal?.throwIfAborted()
  }
  return [...whole.values()]
}

function withRemedy(result: SubjectResult, folded: FoldedSubject, projection: Projection, now: number): SubjectResult {
  return {
    ...result,
    compensation: compensationOf(folded, result.findings, projection, { now, lookups: {} }),
    value: projection.live?.valueAtStake?.(folded.state),
  }
}
