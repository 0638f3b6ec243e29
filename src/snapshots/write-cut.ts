// Writing one cut: what is different from the cut before, put together with the runs that it replaces.
import type { Cut } from '../engine/cut.js'
import type { FoldedSubject } from '../engine/fold.js'
import type { Projection } from '../engine/projection.js'
import type { Ticks } from '../log/ticks.js'
import { type Advance, type AdvanceOptions, advance, type Judged, type StatePlace } from './advance.js'
import type { CutFileWriter } from './cut-file.js'
import { chainOf, type Stretches } from './cut-info.js'
import type { Delta } from './delta.js'
import { piecesOfFolded } from './folded-bytes.js'
import { recordOfUse } from './key-record.js'
import { Packer } from './packer.js'
import type { Past } from './past.js'
import { recordOfResult } from './result-record.js'
import { compareRecords, mergeRuns, type RunRecord, recordsOf, writeRun } from './run.js'
import { belowOf, type Series } from './series.js'
import { markOf, recordOfEntry } from './subject-entry.js'

export interface NextCut extends Pick<AdvanceOptions, 'projection' | 'now' | 'signal'> {
  readonly cut: Cut
  /** As in CutInfo. */
  readonly latest: Ticks | undefined
}

const NO_MARK = 0

/**
 * Writes the cut behind `past`, to which `delta` leads; false where somebody else has written one meanwhile. Throws SnapshotDamagedError,
 * NowWithoutDeadlinesError, what the file system throws, and the signal's reason; then nothing of it is left.
 */
export async function writeCut(series: Series, past: Past, delta: Delta, next: NextCut): Promise<boolean> {
  const number = past.info.number + 1
  const file = series.create(number)
  try {
    const states = new Packer(file.blocks, { packed: true })
    const keep = (folded: FoldedSubject): StatePlace => ({
      cut: number,
      // What the states add up to is known when all are written.
      mark: NO_MARK,
      ...states.add(...piecesOfFolded(folded)),
    })
    const advanced = await advance(past, delta, { ...next, keep })
    states.finish()
    const { cut, now, latest } = next
    const chain = chainOf(past.info.chain, cut, { now, states: file.blocks.checksum })
    const { counts, subjects } = advanced
    const below = past.belowNext()?.chain ?? ''
    const stretches = writeRuns(file, past, advanced, { projection: next.projection, mark: markOf(chain) })
    const { nextOrdinal } = delta
    return file.publish({ number, cut, now, latest, nextOrdinal, counts, subjects, chain, below, stretches })
  } finally {
    file.close()
  }
}

function writeRuns(
  { blocks }: CutFileWriter,
  past: Past,
  { judged }: Advance,
  { projection, mark }: { projection: Projection; mark: number },
): Stretches {
  const isLowest = belowOf(past.info.number + 1) === 0
  const write = (kind: keyof Stretches, records: Iterable<RunRecord>) => {
    const newest = [...records].sort(compareRecords)
    const merged = mergeRuns([newest, ...past.runsToReplace(kind).map(recordsOf)])
    // Where nothing lies below, nothing has to be taken back.
    return writeRun(blocks, isLowest ? withoutEmpty(merged) : merged)
  }
  return {
    subjects: write('subjects', entriesOf(judged, { cut: past.info.number + 1, mark })),
    results: write('results', resultsOf(judged, projection)),
    keys: write('keys', keyChangesOf(judged)),
  }
}

function* withoutEmpty(records: Iterable<RunRecord>): Iterable<RunRecord> {
  for (const record of records) if (record.value.length > 0) yield record
}

function* entriesOf(judged: ReadonlyMap<string, Judged>, own: Pick<StatePlace, 'cut' | 'mark'>): Iterable<RunRecord> {
  for (const [subject, { place, deadline, result }] of judged) {
    if (!place) throw new Error('a state that is judged for a snapshot is kept')
    const { mark } = place.cut === own.cut ? own : place
    yield recordOfEntry(subject, { ...place, mark, deadline, hasFindings: result.findings.length > 0 })
  }
}

function* resultsOf(judged: ReadonlyMap<string, Judged>, projection: Projection): Iterable<RunRecord> {
  for (const [subject, { entry, result }] of judged) {
    if (entry?.hasFindings || result.findings.length > 0) yield recordOfResult(subject, result, projection)
  }
}

function* keyChangesOf(judged: ReadonlyMap<string, Judged>): Iterable<RunRecord> {
  for (const [subject, { keys }] of judged) {
    const [before, after] = [new Set(keys.before), new Set(keys.after)]
    for (const key of before) if (!after.has(key)) yield recordOfUse(key, subject, false)
    for (const key of after) if (!before.has(key)) yield recordOfUse(key, subject, true)
  }
}
