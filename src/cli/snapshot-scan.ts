// A scan of a store, from a snapshot where one fits. A snapshot that cannot be used is told of and left alone; the log is then read from its start.
import type { KnownBefore } from '../engine/cut.js'
import type { Moment } from '../engine/moment.js'
import type { Projection } from '../engine/projection.js'
import type { JudgedReplay, ReplayResult, ScanSummary } from '../engine/replay.js'
import type { EventReader } from '../log/event-store.js'
import { formatPosition } from '../log/position.js'
import { NowWithoutDeadlinesError } from '../snapshots/advance.js'
import type { CutInfo } from '../snapshots/cut-info.js'
import { SnapshotDamagedError } from '../snapshots/damaged.js'
import { DeltaTooLargeError } from '../snapshots/delta.js'
import { fittingCut, knownCutBefore } from '../snapshots/fitting.js'
import type { ToldFinding } from '../snapshots/found.js'
import { openSeries } from '../snapshots/open-series.js'
import { Past } from '../snapshots/past.js'
import { scanFrom } from '../snapshots/scan-from.js'
import type { Series } from '../snapshots/series.js'
import type { Context } from './context.js'
import type { ExitCode } from './exit-codes.js'
import { exitOfFound, exitOfScan, findingRow, toldRow } from './finding-output.js'
import { memoryOf } from './memory-option.js'
import { counted, type Row } from './output.js'
import { progressLine } from './progress.js'
import { filtersOf, momentOf, type ReadingOptions, replayMomentInto } from './reading.js'
import { type SnapshotOptions, snapshotsFolderOf } from './snapshot-option.js'
import { escapeText } from './text.js'

type ScanOptions = ReadingOptions & SnapshotOptions

/** Of the memory limit, what events since a snapshot may take; the rest is for results. */
const EVENTS_SHARE = 1 / 2

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
function resultOfJudged({ summary, needsSomebody, found }: JudgedReplay): ScanResult {
  return { summary, rows: rowsOf(found), code: exitOfFound({ summary, needsSomebody }) }
}

/** Scans as a command's options ask; the result is at hand only while it is used. */
export async function scanStore<Used>(
  reader: EventReader,
  projection: Projection,
  options: ScanOptions,
  context: Context,
  use: (result: ScanResult) => Used,
): Promise<Used> {
  const filters = filtersOf(options, projection)
  const series = await seriesFor(reader, projection, options, context)
  const asked = { ...options, option: '--as-of', text: options.asOf }
  const moment = await momentOf(reader, asked, context.clock(), series && knownIn(series, reader, context))
  const question = { ...options, filters, moment }
  const resumed = series && (await tellingWhy(() => resume(reader, projection, series, question, context), context))
  if (resumed) return use(resumed)
  return replayMomentInto(reader, projection, question, context, (judged) => use(resultOfJudged(judged)))
}

/** Undefined where snapshots cannot be used for what is asked, or none are there. */
async function seriesFor(
  reader: EventReader,
  projection: Projection,
  options: ScanOptions,
  context: Context,
): Promise<Series | undefined> {
  const root = snapshotsFolderOf(options, context)
  // What others say is of the present, and what had happened by a time is not what was known by a cut.
  if (root === undefined || options.fromSnapshot === false || options.lookup || options.by === 'occurred')
    return undefined
  const series = await openSeries(reader, projection, { root, maker: context.version })
  return series && tellingWhy(() => (series.count() > 0 ? series : undefined), context)
}

function knownIn(series: Series, reader: EventReader, context: Context): KnownBefore {
  return (spec) => tellingWhy(() => knownCutBefore(reader, series, spec), context)
}

async function resume(
  reader: EventReader,
  projection: Projection,
  series: Series,
  options: ScanOptions & { filters: ReturnType<typeof filtersOf>; moment: Moment },
  context: Context,
): Promise<ScanResult | undefined> {
  const { filters, moment } = options
  const { cut, now } = moment
  if (!cut) return undefined
  const past = new Past(series, await fittingCut(reader, series, { cut, now }))
  const show = progressLine(context)
  try {
    if (past.info.number === 0) return undefined
    const bytesMax = memoryOf(options, context).bytesMax * EVENTS_SHARE
    const { signal } = context.interruption
    const { summary, found, read } = await scanFrom(past, reader, projection, {
      ...{ cut, now, filters, bytesMax, signal },
      onProgress: show.update,
    })
    show.clear()
    context.stderr.write(`${describeUse(past.info, read)}\n`)
    const code = exitOfFound({ summary, needsSomebody: found.needsSomebody })
    return { summary, rows: rowsOf(found.told()), code }
  } finally {
    show.clear()
    past.close()
  }
}

function* rowsOf(found: Iterable<ToldFinding>): Iterable<Row> {
  for (const { finding, waitsFor } of found) yield toldRow(finding, waitsFor)
}

function describeUse({ cut }: CutInfo, read: number): string {
  const place = cut ? `${formatPosition(cut.position)}${cut.time === null ? '' : ` (${cut.time})`}` : ''
  return `From the snapshot at ${place}: ${counted(read, 'event')} read since`
}

/** Undefined, and why on standard error, where snapshots are of no use. */
async function tellingWhy<T>(use: () => T | Promise<T>, { stderr }: Context): Promise<T | undefined> {
  try {
    return await use()
  } catch (error) {
    if (!IN_VAIN.some((kind) => error instanceof kind)) throw error
    const remedy =
      error instanceof SnapshotDamagedError ? '. Remove its folder, and makegood snapshot makes it anew' : ''
    stderr.write(`${escapeText(`No snapshot is used: ${(error as Error).message}${remedy}`)}\n`)
    return undefined
  }
}

const IN_VAIN = [SnapshotDamagedError, DeltaTooLargeError, NowWithoutDeadlinesError]
