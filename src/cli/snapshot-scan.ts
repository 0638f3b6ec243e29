// A scan of a store, from a snapshot where one fits.
import type { Projection } from '../engine/projection.js'
import type { JudgedReplay, ReplayResult, ScanSummary } from '../engine/replay.js'
import type { EventReader } from '../log/event-store.js'
import type { ToldFinding } from '../snapshots/found.js'
import { scanFrom } from '../snapshots/scan-from.js'
import type { Context } from './context.js'
import type { ExitCode } from './exit-codes.js'
import { exitOfFound, exitOfScan, findingRow, toldRow } from './finding-output.js'
import type { Row } from './output.js'
import { type ReadingOptions, replayMomentInto } from './reading.js'
import type { SnapshotOptions } from './snapshot-option.js'
import { settleQuestion } from './usable-snapshots.js'

/** What a scan prints, and what it ends with. */
export interface ScanResult {
  readonly summary: ScanSummary
  /** Made as they are printed. */
  readonly rows: Iterable<Row>
  readonly code: ExitCode
}

/** The same of a replay. */
export function resultOfReplay(result: ReplayResult): ScanResult {
  const rows = result.findings.map((finding) => findingRow(finding, result.waiting))
  return { summary: result.summary, rows, code: exitOfScan(result) }
}

/** The same of one that is at hand only while it is used. */
function resultOfJudged({ summary, needsSomebody, found }: Pick<JudgedReplay, 'summary' | 'needsSomebody' | 'found'>) {
  return { summary, rows: rowsOf(found), code: exitOfFound({ summary, needsSomebody }) }
}

/** Scans as a command's options ask; the result is at hand only while it is used. */
export async function scanStore<Used>(
  reader: EventReader,
  projection: Projection,
  options: ReadingOptions & SnapshotOptions,
  context: Context,
  use: (result: ScanResult) => Used,
): Promise<Used> {
  const { question, snapshots } = await settleQuestion(reader, projection, options, context)
  const resumed = await snapshots.resume(question, scanFrom)
  if (resumed) {
    const { summary, found } = resumed
    return use(resultOfJudged({ summary, needsSomebody: found.needsSomebody, found: found.told() }))
  }
  const { splitAll } = snapshots
  return replayMomentInto(reader, projection, { ...question, splitAll }, context, (judged) =>
    use(resultOfJudged(judged)),
  )
}

function* rowsOf(found: Iterable<ToldFinding>): Iterable<Row> {
  for (const { finding, waitsFor } of found) yield toldRow(finding, waitsFor)
}
