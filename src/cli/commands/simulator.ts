// `simulator`: the ticket authority of generated stores, in the foreground, for processes that share it.
import type { Command } from 'commander'
import type { Context } from '../context.js'
import { EXIT, type ExitCode } from '../exit-codes.js'

const EXAMPLES = `
Options are the simulator's own: --ledger FILE, --port N, --known FILE, --latency-ms N, --refusal-rate R, --lost-rate R, --garbage-rate R,
--hang-rate R, --seed N, --behaviour FILE. It prints its URL, for --authority, and admits generated stores only.

Examples:
  $ makegood simulator --ledger ledger.jsonl --known made-up/authority.jsonl
  $ makegood simulator --ledger ledger.jsonl --latency-ms 20 --lost-rate 0.05 --refusal-rate 0.01`

/** Adds the command. */
export function addSimulator(
  program: Command,
  context: Context,
  run: (code: Promise<ExitCode>) => Promise<void>,
): void {
  program
    .command('simulator [options...]')
    .description('a ticket authority for generated stores: remembers what it issued, misbehaves on request')
    .allowUnknownOption()
    .addHelpText('after', EXAMPLES)
    .action((args: readonly string[]) => run(simulate(args, context)))
}

async function simulate(args: readonly string[], context: Context): Promise<ExitCode> {
  const code = await context.runSimulator(args)
  return Object.values(EXIT).find((known) => known === code) ?? EXIT.error
}
