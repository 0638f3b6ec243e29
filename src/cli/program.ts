// The program: all commands under one name, and what becomes of a failure: one line on standard error and an exit code.
import { Command, CommanderError } from 'commander'
import { addApply } from './commands/apply.js'
import { addBisect } from './commands/bisect.js'
import { addDemo } from './commands/demo.js'
import { addDiff } from './commands/diff.js'
import { addDoctor } from './commands/doctor.js'
import { addExport } from './commands/export.js'
import { addFold } from './commands/fold.js'
import { addGenerate } from './commands/generate.js'
import { addImport } from './commands/import.js'
import { addPlan } from './commands/plan.js'
import { addRecalculate } from './commands/recalculate.js'
import { addRecords } from './commands/records.js'
import { addRepair } from './commands/repair.js'
import { addScan } from './commands/scan.js'
import { addServe } from './commands/serve.js'
import { addSimulator } from './commands/simulator.js'
import { addSnapshot } from './commands/snapshot.js'
import { addState } from './commands/state.js'
import { addTimeline } from './commands/timeline.js'
import { addVerify } from './commands/verify.js'
import { addWatch } from './commands/watch.js'
import type { Context } from './context.js'
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.js'
import { escapeText } from './text.js'

const COMMANDS = [
  addDemo,
  addGenerate,
  addScan,
  addPlan,
  addApply,
  addRepair,
  addVerify,
  addWatch,
  addState,
  addTimeline,
  addDiff,
  addBisect,
  addRecalculate,
  addRecords,
  addImport,
  addExport,
  addFold,
  addSnapshot,
  addServe,
  addSimulator,
  addDoctor,
]

/** Runs one command line (without node and script) and returns the exit code. Never throws. */
export async function runProgram(args: readonly string[], context: Context): Promise<ExitCode> {
  let code: ExitCode = EXIT.clean
  const program = makeProgram(context, async (result) => {
    code = await result
  })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.clean : EXIT.usage
    return reportFailure(error, context)
  }
}

function makeProgram(context: Context, run: (code: Promise<ExitCode>) => Promise<void>): Command {
  const { stdout, stderr } = context
  const program = new Command('makegood')
    .description(
      'Replays event streams, finds what was paid for and never delivered, and makes it good: once, guarded, with the proof beside it.',
    )
    .version(context.version)
    .option('--log-level <level>', 'fatal, error, warn, info, debug or trace, on standard error (default: warn)')
    .option('--no-color', 'no colours (NO_COLOR is honoured too)')
    .hook('preAction', (self) => context.setLogLevel(self.opts<{ logLevel?: string }>().logLevel))
  for (const add of COMMANDS) add(program, context, run)
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
    })
  }
  return program
}

function reportFailure(error: unknown, { stderr, logger }: Context): ExitCode {
  const code = exitCodeOf(error)
  const message = error instanceof Error ? error.message : String(error)
  stderr.write(code === EXIT.interrupted ? 'interrupted\n' : `makegood: ${escapeText(message)}\n`)
  logger.debug({ err: error }, 'failure')
  return code
}
