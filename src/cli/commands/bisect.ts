// `bisect`: since when a finding of a rule has been true: of a subject the event, or the moment, that made it so; of all subjects the window.
import type { Command } from 'commander'
import { BisectError, type Bisection, bisect } from '../../engine/bisect.js'
import type { Cut } from '../../engine/cut.js'
import { histogramOf, TooManyBucketsError } from '../../engine/histogram.js'
import type { Moment } from '../../engine/moment.js'
import type { Projection } from '../../engine/projection.js'
import type { Turn } from '../../engine/turns.js'
import type { EventReader } from '../../log/event-store.js'
import { readStoreMarker } from '../../log/store-marker.js'
import {
  describeTurn,
  HISTOGRAM_LAYOUTS,
  histogramRows,
  summaryOfTurns,
  TURN_LAYOUT,
  turnRow,
} from '../bisect-output.js'
import type { Context } from '../context.js'
import { durationOption } from '../duration-option.js'
import { EXIT, type ExitCode, UsageError, worstOf } from '../exit-codes.js'
import { memoryOf } from '../memory-option.js'
import { counted, formatOf, makePrinter } from '../output.js'
import { progressLine } from '../progress.js'
import { momentOf, type ReadingOptions, storeOf, withByOption, withReadingOptions } from '../reading.js'
import { type SnapshotOptions, withSnapshotOptions } from '../snapshot-option.js'
import { UsableSnapshots } from '../usable-snapshots.js'

interface BisectCommandOptions extends ReadingOptions, SnapshotOptions {
  readonly bucket?: number
  readonly each?: boolean
}

const EXAMPLES = `
Examples:
  $ makegood bisect paid-not-ticketed --subject B000042
  $ makegood bisect paid-not-ticketed --by occurred --bucket 1h`

/** Adds the command. */
export function addBisect(program: Command, context: Context, run: (code: Promise<ExitCode>) => Promise<void>): void {
  withSnapshotOptions(withByOption(withReadingOptions(program.command('bisect <rule>'))))
    .description('the event, or the moment, at which findings of a rule became true; for all subjects as a histogram')
    .option('--subject <id...>', 'these subjects, turn by turn')
    .option('--each', 'every turn of every subject instead of the histogram')
    .option(
      '--bucket <length>',
      "the histogram's step, such as 15m or 1h (default: what fits)",
      durationOption('--bucket'),
    )
    .addHelpText('after', EXAMPLES)
    .action((rule: string, options: BisectCommandOptions) => run(bisectStore(rule, options, context)))
}

async function bisectStore(rule: string, options: BisectCommandOptions, context: Context): Promise<ExitCode> {
  const isEach = options.each === true || options.subject !== undefined
  if (isEach && options.bucket !== undefined)
    throw new UsageError('--bucket is for all subjects: leave --subject and --each out')
  const projection = await context.loadProjection(options.projection)
  const store = await context.openStore(storeOf(options, context), 'read')
  try {
    const { knownBefore } = new UsableSnapshots(store, projection, options, context)
    const asked = { ...options, option: '--as-of', text: options.asOf }
    const moment = await momentOf(store, asked, context.clock(), knownBefore)
    await warnOfGenerated(store, moment, context)
    const { turns, unattributable } = moment.cut
      ? await turnsIn(store, projection, { rule, moment, cut: moment.cut, options, context })
      : { turns: [], unattributable: 0 }
    if (isEach) printTurns(turns, { rule, moment, options }, context)
    else printHistogram(turns, { rule, moment, options }, context)
    if (unattributable > 0)
      context.stderr.write(`INCOMPLETE: ${counted(unattributable, 'event')} cannot be told whose they are\n`)
    return worstOf([unattributable > 0 ? EXIT.incomplete : undefined, turns.length > 0 ? EXIT.findings : undefined])
  } finally {
    await store.close()
  }
}

/** By the times at which they were taken in, the events of a made-up store say when it was made up. */
async function warnOfGenerated(store: EventReader, { happenedBy }: Moment, { stderr }: Context): Promise<void> {
  if (happenedBy !== undefined || !(await readStoreMarker(store))) return
  stderr.write('This store is generated, all of it while it was made: --by occurred asks by the time of its story\n')
}

interface Question {
  readonly rule: string
  readonly moment: Moment
  readonly options: BisectCommandOptions
}

async function turnsIn(
  store: EventReader,
  projection: Projection,
  { rule, moment, cut, options, context }: Question & { readonly cut: Cut; readonly context: Context },
): Promise<Bisection> {
  const show = progressLine(context)
  try {
    return await bisect(store, projection, {
      rule,
      axis: moment.happenedBy === undefined ? 'known' : 'occurred',
      cut,
      now: moment.now,
      memory: memoryOf(options, context),
      signal: context.interruption.signal,
      onProgress: show.update,
      ...(options.subject && { subjects: options.subject }),
    })
  } catch (error) {
    throw error instanceof BisectError ? new UsageError(`bisect ${error.message}`, { cause: error }) : error
  } finally {
    show.clear()
  }
}

function printTurns(turns: readonly Turn[], { rule, moment, options }: Question, { stdout }: Context): void {
  const printer = makePrinter(formatOf(options.format, stdout.isTerminal), TURN_LAYOUT, (text) => stdout.write(text))
  for (const turn of turns) printer.row(turnRow(turn))
  const first = turns.find(({ kind }) => kind === 'came')
  printer.finish({
    ...summaryOfTurns(rule, moment, turns),
    first: first ? turnRow(first) : null,
    told: first ? describeTurn(first) : `${rule} was never true.`,
  })
}

function printHistogram(turns: readonly Turn[], { rule, moment, options }: Question, { stdout }: Context): void {
  const histogram = histogramWith(turns, options.bucket)
  const format = formatOf(options.format, stdout.isTerminal)
  const printer = makePrinter(format, HISTOGRAM_LAYOUTS[format === 'table' ? 'table' : 'plain'], (text) =>
    stdout.write(text),
  )
  for (const row of histogramRows(histogram)) printer.row(row)
  const { window, bucketMs } = histogram
  const shown = window && {
    from: new Date(window.from).toISOString(),
    to: new Date(window.to).toISOString(),
    came: window.came,
  }
  printer.finish({ ...summaryOfTurns(rule, moment, turns), bucketMs, window: shown ?? null })
}

function histogramWith(turns: readonly Turn[], bucketMs: number | undefined) {
  try {
    return histogramOf(turns, bucketMs)
  } catch (error) {
    throw error instanceof TooManyBucketsError ? new UsageError(`--bucket: ${error.message}`, { cause: error }) : error
  }
}
