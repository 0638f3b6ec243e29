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
import { withWorkerOptions } from '../memory-option.js'
import {
  filtersOf,
  isByOccurred,
  momentOf,
  type ReadingOptions,
  storeOf,
  withByOption,
  withStoreOptions,
} from '../reading.js'
import { replaySettled } from '../replay-store.js'
import { type SnapshotOptions, withSnapshotOptions } from '../snapshot-option.js'
import { UsableSnapshots } from '../usable-snapshots.js'

interface DiffOptions extends ReadingOptions, SnapshotOptions {
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
  withSnapshotOptions(withByOption(withWorkerOptions(withStoreOptions(program.command('diff')))))
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
  const question = { options, filters, context }
  try {
    const comparison = against
      ? await diffRules(store, { from: projection, to: against }, question)
      : await diffMoments(store, projection, question)
    printComparison(comparison, options, context)
    return exitOf(comparison)
  } finally {
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
  readonly filters: ReturnType<typeof filtersOf>
  readonly context: Context
}

async function diffMoments(store: EventReader, projection: Projection, question: Question): Promise<Comparison> {
  const { options, context } = question
  const clock = context.clock()
  const snapshots = new UsableSnapshots(store, projection, options, context)
  const { knownBefore } = snapshots
  const to = await momentOf(store, { ...options, option: '--to', text: options.to }, clock, knownBefore)
  const asked = await momentOf(store, { ...options, option: '--from', text: options.from }, clock, knownBefore)
  // By what had happened both rest on one reading, so that what is appended meanwhile is in neither.
  const from = isByOccurred(options) && to.cut ? { ...asked, cut: to.cut } : asked
  if (isAfter(from, to)) throw new UsageError(`--from ${options.from} is after --to ${options.to ?? ''}: exchange them`)
  return compareMoments(store, projection, { ...settingsOf(() => snapshots, question), from, to })
}

function isAfter(from: Moment, to: Moment): boolean {
  if (from.happenedBy !== undefined && to.happenedBy !== undefined) return from.happenedBy > to.happenedBy
  return from.cut !== undefined && to.cut !== undefined && comparePositions(from.cut.position, to.cut.position) > 0
}

async function diffRules(
  store: EventReader,
  versions: { readonly from: Projection; readonly to: Projection },
  question: Question,
): Promise<Comparison> {
  const { from, to } = versions
  const { options, context } = question
  if (from.name !== to.name) {
    throw new UsageError(
      `--against ${options.against}: it is ${to.name} and --projection is ${from.name}: two versions of one projection have one name`,
    )
  }
  if (from.version === to.version) {
    context.stderr.write(`Both are ${from.name} ${from.version}: raise the version where fold or rules change\n`)
  }
  // Of two that call themselves the same, nobody can say whose a snapshot is.
  const fromSnapshot = from.version !== to.version && options.fromSnapshot !== false
  const before = new UsableSnapshots(store, from, { ...options, fromSnapshot }, context)
  const after = new UsableSnapshots(store, to, { ...options, fromSnapshot }, context)
  const asked = { ...options, option: '--as-of', text: options.asOf }
  const moment = await momentOf(store, asked, context.clock(), before.knownBefore)
  const settings = settingsOf((projection) => (projection === from ? before : after), question)
  return compareRules(store, versions, { ...settings, ...moment })
}

/** How each side is replayed: from a snapshot under its own rules, where one fits. */
function settingsOf(
  snapshotsOf: (projection: Projection) => UsableSnapshots,
  { options, filters, context }: Question,
): CompareOptions {
  const replayAs = (projection: Projection, moment: Moment) =>
    replaySettled(snapshotsOf(projection), { ...options, filters, moment }, context)
  return { signal: context.interruption.signal, replayAs }
}

function exitOf({ from, to, differences }: Comparison): ExitCode {
  const isComplete = from.summary.coverage.complete && to.summary.coverage.complete
  return worstOf([isComplete ? undefined : EXIT.incomplete, differences.length > 0 ? EXIT.findings : undefined])
}
