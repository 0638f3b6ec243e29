// `apply`: carries out an approved plan. Again = goes on; when all is done, again = appends nothing.
import type { Command } from 'commander'
import type { LookUp } from '../../engine/judge-part.js'
import type { Projection } from '../../engine/projection.js'
import type { EventStore } from '../../log/event-store.js'
import { readStoreMarker } from '../../log/store-marker.js'
import { msOfTicks, parseTicks } from '../../log/ticks.js'
import { type ApplySummary, applyPlan } from '../../repair/apply.js'
import type { Authority } from '../../repair/authority.js'
import type { ItemOutcome } from '../../repair/item-outcome.js'
import { type Plan, parsePlan } from '../../repair/plan.js'
import { AUTHORITY_FLAGS, AUTHORITY_HELP, type AuthorityOptions, openAuthorityFor } from '../authority-option.js'
import type { Context } from '../context.js'
import { EXIT, type ExitCode, UsageError, worstOf } from '../exit-codes.js'
import { readWhole } from '../files.js'
import { type LimitOptions, limitsOf, withLimitOptions } from '../limit-options.js'
import { type LookupOptions, lookUpOf, requireLookups, withLookupOption } from '../lookup-option.js'
import { counted, formatOf, type Layout, makePrinter, type Row } from '../output.js'
import { parseMoment, storeOf, withStoreOptions } from '../reading.js'

interface ApplyCommandOptions extends AuthorityOptions, LimitOptions, LookupOptions {
  readonly approve?: string
  readonly approver?: string
  readonly projection?: string
  readonly now?: string
}

const EXAMPLES = `
Examples:
  $ makegood apply plan.json --approve sha256:… --approver maria --authority https://tickets.example/api
  $ makegood apply plan.json --approve sha256:… --canary 10 --max 500`

/** Adds the command. */
export function addApply(program: Command, context: Context, run: (code: Promise<ExitCode>) => Promise<void>): void {
  withLookupOption(withLimitOptions(withStoreOptions(program.command('apply <plan>'))))
    .description('carry out an approved plan: claim, ask, record, read again')
    .option('--approve <digest>', "the plan's digest, as the approver saw it")
    .option('--approver <name>', 'who approved it (default: who runs the command)')
    .option(AUTHORITY_FLAGS, AUTHORITY_HELP)
    .option('--projection <name|file>', 'where the plan is for rules that are not built in')
    .option('--now <time>', 'generated stores only: what rules take for the present')
    .addHelpText('after', EXAMPLES)
    .action((file: string, options: ApplyCommandOptions) => run(apply(file, options, context)))
}

async function apply(file: string, options: ApplyCommandOptions, context: Context): Promise<ExitCode> {
  const plan = parsePlan(await readWhole(file), file)
  const projection = await context.loadProjection(options.projection ?? plan.projection)
  const store = await context.openStore(storeOf(options, context), 'write')
  try {
    const summary = await applyAndPrint({ plan, projection, store, context }, options)
    return exitOfApply(summary)
  } finally {
    await store.close()
  }
}

/** Applies a plan and prints every outcome as it comes, then the summary. */
export async function applyAndPrint(
  about: { plan: Plan; projection: Projection; store: EventStore; context: Context },
  options: ApplyCommandOptions,
): Promise<ApplySummary> {
  const { plan, projection, store, context } = about
  const printer = makePrinter(formatOf(options.format, context.stdout.isTerminal), APPLY_LAYOUT, (text) =>
    context.stdout.write(text),
  )
  const nowFixed = await fixedNow(store, options, context)
  const needsAuthority = plan.items.some(({ intent }) => intent.command !== undefined)
  const opened =
    needsAuthority || options.authority !== undefined ? await openAuthorityFor(store, options, context) : undefined
  try {
    requireLookups(options, plan.lookups)
    const lookUp = lookUpOf(options, projection, context)
    const work = workOf(about, { approver: options.approver, authority: opened?.authority, lookUp, nowFixed })
    const summary = await applyPlan(work, {
      approve: options.approve ?? '',
      ...limitsOf(options, context),
      signal: context.interruption.signal,
      onOutcome: (outcome) => printer.row(itemRow(outcome)),
    })
    printer.finish({ type: 'summary', ...summary })
    return summary
  } finally {
    await opened?.close()
  }
}

function workOf(
  { plan, projection, store, context }: Parameters<typeof applyAndPrint>[0],
  by: {
    approver: string | undefined
    authority: Authority | undefined
    lookUp: LookUp | undefined
    nowFixed: number | undefined
  },
): Parameters<typeof applyPlan>[0] {
  const { failpoint, newId, pause, clock, user, version, tracing } = context
  const { approver = user, authority, lookUp, nowFixed } = by
  return {
    store,
    projection,
    plan,
    actors: { actor: user, approver, engineVersion: version },
    ...(authority && { authority }),
    ...(lookUp && { lookUp }),
    now: nowFixed === undefined ? clock : () => nowFixed,
    newId,
    pause,
    tracing,
    ...(failpoint && { onStep: failpoint }),
  }
}

/** A `now` other than the clock: the one a generated store is marked with, or `--now` on such a store; undefined on a real one. */
async function fixedNow(
  store: EventStore,
  { now }: ApplyCommandOptions,
  { clock }: Context,
): Promise<number | undefined> {
  const marker = await readStoreMarker(store)
  if (now !== undefined && !marker) {
    throw new UsageError(
      '--now: this store is not marked as generated, and real bookings are repaired by the clock only',
    )
  }
  const ticks = now === undefined ? marker && parseTicks(marker.now) : parseMoment('--now', now, clock())
  return ticks === undefined ? undefined : msOfTicks(ticks)
}

/** An item's outcome as one row, in the order of fields that scripts rely on. */
export function itemRow({ item, kind, revision, why }: ItemOutcome): Row {
  const [findingId] = item.intent.answers
  return {
    type: 'item',
    findingId,
    outcome: kind,
    stream: item.stream,
    ...(revision !== undefined && { revision }),
    subject: item.subject,
    occurrence: item.intent.occurrence,
    key: item.key,
    ...(why !== undefined && { why }),
  }
}

const APPLY_LAYOUT: Layout = {
  list: 'items',
  columns: [
    { head: 'outcome', of: (row) => row.outcome },
    { head: 'stream', of: (row) => row.stream },
    { head: 'revision', of: (row) => row.revision },
    { head: 'about', of: (row) => row.occurrence },
    { head: 'why', of: (row) => row.why },
  ],
  describe: (row) => describeApply(row as unknown as ApplySummary),
}

function describeApply({ outcomes, campaign, complete, left, stopped, cases }: ApplySummary): string[] {
  const told = Object.entries(outcomes).filter(([, count]) => count > 0)
  return [
    `Campaign ${campaign}: ${told.map(([kind, count]) => `${count.toLocaleString('en')} ${kind}`).join(', ') || 'nothing to do'}.`,
    ...(cases > 0 ? [`${counted(cases, 'review case')} opened; \`makegood cases\` shows them.`] : []),
    ...(stopped === undefined ? [] : [`Stopped: ${stopped}; ${counted(left, 'item')} left.`]),
    complete ? 'Complete.' : 'Not complete: run the same command again to go on, or plan again.',
  ]
}

/** An apply's exit code. */
export function exitOfApply({ outcomes, interrupted, left, stopped, opened }: ApplySummary): ExitCode {
  const { stale, conflict, held, unknown, refused } = outcomes
  return worstOf([
    interrupted && left > 0 ? EXIT.interrupted : undefined,
    stopped !== undefined && !interrupted ? EXIT.limit : undefined,
    stale + conflict + held + unknown + refused > 0 ? EXIT.unsettled : undefined,
    opened > 0 ? EXIT.findings : undefined,
  ])
}
