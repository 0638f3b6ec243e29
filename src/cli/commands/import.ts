// `import`: log files into streams, or an exported log into a store. Again = nothing added.
import type { Command } from 'commander'
import { importEvents } from '../../transfer/import-events.js'
import { type ImportedLines, importLines } from '../../transfer/import-lines.js'
import type { Losses } from '../../transfer/line-writer.js'
import type { Stop } from '../../transfer/located-line.js'
import type { Context } from '../context.js'
import { EXIT, type ExitCode, UsageError } from '../exit-codes.js'
import { type LogOptions, logFilesOptions, withLogOptions } from '../log-options.js'
import { counted, formatOf, type Layout, makePrinter, type Row } from '../output.js'
import { progressLine } from '../progress.js'
import { type StoreOptions, storeOf, withStoreOptions } from '../reading.js'
import { escapeText } from '../text.js'

interface ImportOptions extends StoreOptions, LogOptions {
  readonly events?: readonly string[]
}

const EXAMPLES = `
Examples:
  $ makegood import --payments payments.json --tickets tickets.json
  $ makegood import --events events.jsonl.gz --store ./copy`

/** Adds the command. */
export function addImport(program: Command, context: Context, run: (code: Promise<ExitCode>) => Promise<void>): void {
  withLogOptions(withStoreOptions(program.command('import')))
    .description('bring log files, or an exported log, into a store; again = nothing added')
    .option('--events <file...>', 'lines that export or generate wrote, in order; - is standard input, .gz is read too')
    .addHelpText('after', EXAMPLES)
    .action((options: ImportOptions) => run(importInto(options, context)))
}

async function importInto(options: ImportOptions, context: Context): Promise<ExitCode> {
  const { events, payments, tickets } = options
  if (events) return importEventFiles(events, options, context)
  if (payments || tickets) return importLogFiles(options, context)
  throw new UsageError('nothing to import: name --events, or --payments and --tickets')
}

async function importLogFiles(options: ImportOptions, context: Context): Promise<ExitCode> {
  const files = context.openLogFiles(logFilesOptions(options, context))
  const store = await context.openStore(storeOf(options, context), 'write')
  try {
    const counts = await importEvents(files, store, { signal: context.interruption.signal })
    const report = files.report()
    print({ ...counts, ...report }, LOGS_LAYOUT, options, context)
    return report.broken > 0 ? EXIT.incomplete : EXIT.clean
  } finally {
    await store.close()
  }
}

async function importEventFiles(files: readonly string[], options: ImportOptions, context: Context): Promise<ExitCode> {
  refuseMixture(files, options)
  const store = await context.openStore(storeOf(options, context), 'write')
  const begun = context.clock()
  const show = progressLine(context)
  const onProgress = (events: number) =>
    show.update({ events, fraction: undefined, elapsedMs: context.clock() - begun })
  try {
    const { signal } = context.interruption
    const imported = await importLines(context.readLines(files), store, { signal, onProgress })
    show.clear()
    return report(imported, options, context)
  } finally {
    show.clear()
    await store.close()
  }
}

/** Throws UsageError, naming both options. */
function refuseMixture(files: readonly string[], options: ImportOptions): void {
  for (const [name, option] of [
    ['payments', '--payments'],
    ['tickets', '--tickets'],
    ['key', '--key'],
    ['paymentTypes', '--payment-types'],
    ['ticketTypes', '--ticket-types'],
  ] as const) {
    if (options[name] !== undefined) {
      throw new UsageError(`--events and ${option} cannot go together: import one after the other`)
    }
  }
  if (files.filter((file) => file === '-').length > 1) {
    throw new UsageError('--events -: standard input can be read once only')
  }
}

/** A stop is told on standard error as `file:line: why`, whatever the format. */
function report({ stopped, ...counts }: ImportedLines, options: ImportOptions, context: Context): ExitCode {
  if (stopped && stopped.kind !== 'interrupted') {
    context.stderr.write(`${escapeText(`${stopped.file}:${stopped.line}: ${stopped.why}`)}\n`)
  }
  const place = stopped && { stoppedAt: { file: stopped.file, line: stopped.line, kind: stopped.kind } }
  print({ ...counts, complete: stopped === undefined, ...place }, EVENTS_LAYOUT, options, context)
  return stopped ? EXIT_OF_STOP[stopped.kind] : EXIT.clean
}

/** What was not read is not covered; an event that does not fit is a failure. */
const EXIT_OF_STOP: Readonly<Record<Stop['kind'], ExitCode>> = {
  broken: EXIT.incomplete,
  refused: EXIT.error,
  interrupted: EXIT.interrupted,
}

function print(summary: Omit<Row, 'type'>, layout: Layout, { format }: ImportOptions, { stdout }: Context): void {
  const printer = makePrinter(formatOf(format, stdout.isTerminal), layout, (text) => stdout.write(text))
  printer.finish({ type: 'summary', ...summary })
}

const LOGS_LAYOUT: Layout = {
  list: 'items',
  columns: [],
  describe: ({ added, present, broken }) => [
    `${counted(added as number, 'event')} added, ${counted(present as number, 'event')} there already, ${counted(broken as number, 'line')} unreadable.`,
  ],
}

const EVENTS_LAYOUT: Layout = {
  list: 'items',
  columns: [],
  describe: ({ added, present, gaps, losses, stoppedAt }) => [
    `${counted(added as number, 'event')} added, ${counted(present as number, 'event')} there already.`,
    ...(gaps === 0
      ? []
      : [`${counted(gaps as number, 'gap')}: revisions that the log does not have, and the store will not.`]),
    ...Object.entries(LOSSES).flatMap(([name, what]) => {
      const count = (losses as Losses | undefined)?.[name as keyof Losses] ?? 0
      return count === 0 ? [] : [`${counted(count, 'event')}: ${what}.`]
    }),
    ...(stoppedAt
      ? [`Stopped at ${(stoppedAt as Stop).file}:${(stoppedAt as Stop).line}; run it again to go on from there.`]
      : []),
  ],
}

const LOSSES: Readonly<Record<keyof Losses, string>> = {
  timesMoved: 'the time is in the metadata, as makegood.created: this store stamps its own',
  timesLost: 'the time is lost: the metadata is no JSON object that could keep it',
  renumbered: 'another revision, the former one in the metadata as makegood.revision: this store counts without holes',
  metadataChanged: 'metadata counted anew ($tb), or written by the store itself',
  tombstonesRenewed: 'tombstones with another id and time',
  systemEvents: "not copied: streams whose names begin with $ are a server's own",
}
