// `diff`: what is found differently between two moments of the log, and what did it; or under two versions of the rules.
import type { Command } from 'commander'
import { type CompareOptions, type Comparison, compareMoments, compareRules } from '../../engine/compare.js'
import type { Moment } from '../../engine/moment.js'
import type { Projection } from '../../engine/projection.js'
import type { EventReader } from '../../log/event-store.js'
import { comparePositions } from '../../log/position.js'
import { printComparison } from '../comparison-output.js'
import type { Context } from '../context.js'
import { EXIT, type ExitCode, UsageError, worstOf } from '../exit-codes.js'
import { resourcesOf, withWorkerOptions } from '../memory-option.js'
import { progressLine } from '../progress.js'
import {
  filtersOf,
  isByOccurred,
  momentOf,
  type ReadingOptions,
  storeOf,
  withByOption,
  withStoreOptions,
} from '../reading.js'

interface DiffOptions extends ReadingOptions {
  readonly from?: string
  readonly to?: string
  readonly against?: string
}

const EXAMPLES = `
Examples:
  $ makegood diff --from 2026-05-20T08:00:00Z --to 2026-05-20T12:00:00Z
  $ makegood diff --by occurred --from 2026-05-20T08:00:00Z --to 2026-05-20T12:00:00Z --rule paid-not-ticketed
  $ makegood diff --projection ./rules-1.js --against ./rules-2.js`

/** Adds the command. */
export function addDiff(program: Command, context: Context, run: (code: Promise<ExitCode>) => Promise<void>): void {
  withByOption(withWorkerOptions(withStoreOptions(program.command('diff'))))
    .description('findings that came, went and changed between two moments, or under two versions of the rules')
    .option('--from <when>', 'the earlier moment: a time, a position (commit/prepare) or before:ID')
    .option('--to <when>', 'the later moment (default: the head of the log)')
    .option('--projection <name|file>', 'the rules; with --against: those before')
    .option('--against <name|file>', 'other rules, those after: the same log under both')
    .option('--as-of <when>', 'with --against: the moment at which both are asked (default: the head)')
    .option('--now <time>', 'what rules take for the present on both sides (default: each side its own)')
    .option('--rule <id...>', 'findings of these rules only')
    .option('--subject <id...>', 'findings on these subjects only')
    .addHelpText('after', EXAMPLES)
    .action((options: DiffOptions) => run(diff(options, context)))
}

async function diff(options: DiffOptions, context: Context): Promise<ExitCode> {
  refuseMixture(options)
  const projection = await context.loadProjection(options.projection)
  const against = options.against === undefined ? undefined : await context.loadProjection(options.against)
  const filters = filtersOf(options, projection, ...(against ? [against] : []))
  const store = await context.openStore(storeOf(options, context), 'read')
  const show = progressLine(context)
  const settings: CompareOptions = {
    ...resourcesOf(options, context),
    filters,
    signal: context.interruption.signal,
    onProgress: show.update,
  }
  try {
    const comparison = against
      ? await diffRules(store, { from: projection, to: against }, { options, settings, context })
      : await diffMoments(store, projection, { options, settings, context })
    show.clear()
    printComparison(comparison, options, context)
    return exitOf(comparison)
  } finally {
    show.clear()
    await store.close()
  }
}

function refuseMixture({ from, to, against, asOf }: DiffOptions): void {
  const isOfMoments = from !== undefined || to !== undefined
  if (against === undefined && from === undefined) {
    throw new UsageError(`--from is missing: name two moments with --from and --to, or other rules with --against`)
  }
  if (against !== undefined && isOfMoments) {
    throw new UsageError('--against compares rules as of one moment: leave --from and --to out, and use --as-of')
  }
  if (against === undefined && asOf !== undefined) {
    throw new UsageError('--as-of goes with --against; between two moments use --from and --to')
  }
}

interface Question {
  readonly options: DiffOptions
  readonly settings: CompareOptions
  readonly context: Context
}

async function diffMoments(
  store: EventReader,
  projection: Projection,
  { options, settings, context }: Question,
): Promise<Comparison> {
  const clock = context.clock()
  const to = await momentOf(store, { ...options, option: '--to', text: options.to }, clock)
  const asked = await momentOf(store, { ...options, option: '--from', text: options.from }, clock)
  // By what had happened both rest on one reading, so that what is appended meanwhile is in neither.
  const from = isByOccurred(options) && to.cut ? { ...asked, cut: to.cut } : asked
  if (isAfter(from, to)) throw new UsageError(`--from ${options.from} is after --to ${options.to ?? ''}: exchange them`)
  return compareMoments(store, projection, { ...settings, from, to })
}

function isAfter(from: Moment, to: Moment): boolean {
  if (from.happenedBy !== undefined && to.happenedBy !== undefined) return from.happenedBy > to.happenedBy
  return from.cut !== undefined && to.cut !== undefined && comparePositions(from.cut.position, to.cut.position) > 0
}

async function diffRules(
  store: EventReader,
  versions: { readonly from: Projection; readonly to: Projection },
  { options, settings, context }: Question,
): Promise<Comparison> {
  const { from, to } = versions
  if (from.name !== to.name) {
    throw new UsageError(
      `--against ${options.against}: it is ${to.name} and --projection is ${from.name}: two versions of one projection have one name`,
    )
  }
  if (from.version === to.version) {
    context.stderr.write(`Both are ${from.name} ${from.version}: raise the version where fold or rules change\n`)
  }
  const moment = await momentOf(store, { ...options, option: '--as-of', text: options.asOf }, context.clock())
  return compareRules(store, versions, { ...settings, ...moment })
}

function exitOf({ from, to, differences }: Comparison): ExitCode {
  const isComplete = from.summary.coverage.complete && to.summary.coverage.complete
  return worstOf([isComplete ? undefined : EXIT.incomplete, differences.length > 0 ? EXIT.findings : undefined])
}
