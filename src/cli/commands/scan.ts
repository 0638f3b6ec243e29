// `scan`: replay, fold, detect, print; on a store, or on two log files with no store at all.
import type { Command } from 'commander'
import { readCurrent, readCurrentResult } from '../../engine/current-result.js'
import type { Projection } from '../../engine/projection.js'
import { type ReplayResult, replay } from '../../engine/replay.js'
import type { EventReader } from '../../log/event-store.js'
import { msOfTicks } from '../../log/ticks.js'
import type { CompensationFile, Context, LogFilesOptions } from '../context.js'
import { EXIT, type ExitCode, UsageError, worstOf } from '../exit-codes.js'
import { isSameFile } from '../files.js'
import { exitOfScan, FINDING_LAYOUT, summaryRow } from '../finding-output.js'
import { type LogOptions, logFilesOptions, withLogOptions } from '../log-options.js'
import { withLookupOption } from '../lookup-option.js'
import { memoryOf, workersOf } from '../memory-option.js'
import { numberOption } from '../number-option.js'
import { formatOf, makePrinter, type Row } from '../output.js'
import { progressLine } from '../progress.js'
import { filtersOf, parseMoment, type ReadingOptions, storeOf, withByOption, withReadingOptions } from '../reading.js'
import { type SnapshotOptions, withSnapshotOptions } from '../snapshot-option.js'
import { resultOfReplay, type ScanResult, scanStore } from '../snapshot-scan.js'

interface ScanOptions extends ReadingOptions, LogOptions, SnapshotOptions {
  readonly limit?: number
  readonly out?: string
  readonly acceptIncomplete?: boolean
  readonly current?: boolean
}

const EXAMPLES = `
Examples:
  $ makegood scan --payments payments.json --tickets tickets.json --out events.jsonl
  $ makegood scan --store ./makegood-data --as-of 2026-05-20T12:00:00Z --rule paid-not-ticketed
  $ makegood scan --by occurred --as-of 2026-05-20T12:00:00Z`

/** Adds the command. */
export function addScan(program: Command, context: Context, run: (code: Promise<ExitCode>) => Promise<void>): void {
  withSnapshotOptions(withByOption(withLookupOption(withLogOptions(withReadingOptions(program.command('scan'))))))

    .description('replay the log, find what is wrong, print it')
    .option('--rule <id...>', 'report findings of these rules only')
    .option('--subject <id...>', 'report findings on these subjects only')
    .option('--limit <n>', 'print at most this many findings (the summary counts all)', numberOption('--limit'))
    .option('--current', 'print the result that recalculate --switch made current, instead of replaying')
    .option('--out <file>', 'log files only: append the missing events to this file, once')
    .option('--accept-incomplete', 'log files only: write --out although a ticket line could not be read')
    .addHelpText('after', EXAMPLES)
    .action((options: ScanOptions) => run(scan(options, context)))
}

async function scan(options: ScanOptions, context: Context): Promise<ExitCode> {
  const onLogs = options.payments !== undefined || options.tickets !== undefined
  const projection = await context.loadProjection(options.projection ?? (onLogs ? 'transactions' : undefined))
  if (onLogs) return scanLogs(options, projection, context)
  for (const option of ['out', 'acceptIncomplete'] as const) {
    if (options[option] !== undefined) {
      throw new UsageError(
        `--${option === 'out' ? 'out' : 'accept-incomplete'} goes with --payments and --tickets; on a store use plan and apply`,
      )
    }
  }
  if (options.current) refuseBesideCurrent(options)
  const store = await context.openStore(storeOf(options, context), 'read')
  try {
    if (options.current) return await printCurrent(store, projection, options, context)
    return await scanStore(store, projection, options, context, (result) => {
      print(result, options, context)
      return result.code
    })
  } finally {
    await store.close()
  }
}

/** A kept result answers the question that it was kept for, and no other. */
function refuseBesideCurrent(options: ScanOptions): void {
  for (const option of ['asOf', 'by', 'now', 'lookup', 'rule', 'subject'] as const) {
    if (options[option] === undefined) continue
    throw new UsageError(
      `--${option === 'asOf' ? 'as-of' : option}: --current prints a kept result as it is; leave one of both out`,
    )
  }
}

async function printCurrent(
  store: EventReader,
  { name }: Projection,
  options: ScanOptions,
  context: Context,
): Promise<ExitCode> {
  const current = await readCurrent(store, name)
  const result = await readCurrentResult(store, name, current)
  if (!result) throw new UsageError(`--current: ${name} has no current result here; make one with recalculate --switch`)
  const whole = resultOfReplay({ ...result, compensations: [], waiting: new Map() })
  print(whole, { ...options, isLasting: true }, context, { current: current.switched })
  return whole.code
}

function refuseOnLogs({ asOf, by, current }: ScanOptions): void {
  if (current) throw new UsageError('--current: results are kept in a store; leave --payments and --tickets out')
  const option = asOf === undefined ? (by === undefined ? undefined : '--by') : '--as-of'
  if (option) throw new UsageError(`${option}: log files keep no time; import them into a store first`)
}

async function scanLogs(options: ScanOptions, projection: Projection, context: Context): Promise<ExitCode> {
  refuseOnLogs(options)
  filtersOf(options, projection) // refused before a file is made
  const files = logFilesOptions(options, context)
  if (options.out === undefined) {
    const { result } = await replayLogs(files, projection, options, context)
    print(resultOfReplay(result), options, context)
    return exitOfScan(result)
  }
  await refuseInput(options.out, options)
  const out = await context.openCompensationFile(options.out)
  try {
    return await scanInto(out, files, projection, { ...options, out: options.out }, context)
  } finally {
    await out.close()
  }
}

/** What is appended to a log that is read would be taken for the other side's word. */
async function refuseInput(out: string, { payments = [], tickets = [] }: ScanOptions): Promise<void> {
  for (const [option, files] of [
    ['--payments', payments],
    ['--tickets', tickets],
  ] as const) {
    for (const file of files) {
      if (!(await isSameFile(out, file))) continue
      throw new UsageError(`--out ${out} and ${option} ${file} are the same file; --out needs one of its own`)
    }
  }
}

/** Scans and appends what is missing; the file's own lines count as tickets, so that a second run adds nothing. */
async function scanInto(
  out: CompensationFile,
  files: LogFilesOptions,
  projection: Projection,
  options: ScanOptions & { out: string },
  context: Context,
): Promise<ExitCode> {
  if (out.torn !== undefined) {
    context.stderr.write(`${options.out}: its last line was torn and has been cut off: ${JSON.stringify(out.torn)}\n`)
  }
  const tickets = out.existed ? [...files.tickets, options.out] : files.tickets
  const { result, unattributable } = await replayLogs({ ...files, tickets }, projection, options, context)
  const isRefused = unattributable > 0 && options.acceptIncomplete !== true
  if (isRefused) {
    context.stderr.write(
      `${options.out}: nothing written: ${unattributable} unreadable ticket lines could be any transaction's. Mend them, or add --accept-incomplete\n`,
    )
  }
  const subjects = isRefused ? [] : result.compensations.map(({ subject }) => subject)
  const written = await out.append(subjects)
  const withheld = result.findings.filter(({ heldBy }) => heldBy !== undefined).length
  print(resultOfReplay(result), options, context, { out: { file: options.out, written, withheld } })
  return worstOf([exitOfScan(result), isRefused ? EXIT.incomplete : undefined])
}

async function replayLogs(
  files: LogFilesOptions,
  projection: Projection,
  options: ScanOptions,
  context: Context,
): Promise<{ result: ReplayResult; unattributable: number }> {
  const logs = context.openLogFiles({ ...files, workers: workersOf(options, context) })
  const clock = context.clock()
  const show = progressLine(context)
  try {
    const result = await replay(logs, projection, {
      now: options.now === undefined ? clock : msOfTicks(parseMoment('--now', options.now, clock)),
      memory: memoryOf(options, context),
      filters: filtersOf(options, projection),
      signal: context.interruption.signal,
      onProgress: show.update,
      countUnreadable: () => logs.report().broken,
    })
    return { result, unattributable: logs.report().unattributableTickets }
  } finally {
    show.clear()
  }
}

function print(
  { summary, rows }: ScanResult,
  options: ScanOptions & { readonly isLasting?: boolean },
  { stdout }: Context,
  extra: Partial<Row> = {},
): void {
  const format = formatOf(options.format, stdout.isTerminal)
  const printer = makePrinter(format, FINDING_LAYOUT, (text) => stdout.write(text))
  let left = options.limit ?? Number.POSITIVE_INFINITY
  for (const row of rows) {
    if (left === 0) break
    left -= 1
    printer.row(row)
  }
  printer.finish({
    ...summaryRow(summary, { isLasting: options.isLasting ?? options.asOf !== undefined }),
    ...extra,
  })
}
