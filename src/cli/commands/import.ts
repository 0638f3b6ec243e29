// `import`: log files into streams. Again = nothing added.
import type { Command } from 'commander'
import { importEvents } from '../../transfer/import-events.js'
import type { Context } from '../context.js'
import { EXIT, type ExitCode } from '../exit-codes.js'
import { type LogOptions, logFilesOptions, withLogOptions } from '../log-options.js'
import { counted, formatOf, type Layout, makePrinter } from '../output.js'
import { type StoreOptions, storeOf, withStoreOptions } from '../reading.js'

type ImportOptions = StoreOptions & LogOptions

const EXAMPLES = `
Examples:
  $ makegood import --payments payments.json --tickets tickets.json
  $ makegood import --payments payments.json.gz --tickets tickets.json.gz --key data.transactionId --store ./copy`

/** Adds the command. */
export function addImport(program: Command, context: Context, run: (code: Promise<ExitCode>) => Promise<void>): void {
  withLogOptions(withStoreOptions(program.command('import')))
    .description('bring log files into a store; again = nothing added')
    .addHelpText('after', EXAMPLES)
    .action((options: ImportOptions) => run(importLogFiles(options, context)))
}

async function importLogFiles(options: ImportOptions, context: Context): Promise<ExitCode> {
  const files = context.openLogFiles(logFilesOptions(options, context))
  const store = await context.openStore(storeOf(options, context), 'write')
  try {
    const counts = await importEvents(files, store, { signal: context.interruption.signal })
    const report = files.report()
    const { stdout } = context
    const printer = makePrinter(formatOf(options.format, stdout.isTerminal), IMPORT_LAYOUT, (text) =>
      stdout.write(text),
    )
    printer.finish({ type: 'summary', ...counts, ...report })
    return report.broken > 0 ? EXIT.incomplete : EXIT.clean
  } finally {
    await store.close()
  }
}

const IMPORT_LAYOUT: Layout = {
  list: 'items',
  columns: [],
  describe: ({ added, present, broken }) => [
    `${counted(added as number, 'event')} added, ${counted(present as number, 'event')} there already, ${counted(broken as number, 'line')} unreadable.`,
  ],
}
