// `state`: one subject, folded, and what is wrong with it; also as of any moment of the past.
import type { Command } from 'commander'
import type { Finding } from '../../engine/finding.js'
import { incompletenessOf, revisionsOf } from '../../engine/fold.js'
import { judgeSubject } from '../../engine/judge-part.js'
import { isTakenIn, type Moment } from '../../engine/moment.js'
import type { Projection } from '../../engine/projection.js'
import { readSubject, readSubjectAsOf, type SubjectRead } from '../../engine/subject.js'
import type { EventReader } from '../../log/event-store.js'
import { formatTicks, ticksOfMs } from '../../log/ticks.js'
import type { Context } from '../context.js'
import { EXIT, type ExitCode } from '../exit-codes.js'
import { findingRow } from '../finding-output.js'
import { formatOf, type Layout, makePrinter } from '../output.js'
import { momentOf, type ReadingOptions, storeOf, withByOption, withReadingOptions } from '../reading.js'
import { type SnapshotOptions, withSnapshotOptions } from '../snapshot-option.js'
import { UsableSnapshots } from '../usable-snapshots.js'

type StateOptions = ReadingOptions & SnapshotOptions

/** Adds the command. */
export function addState(program: Command, context: Context, run: (code: Promise<ExitCode>) => Promise<void>): void {
  withSnapshotOptions(withByOption(withReadingOptions(program.command('state <subject>'))))
    .description("one subject's folded state, and what is wrong with it")
    .addHelpText(
      'after',
      '\nExamples:\n  $ makegood state B000042\n  $ makegood state B000042 --as-of 2026-05-20T12:00:00Z',
    )
    .action((subject: string, options: StateOptions) => run(showState(subject, options, context)))
}

/** One subject as of a moment, judged. */
export interface SubjectView extends SubjectRead {
  readonly findings: readonly Finding[]
  readonly moment: Moment
}

/** Reads one subject as of what `--as-of`, `--by` and `--now` ask. */
export async function viewSubject(
  { store, projection, subject }: { store: EventReader; projection: Projection; subject: string },
  options: StateOptions,
  context: Context,
): Promise<SubjectView> {
  const { asOf } = options
  const { knownBefore } = new UsableSnapshots(store, projection, options, context)
  const asked = { ...options, option: '--as-of', text: asOf }
  const moment = await momentOf(store, asked, context.clock(), knownBefore)
  const { cut, happenedBy, now } = moment
  const upTo = cut && { upTo: cut.position }
  const isPast = asOf !== undefined || happenedBy !== undefined
  const read = isPast
    ? await readSubjectAsOf(store, projection, subject, { ...upTo, ...(happenedBy !== undefined && { happenedBy }) })
    : await readSubject(store, projection, subject, { ...upTo })
  return { ...read, moment, findings: judgeSubject(read.folded, projection, { now, lookups: {} }) }
}

/** Tells a person that there is nothing to be seen, which a wrong id may be the reason of. */
export function warnOfNothing(
  subject: string,
  { events }: SubjectRead,
  { categories }: Projection,
  { stderr }: Context,
): void {
  if (events.length > 0) return
  stderr.write(`No events of ${JSON.stringify(subject)} in ${categories.join(' or ')} streams\n`)
}

async function showState(subject: string, options: StateOptions, context: Context): Promise<ExitCode> {
  const projection = await context.loadProjection(options.projection)
  const store = await context.openStore(storeOf(options, context), 'read')
  try {
    const view = await viewSubject({ store, projection, subject }, options, context)
    printState(subject, projection, { view, options }, context)
    warnOfNothing(subject, view, projection, context)
    return view.findings.some(({ disposition }) => disposition !== 'observe') ? EXIT.findings : EXIT.clean
  } finally {
    await store.close()
  }
}

function printState(
  subject: string,
  projection: Projection,
  { view, options }: { view: SubjectView; options: ReadingOptions },
  { stdout }: Context,
): void {
  const { folded, events, findings, moment } = view
  const format = formatOf(options.format, stdout.isTerminal)
  const printer = makePrinter(format, STATE_LAYOUT, (text) => stdout.write(text))
  for (const finding of findings) printer.row(findingRow(finding))
  printer.finish({
    type: 'state',
    projection: projection.name,
    version: projection.version,
    now: formatTicks(ticksOfMs(moment.now)),
    ...(moment.happenedBy !== undefined && { happenedBy: formatTicks(moment.happenedBy) }),
    subject,
    events: events.filter((event) => isTakenIn(event, moment, projection)).length,
    revisions: revisionsOf(folded, projection),
    state: folded.state,
    undecodable: folded.undecodable,
    incomplete: incompletenessOf(folded),
  })
}

const STATE_LAYOUT: Layout = {
  list: 'findings',
  columns: [
    { head: 'severity', of: (row) => row.severity },
    { head: 'rule', of: (row) => row.rule },
    { head: 'disposition', of: (row) => row.disposition },
    { head: 'about', of: (row) => row.occurrence },
    { head: 'detail', of: (row) => row.detail },
  ],
  describe: ({ subject, revisions, state }) => [
    `${subject}: last revisions ${JSON.stringify(revisions)}`,
    ...JSON.stringify(state, null, 2).split('\n'),
  ],
}
