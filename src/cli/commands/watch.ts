// `watch`: the log live. What it runs is loaded only when it is asked for: no other command needs it.
import type { Command } from 'commander'
import type { Context } from '../context.js'
import type { ExitCode } from '../exit-codes.js'
import { type WatchCommandOptions, withWatchOptions } from '../watch-options.js'

const EXAMPLES = `
Each change of an alert is one line: opened, still-open, escalated, resolved. Bodies sent to a webhook are signed where
MAKEGOOD_WEBHOOK_SECRET is set. Ctrl-C saves what was done; the next run goes on there.

Examples:
  $ makegood watch --store ./makegood-data
  $ makegood watch --store ./makegood-data --webhook https://alerts.example/makegood --metrics-port 9464
  $ makegood watch --store 'esdb://127.0.0.1:2113?tls=false' --group ops     (any number of times: they share the work)`

/** Adds the command. */
export function addWatch(program: Command, context: Context, run: (code: Promise<ExitCode>) => Promise<void>): void {
  withWatchOptions(program.command('watch'))
    .description('follow the log live and say what becomes wrong, when its deadline passes, and what becomes right')
    .addHelpText('after', EXAMPLES)
    .action((options: WatchCommandOptions) => run(runLoaded(options, context)))
}

async function runLoaded(options: WatchCommandOptions, context: Context): Promise<ExitCode> {
  const { runWatch } = await import('../watch-run.js')
  return runWatch(options, context)
}
