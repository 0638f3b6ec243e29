// `plan`: a scan's repairable findings as ordered compensations, in a file that an approval can name by its digest.
import type { Command } from 'commander'
import type { ReplayResult } from '../../engine/replay.js'
import { formatPlan, makePlan, type Plan } from '../../repair/plan.js'
import type { Context } from '../context.js'
import { EXIT, type ExitCode } from '../exit-codes.js'
import { writeWhole } from '../files.js'
import { countWaiting } from '../finding-output.js'
import { lookupNamesOf, withLookupOption } from '../lookup-option.js'
import { counted, formatOf, type Layout, makePrinter, type Row } from '../output.js'
import { type ReadingOptions, storeOf, withReadingOptions } from '../reading.js'
import { replayStore } from '../replay-store.js'
import { type SnapshotOptions, withSnapshotOptions } from '../snapshot-option.js'

interface PlanOptions extends ReadingOptions, SnapshotOptions {
  readonly out: string
  readonly acceptIncomplete?: boolean
}

const EXAMPLES = `
Examples:
  $ makegood plan --out plan.json
  $ makegood plan --store ./makegood-data --projection transactions --out plan.json`

/** Adds the command. */
export function addPlan(program: Command, context: Context, run: (code: Promise<ExitCode>) => Promise<void>): void {
  withSnapshotOptions(withLookupOption(withReadingOptions(program.command('plan'))))
    .description('write down what would make the findings good, with a digest to approve')
    .requiredOption('--out <file>', 'the plan file')
    .option('--rule <id...>', 'plan findings of these rules only')
    .option('--subject <id...>', 'plan findings on these subjects only')
    .option('--accept-incomplete', 'plan although something in range could not be read')
    .addHelpText('after', EXAMPLES)
    .action((options: PlanOptions) => run(plan(options, context)))
}

async function plan(options: PlanOptions, context: Context): Promise<ExitCode> {
  const projection = await context.loadProjection(options.projection)
  const store = await context.openStore(storeOf(options, context), 'read')
  try {
    const result = await replayStore(store, projection, options, context)
    if (refusesIncomplete(result, options, context)) return EXIT.incomplete
    const made = makePlan(result, projection, lookupNamesOf(options))
    await writeWhole(options.out, formatPlan(made))
    printPlan({ ...planRow(made, options.out), waiting: countWaiting(result.waiting) }, options, context)
    return result.summary.coverage.complete ? EXIT.clean : EXIT.incomplete
  } finally {
    await store.close()
  }
}

/** Says why no plan is made of an incomplete reading, unless that was accepted. */
export function refusesIncomplete(
  { summary }: ReplayResult,
  { acceptIncomplete }: { readonly acceptIncomplete?: boolean },
  { stderr }: Context,
): boolean {
  if (summary.coverage.complete || acceptIncomplete) return false
  stderr.write(
    `No plan: ${counted(summary.coverage.unattributable, 'event')} cannot be told whose they are; any of them could be what seems to be missing. Mend them, or add --accept-incomplete\n`,
  )
  return true
}

const PLAN_LAYOUT: Layout = {
  list: 'items',
  columns: [],
  describe: (row) => [
    `${counted(row.items as number, 'item')} on ${counted(row.subjects as number, 'subject')}; ${counted(row.cases as number, 'finding')} left for a person.`,
    ...Object.entries(row.waiting as Record<string, number>).map(
      ([guard, count]) => `Not planned: ${counted(count, 'finding')}, for this does not hold: ${guard}`,
    ),
    `Rules ${row.projection} ${row.version}, now = ${row.now}, policy ${JSON.stringify(row.policy)}`,
    `Approve with: makegood apply ${row.out} --approve ${row.digest}`,
  ],
}

/** What was planned, in one row. */
export function planRow(plan: Plan, out: string): Row {
  return {
    type: 'summary',
    out,
    projection: plan.projection,
    version: plan.version,
    policy: plan.policy,
    now: plan.now,
    cut: plan.cut,
    items: plan.items.length,
    subjects: new Set(plan.items.map(({ subject }) => subject)).size,
    cases: plan.cases.length,
    digest: plan.digest,
  }
}

function printPlan(row: Row, options: PlanOptions, { stdout }: Context): void {
  const format = formatOf(options.format, stdout.isTerminal)
  makePrinter(format, PLAN_LAYOUT, (text) => stdout.write(text)).finish(row)
}
