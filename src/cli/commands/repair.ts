// `repair`: scan, plan, approve, apply, verify in one command; the approval is a person's, or --yes.
import type { Command } from 'commander'
import { ApprovalError } from '../../repair/apply.js'
import { makePlan } from '../../repair/plan.js'
import { AUTHORITY_FLAGS, AUTHORITY_HELP, type AuthorityOptions } from '../authority-option.js'
import type { Context } from '../context.js'
import { EXIT, type ExitCode, worstOf } from '../exit-codes.js'
import { type LimitOptions, withLimitOptions } from '../limit-options.js'
import { lookupNamesOf, withLookupOption } from '../lookup-option.js'
import { withWorkerOptions } from '../memory-option.js'
import { type ReadingOptions, storeOf, withStoreOptions } from '../reading.js'
import { replayStore } from '../replay-store.js'
import { type SnapshotOptions, withSnapshotOptions } from '../snapshot-option.js'
import { applyAndPrint, exitOfApply } from './apply.js'
import { planRow, refusesIncomplete } from './plan.js'
import { exitOfVerify, verifyAndPrint } from './verify.js'

interface RepairOptions extends ReadingOptions, AuthorityOptions, LimitOptions, SnapshotOptions {
  readonly yes?: boolean
  readonly approver?: string
  readonly acceptIncomplete?: boolean
}

const EXAMPLES = `
Examples:
  $ makegood repair --authority https://tickets.example/api
  $ makegood repair --projection transactions --yes`

/** Adds the command. */
export function addRepair(program: Command, context: Context, run: (code: Promise<ExitCode>) => Promise<void>): void {
  withSnapshotOptions(
    withWorkerOptions(withLookupOption(withLimitOptions(withStoreOptions(program.command('repair'))))),
  )
    .description('scan, plan, approve (asks), apply, verify')
    .option('--yes', 'approve without being asked')
    .option('--approver <name>', 'who approves (default: who runs the command)')
    .option(AUTHORITY_FLAGS, AUTHORITY_HELP)
    .option('--projection <name|file>', 'the name of a built-in projection, or a module made with defineProjection')
    .option('--rule <id...>', 'repair findings of these rules only')
    .option('--subject <id...>', 'repair findings on these subjects only')
    .option('--now <time>', 'generated stores only: what rules take for the present')
    .option('--accept-incomplete', 'repair although something in range could not be read')
    .addHelpText('after', EXAMPLES)
    .action((options: RepairOptions) => run(repair(options, context)))
}

async function repair(options: RepairOptions, context: Context): Promise<ExitCode> {
  const projection = await context.loadProjection(options.projection)
  const store = await context.openStore(storeOf(options, context), 'write')
  try {
    const result = await replayStore(store, projection, options, context)
    if (refusesIncomplete(result, options, context)) return EXIT.incomplete
    const plan = makePlan(result, projection, lookupNamesOf(options))
    const { items, subjects, cases, digest } = planRow(plan, '')
    context.stderr.write(`Plan ${digest}: ${items} items on ${subjects} subjects, ${cases} findings for a person\n`)
    if (plan.items.length > 0 && !(await isApproved(options, context))) {
      throw new ApprovalError('Not approved: nothing was done. Off a terminal a repair needs --yes')
    }
    const applied = await applyAndPrint({ plan, projection, store, context }, { ...options, approve: plan.digest })
    const campaign = plan.items.length > 0 ? { campaign: applied.campaign } : {}
    const verified = await verifyAndPrint({ projection, store, context }, { ...options, ...campaign })
    const person = verified.replay.findings.some(({ disposition }) => disposition !== 'observe')
    return worstOf([exitOfApply(applied), exitOfVerify(verified), person ? EXIT.findings : undefined])
  } finally {
    await store.close()
  }
}

async function isApproved({ yes }: RepairOptions, { stdout, ask }: Context): Promise<boolean> {
  if (yes) return true
  return stdout.isTerminal ? ask('Apply this plan?') : false
}
