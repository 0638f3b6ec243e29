// `snapshot`: states and results of a log at many cuts, so that a later scan need not read it from its start.
import type { Command } from 'commander'
import type { Projection } from '../../engine/projection.js'
import type { EventReader } from '../../log/event-store.js'
import { NowWithoutDeadlinesError } from '../../snapshots/advance.js'
import { type Made, makeSnapshots } from '../../snapshots/make-snapshots.js'
import { openSeries } from '../../snapshots/open-series.js'
import type { Series } from '../../snapshots/series.js'
import type { Context } from '../context.js'
import { EXIT, type ExitCode, UsageError } from '../exit-codes.js'
import { FileError } from '../files.js'
import { cutRow } from '../finding-output.js'
import { numberOption } from '../number-option.js'
import { counted, formatOf, type Layout, makePrinter, type Row } from '../output.js'
import { type StoreOptions, storeOf, withStoreOptions } from '../reading.js'
import { type SnapshotOptions, snapshotsFolderOf, withSnapshotsFolder } from '../snapshot-option.js'
import { escapeText } from '../text.js'

interface SnapshotCommandOptions extends StoreOptions, SnapshotOptions {
  readonly projection?: string
  readonly every: number
}

/** A second of folding lies between two at most. */
const EVERY_DEFAULT = 20_000
/** What lies between two is held in memory. */
const EVERY_MAX = 1_000_000

const EXAMPLES = `
Examples:
  $ makegood snapshot --store ./makegood-data
  $ makegood snapshot --store esdb://localhost:2113 --snapshots ./snapshots --every 100000`

/** Adds the command. */
export function addSnapshot(program: Command, context: Context, run: (code: Promise<ExitCode>) => Promise<void>): void {
  withSnapshotsFolder(withStoreOptions(program.command('snapshot')))
    .description('keep states and results at many cuts, from which scans go on; again: goes on from the newest')
    .option('--projection <name|file>', 'the name of a built-in projection, or a module made with defineProjection')
    .option('--every <n>', 'a cut every so many events of the log', everyOption, EVERY_DEFAULT)
    .addHelpText('after', EXAMPLES)
    .action((options: SnapshotCommandOptions) => run(snapshot(options, context)))
}

function everyOption(text: string): number {
  const every = numberOption('--every', 1)(text)
  if (every <= EVERY_MAX) return every
  throw new UsageError(`--every ${text}: at most ${EVERY_MAX}, since what lies between two cuts is held in memory`)
}

async function snapshot(options: SnapshotCommandOptions, context: Context): Promise<ExitCode> {
  const root = snapshotsFolderOf(options, context)
  if (root === undefined) throw new UsageError('--snapshots is missing: this store has no folder to keep them in')
  const projection = await context.loadProjection(options.projection)
  const store = await context.openStore(storeOf(options, context), 'read')
  try {
    const series = await openSeries(store, projection, { root, maker: context.version })
    if (!series) {
      context.stderr.write(
        `No events in ${projection.categories.join(' or ')} streams, which ${projection.name} reads\n`,
      )
      return EXIT.clean
    }
    const made = await makeHere(store, projection, series, options, context)
    print({ projection, series, made }, options, context)
    return EXIT.clean
  } finally {
    await store.close()
  }
}

async function makeHere(
  reader: EventReader,
  projection: Projection,
  series: Series,
  { every }: SnapshotCommandOptions,
  { stderr, interruption }: Context,
): Promise<Made> {
  const showsProgress = stderr.isTerminal
  try {
    return await makeSnapshots(reader, projection, series, {
      every,
      signal: interruption.signal,
      onCut: ({ number, counts }) => {
        if (showsProgress) stderr.write(`\r\u001b[KCut ${number}: ${counted(counts.events, 'event')}`)
      },
      onDropped: (why) => stderr.write(`${escapeText(`Made anew: ${why}`)}\n`),
    })
  } catch (cause) {
    throw translated(cause, series)
  } finally {
    if (showsProgress) stderr.write('\r\u001b[K')
  }
}

function translated(cause: unknown, { folder }: Series): unknown {
  if (cause instanceof NowWithoutDeadlinesError) return new UsageError(cause.message, { cause })
  const isOfFiles = cause instanceof Error && 'syscall' in cause && 'code' in cause
  return isOfFiles ? new FileError(`${folder} cannot be written: ${cause.message}`, { cause }) : cause
}

const LAYOUT: Layout = { list: 'cuts', columns: [], describe: (summary) => describe(summary) }

function print(
  { projection, series, made }: { projection: Projection; series: Series; made: Made },
  { format }: SnapshotCommandOptions,
  { stdout }: Context,
): void {
  const printer = makePrinter(formatOf(format, stdout.isTerminal), LAYOUT, (text) => stdout.write(text))
  const { name, version } = projection
  printer.finish({
    type: 'summary',
    projection: name,
    version,
    folder: series.folder,
    cuts: made.newest.number,
    made: made.made,
    newest: made.newest.cut ? cutRow(made.newest.cut) : null,
    behind: made.behind,
    bytes: series.bytes(),
    ...(made.isOvertaken && { overtaken: true }),
  })
}

function describe({ cuts, made, behind, bytes, folder, overtaken }: Row): string[] {
  const size = `${(Number(bytes) / 1e6).toFixed(1)} MB`
  return [
    `${counted(Number(made), 'cut')} made; ${counted(Number(cuts), 'cut')} in all, ${size} in ${folder}.`,
    `${counted(Number(behind), 'event')} behind the newest: further cuts are made when there are as many as --every says.`,
    ...(overtaken ? ['Another process makes cuts of the same log: this one has left the rest to it.'] : []),
  ]
}
