// `export`: the whole log as lines of JSON, in a file that appears whole or not at all, or on standard output.
import { dirname } from 'node:path'
import type { Command } from 'commander'
import type { RecordedEvent } from '../../log/event.js'
import type { EventReader } from '../../log/event-store.js'
import { type ExportCounts, exportEvents } from '../../transfer/export-events.js'
import type { Context } from '../context.js'
import { EXIT, type ExitCode, UsageError } from '../exit-codes.js'
import { isSameFile } from '../files.js'
import { counted, formatOf, type Layout, makePrinter } from '../output.js'
import { progressLine } from '../progress.js'
import { type StoreOptions, storeOf, withStoreOptions } from '../reading.js'
import { folderOf } from '../store-folder.js'
import { openWholeFile } from '../whole-file.js'

interface ExportCommandOptions extends StoreOptions {
  readonly out: string
}

const EXAMPLES = `
Examples:
  $ makegood export --store ./makegood-data --out events.jsonl.gz
  $ makegood export --out - | grep '"stream":"payment-42"'`

/** Adds the command. */
export function addExport(program: Command, context: Context, run: (code: Promise<ExitCode>) => Promise<void>): void {
  withStoreOptions(program.command('export'))
    .description('the whole log as JSON lines, for import --events')
    .requiredOption(
      '--out <file>',
      'where to; .gz is packed; - is standard output (the summary then is on standard error)',
    )
    .addHelpText('after', EXAMPLES)
    .action((options: ExportCommandOptions) => run(exportLog(options, context)))
}

async function exportLog(options: ExportCommandOptions, context: Context): Promise<ExitCode> {
  const { out } = options
  const where = storeOf(options, context)
  await refuseStoreFolder(out, where)
  const store = await context.openStore(where, 'read')
  try {
    const counts = out === '-' ? await ontoStandardOutput(store, context) : await intoFile(store, out, context)
    const { stdout, stderr } = context
    const told = out === '-' ? stderr : stdout
    const printer = makePrinter(formatOf(options.format, told.isTerminal), LAYOUT, (text) => told.write(text))
    printer.finish({ type: 'summary', out, ...counts, head: counts.head ?? null })
    return EXIT.clean
  } finally {
    await store.close()
  }
}

/** The store's own files must not be replaced by an export of it. */
async function refuseStoreFolder(out: string, where: string): Promise<void> {
  const folder = folderOf(where)
  if (out === '-' || folder === undefined || !(await isSameFile(dirname(out), folder))) return
  throw new UsageError(`--out ${out} lies in the folder of --store ${where}; name a place outside of it`)
}

async function ontoStandardOutput(store: EventReader, context: Context): Promise<ExportCounts> {
  const { stdout } = context
  return exportTo(store, context, async (text) => {
    stdout.write(text)
    await stdout.drained()
  })
}

async function intoFile(store: EventReader, out: string, context: Context): Promise<ExportCounts> {
  const file = await openWholeFile(out)
  try {
    const counts = await exportTo(store, context, (text) => file.write(text))
    await file.finish()
    return counts
  } finally {
    await file.discard()
  }
}

async function exportTo(
  store: EventReader,
  context: Context,
  write: (text: string) => Promise<void>,
): Promise<ExportCounts> {
  const { clock, interruption } = context
  const [begun, end] = [clock(), await headCommit(store)]
  const show = progressLine(context)
  const onProgress = (events: number, { position }: RecordedEvent) =>
    show.update({ events, fraction: Number(position.commit) / end, elapsedMs: clock() - begun })
  try {
    return await exportEvents(store, write, { signal: interruption.signal, onProgress })
  } finally {
    show.clear()
  }
}

async function headCommit(store: EventReader): Promise<number> {
  for await (const { position } of store.readAll({ direction: 'backwards', maxCount: 1 }))
    return Number(position.commit)
  return 1
}

const LAYOUT: Layout = {
  list: 'items',
  columns: [],
  describe: ({ out, events, metadataEvents, tombstones, links, bytes, digest }) => [
    `${counted(events as number, 'event')} in ${counted(bytes as number, 'byte')}: ${out === '-' ? 'standard output' : out}`,
    `Of them ${counted(metadataEvents as number, 'event')} of metadata, ${counted(tombstones as number, 'tombstone')}, ${counted(links as number, 'link')}.`,
    `An export of the same events anywhere has the same digest: ${digest}`,
  ],
}
