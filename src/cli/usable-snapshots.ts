// The snapshots that a command may go on from, looked for when they are first needed. Where they cannot be used it is told why on standard error, once,
// and they are left alone; the log is then read from its start.
import { existsSync } from 'node:fs'
import type { KnownBefore } from '../engine/cut.js'
import type { Projection } from '../engine/projection.js'
import type { ReplayOptions } from '../engine/replay.js'
import type { EventReader } from '../log/event-store.js'
import { formatPosition } from '../log/position.js'
import { NowWithoutDeadlinesError } from '../snapshots/advance.js'
import { boundariesIn } from '../snapshots/boundaries.js'
import type { CutInfo } from '../snapshots/cut-info.js'
import { SnapshotDamagedError } from '../snapshots/damaged.js'
import { DeltaTooLargeError } from '../snapshots/delta.js'
import { fittingCut, knownCutBefore } from '../snapshots/fitting.js'
import { openSeries } from '../snapshots/open-series.js'
import { Past } from '../snapshots/past.js'
import type { ScanFromOptions } from '../snapshots/scan-from.js'
import type { Series } from '../snapshots/series.js'
import type { Context } from './context.js'
import { memoryOf } from './memory-option.js'
import { counted } from './output.js'
import { progressLine } from './progress.js'
import { filtersOf, momentOf, type ReadingOptions, type SettledOptions } from './reading.js'
import { type SnapshotOptions, snapshotsFolderOf } from './snapshot-option.js'
import { escapeText } from './text.js'

/** Of the memory limit, what events since a snapshot may take; the rest is for results. */
const EVENTS_SHARE = 1 / 2

/** Fewer events are read before another thread has begun. */
const EVENTS_WORTH_RANGES = 50_000

const IN_VAIN = [SnapshotDamagedError, DeltaTooLargeError, NowWithoutDeadlinesError]

/** Answers a question from a cut of the past. */
export type Resume<Result> = (
  past: Past,
  reader: EventReader,
  projection: Projection,
  options: ScanFromOptions,
) => Promise<Result>

export class UsableSnapshots {
  readonly reader: EventReader
  readonly projection: Projection
  readonly #options: ReadingOptions & SnapshotOptions
  readonly #context: Context
  readonly #told = new Set<string>()
  #series: Promise<Series | undefined> | undefined

  constructor(
    reader: EventReader,
    projection: Projection,
    options: ReadingOptions & SnapshotOptions,
    context: Context,
  ) {
    this.reader = reader
    this.projection = projection
    this.#options = options
    this.#context = context
  }

  /** As resolveCut has it. */
  readonly knownBefore: KnownBefore = (spec) =>
    this.#whereUsable((series) => knownCutBefore(this.reader, series, spec, this.#tellForeign))

  /** As ReplayOptions has it: where a log that is read from its start may be cut. */
  readonly splitAll: NonNullable<ReplayOptions['splitAll']> = async (to, ranges) => {
    const root = this.#root
    return root === undefined ? [] : boundariesIn(root, this.reader, { to, ranges, eventsMin: EVENTS_WORTH_RANGES })
  }

  /** Answers a question from the newest cut that fits, and tells which one it was; undefined where none can be used. */
  resume<Result extends { readonly read: number }>(
    question: SettledOptions,
    run: Resume<Result>,
  ): Promise<Result | undefined> | undefined {
    const { cut, now, happenedBy } = question.moment
    // What others say is of the present, and what had happened by a time is not what was known by a cut.
    if (!cut || happenedBy !== undefined || question.lookup) return undefined
    return this.#whereUsable(async (series) => {
      const past = new Past(series, await fittingCut(this.reader, series, { cut, now }, this.#tellForeign))
      try {
        return past.info.number === 0 ? undefined : await this.#resumeFrom(past, { ...question, cut }, run)
      } finally {
        past.close()
      }
    })
  }

  async #resumeFrom<Result extends { readonly read: number }>(
    past: Past,
    { filters, cut, moment, ...options }: SettledOptions & Pick<ScanFromOptions, 'cut'>,
    run: Resume<Result>,
  ): Promise<Result> {
    const { interruption, stderr } = this.#context
    const bytesMax = memoryOf(options, this.#context).bytesMax * EVENTS_SHARE
    const show = progressLine(this.#context)
    try {
      const settings = { cut, now: moment.now, filters, bytesMax, signal: interruption.signal, onProgress: show.update }
      const result = await run(past, this.reader, this.projection, settings)
      show.clear()
      stderr.write(`${describeUse(past.info, result.read)}\n`)
      return result
    } finally {
      show.clear()
    }
  }

  async #whereUsable<T>(use: (series: Series) => Promise<T | undefined>): Promise<T | undefined> {
    try {
      this.#series ??= this.#open()
      const series = await this.#series
      return series && (await use(series))
    } catch (error) {
      if (!IN_VAIN.some((kind) => error instanceof kind)) throw error
      const remedy =
        error instanceof SnapshotDamagedError ? '. Remove its folder, and makegood snapshot makes it anew' : ''
      this.#tell(`No snapshot is used: ${(error as Error).message}${remedy}`)
      return undefined
    }
  }

  /** Undefined where there are none that can be used. */
  async #open(): Promise<Series | undefined> {
    const root = this.#root
    if (root === undefined) return undefined
    const series = await openSeries(this.reader, this.projection, { root, maker: this.#context.version })
    if (!series || series.count() > 0) return series
    if (series.hasOthersBeside()) {
      const { name } = this.projection
      this.#tell(
        `No snapshot is used: those of ${name} in ${root} are of another log, of other rules or of another version of Makegood; makegood snapshot makes new ones`,
      )
    }
    return undefined
  }

  /** Undefined where there are none, or they are not to be used. */
  get #root(): string | undefined {
    const root = snapshotsFolderOf(this.#options, this.#context)
    return root === undefined || this.#options.fromSnapshot === false || !existsSync(root) ? undefined : root
  }

  readonly #tellForeign = (why: string) => {
    const passedOver = 'Snapshots are passed over'
    this.#tell(`${passedOver}: ${why}; makegood snapshot removes them`, passedOver)
  }

  /** Once: `about` is what is told of, where further words of it may differ. */
  #tell(text: string, about = text): void {
    if (!this.#told.has(about)) this.#context.stderr.write(`${escapeText(text)}\n`)
    this.#told.add(about)
  }
}

function describeUse({ cut }: CutInfo, read: number): string {
  const place = cut ? `${formatPosition(cut.position)}${cut.time === null ? '' : ` (${cut.time})`}` : ''
  return `From the snapshot at ${place}: ${counted(read, 'event')} read since`
}

/** What a command asks of a store, its moment settled, and the snapshots from which it may be answered. Throws as filtersOf and momentOf do. */
export async function settleQuestion(
  reader: EventReader,
  projection: Projection,
  options: ReadingOptions & SnapshotOptions,
  context: Context,
): Promise<{ readonly question: SettledOptions; readonly snapshots: UsableSnapshots }> {
  const filters = filtersOf(options, projection)
  const snapshots = new UsableSnapshots(reader, projection, options, context)
  const asked = { ...options, option: '--as-of', text: options.asOf }
  const moment = await momentOf(reader, asked, context.clock(), snapshots.knownBefore)
  return { question: { ...options, filters, moment }, snapshots }
}
