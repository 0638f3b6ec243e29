// `verify`: an independent replay after a repair: every item good, no document twice.
import type { Command } from 'commander'
import { resolveCut } from '../../engine/cut.js'
import type { Projection } from '../../engine/projection.js'
import type { EventStore } from '../../log/event-store.js'
import { type VerifyResult, verify } from '../../repair/verify.js'
import type { Context } from '../context.js'
import { EXIT, type ExitCode, worstOf } from '../exit-codes.js'
import { resourcesOf, withWorkerOptions } from '../memory-option.js'
import { counted, formatOf, type Layout, makePrinter } from '../output.js'
import { progressLine } from '../progress.js'
import { nowOf, type ReadingOptions, storeOf, withStoreOptions } from '../reading.js'

interface VerifyOptions extends ReadingOptions {
  readonly campaign?: string
}

const EXAMPLES = `
Examples:
  $ makegood verify
  $ makegood verify --campaign 3b0c… --format json`

/** Adds the command. */
export function addVerify(program: Command, context: Context, run: (code: Promise<ExitCode>) => Promise<void>): void {
  withWorkerOptions(withStoreOptions(program.command('verify')))
    .description('replay independently and check that every repaired item is good, once')
    .option('--campaign <id>', 'this campaign only (default: all)')
    .option('--projection <name|file>', 'the name of a built-in projection, or a module made with defineProjection')
    .option('--now <time>', 'what rules take for the present (default: the clock)')
    .addHelpText('after', EXAMPLES)
    .action((options: VerifyOptions) => run(verifyStore(options, context)))
}

async function verifyStore(options: VerifyOptions, context: Context): Promise<ExitCode> {
  const projection = await context.loadProjection(options.projection)
  const store = await context.openStore(storeOf(options, context), 'read')
  try {
    return exitOfVerify(await verifyAndPrint({ projection, store, context }, options))
  } finally {
    await store.close()
  }
}

/** Verifies and prints what is not good, then the summary. */
export async function verifyAndPrint(
  { projection, store, context }: { projection: Projection; store: EventStore; context: Context },
  options: VerifyOptions,
): Promise<VerifyResult> {
  const clock = context.clock()
  const cut = await resolveCut(store, { kind: 'head' }, clock)
  const show = progressLine(context)
  const result = await verify(store, projection, {
    ...(cut && { cut }),
    now: await nowOf(options, cut, store, clock),
    ...resourcesOf(options, context),
    signal: context.interruption.signal,
    onProgress: show.update,
    ...(options.campaign !== undefined && { campaign: options.campaign }),
  }).finally(show.clear)
  const printer = makePrinter(formatOf(options.format, context.stdout.isTerminal), VERIFY_LAYOUT, (text) =>
    context.stdout.write(text),
  )
  for (const { campaign, item, why } of result.bad) printer.row({ type: 'bad', campaign, ...item, why })
  const { summary } = result.replay
  printer.finish({
    type: 'summary',
    campaigns: result.campaigns,
    items: result.items,
    bad: result.bad.length,
    doubled: result.doubled,
    coverage: summary.coverage,
    findings: summary.findings,
    digest: summary.digest,
  })
  return result
}

const VERIFY_LAYOUT: Layout = {
  list: 'bad',
  columns: [
    { head: 'subject', of: (row) => row.subject },
    { head: 'stream', of: (row) => row.stream },
    { head: 'why', of: (row) => row.why },
  ],
  describe: ({ campaigns, items, bad, doubled, coverage }) => [
    `${counted(items as number, 'item')} of ${counted((campaigns as string[]).length, 'campaign')}: ${
      bad === 0 ? 'all good' : `${bad} NOT GOOD`
    }, ${counted(Object.keys(doubled as object).length, 'document')} recorded twice.`,
    `Read independently: ${counted((coverage as { events: number }).events, 'event')}.`,
  ],
}

/** A verification's exit code. */
export function exitOfVerify({ bad, doubled, replay }: VerifyResult): ExitCode {
  return worstOf([
    bad.length > 0 || Object.keys(doubled).length > 0 ? EXIT.error : undefined,
    replay.summary.coverage.complete ? undefined : EXIT.incomplete,
  ])
}
