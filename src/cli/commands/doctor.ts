// `doctor`: is the store sound, the clock sane, the program's platform new enough; and how to mend what is not.
import type { Command } from 'commander'
import type { Context } from '../context.js'
import { EXIT, type ExitCode } from '../exit-codes.js'
import { formatOf, type Layout, makePrinter } from '../output.js'
import { type StoreOptions, storeOf, withStoreOptions } from '../reading.js'

/** Adds the command. */
export function addDoctor(program: Command, context: Context, run: (code: Promise<ExitCode>) => Promise<void>): void {
  withStoreOptions(program.command('doctor'))
    .description('check the store (checksums, density, positions), the clock, the versions')
    .addHelpText('after', '\nExamples:\n  $ makegood doctor\n  $ makegood doctor --store ./makegood-data --format json')
    .action((options: StoreOptions) => run(examine(options, context)))
}

async function examine(options: StoreOptions, context: Context): Promise<ExitCode> {
  const checks = await context.examineStore(storeOf(options, context), context.clock)
  const { stdout } = context
  const printer = makePrinter(formatOf(options.format, stdout.isTerminal), DOCTOR_LAYOUT, (text) => stdout.write(text))
  for (const check of checks) printer.row({ type: 'check', ...check })
  const failed = checks.filter(({ ok }) => !ok).length
  printer.finish({ type: 'summary', checks: checks.length, failed })
  return failed === 0 ? EXIT.clean : EXIT.error
}

const DOCTOR_LAYOUT: Layout = {
  list: 'checks',
  columns: [
    { head: 'check', of: (row) => row.check },
    { head: 'result', of: (row) => (row.ok ? 'ok' : 'NOT OK') },
    { head: 'found', of: (row) => row.found },
    { head: 'to mend it', of: (row) => row.mend },
  ],
  describe: ({ checks, failed }) => [
    failed === 0 ? `All ${checks} checks passed.` : `${failed} of ${checks} checks failed.`,
  ],
}
