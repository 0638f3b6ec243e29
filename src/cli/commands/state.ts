// `state` and `timeline`: one subject, folded, or event by event in log order.
import type { Command } from 'commander'
import { resolveCut } from '../../engine/cut.js'
import { parseMetadata } from '../../engine/decode.js'
import type { Finding } from '../../engine/finding.js'
import { incompletenessOf, revisionsOf } from '../../engine/fold.js'
import { judgeSubject } from '../../engine/judge.js'
import type { Projection } from '../../engine/projection.js'
import { readSubject, type SubjectRead } from '../../engine/subject.js'
import type { RecordedEvent } from '../../log/event.js'
import { formatPosition } from '../../log/position.js'
import { formatTicks, ticksOfMs } from '../../log/ticks.js'
import type { Context } from '../context.js'
import { EXIT, type ExitCode } from '../exit-codes.js'
import { findingRow } from '../finding-output.js'
import { formatOf, type Layout, makePrinter } from '../output.js'
import { cutSpecOf, nowOf, type ReadingOptions, storeOf, withReadingOptions } from '../reading.js'

/** Adds both commands. */
export function addState(program: Command, context: Context, run: (code: Promise<ExitCode>) => Promise<void>): void {
  withReadingOptions(program.command('state <subject>'))
    .description("one subject's folded state, and what is wrong with it")
    .addHelpText(
      'after',
      '\nExamples:\n  $ makegood state B000042\n  $ makegood state B000042 --as-of 2026-05-20T12:00:00Z',
    )
    .action((subject: string, options: ReadingOptions) => run(showState(subject, options, context)))
  withReadingOptions(program.command('timeline <subject>'))
    .description("one subject's streams, event by event in log order")
    .addHelpText(
      'after',
      '\nExamples:\n  $ makegood timeline B000042\n  $ makegood timeline 42 --projection transactions --format ndjson',
    )
    .action((subject: string, options: ReadingOptions) => run(showTimeline(subject, options, context)))
}

interface SubjectView extends SubjectRead {
  readonly projection: Projection
  readonly findings: readonly Finding[]
  readonly now: number
}

async function viewSubject(subject: string, options: ReadingOptions, context: Context): Promise<SubjectView> {
  const projection = await context.loadProjection(options.projection)
  const store = await context.openStore(storeOf(options, context), 'read')
  try {
    const clock = context.clock()
    const cut = await resolveCut(store, cutSpecOf(options.asOf, clock), clock)
    const now = await nowOf(options, cut, store, clock)
    const read = await readSubject(store, projection, subject, cut ? { upTo: cut.position } : {})
    const findings = judgeSubject(read.folded, projection, { now, lookups: {} })
    return { ...read, projection, findings, now }
  } finally {
    await store.close()
  }
}

async function showState(subject: string, options: ReadingOptions, context: Context): Promise<ExitCode> {
  const { folded, events, projection, findings, now } = await viewSubject(subject, options, context)
  const printer = makePrinter(formatOf(options.format, context.stdout.isTerminal), STATE_LAYOUT, (text) =>
    context.stdout.write(text),
  )
  for (const finding of findings) printer.row(findingRow(finding))
  printer.finish({
    type: 'state',
    projection: projection.name,
    version: projection.version,
    now: formatTicks(ticksOfMs(now)),
    subject,
    events: events.length,
    revisions: revisionsOf(folded, projection),
    state: folded.state,
    undecodable: folded.undecodable,
    incomplete: incompletenessOf(folded),
  })
  if (events.length === 0)
    context.stderr.write(`No events of ${JSON.stringify(subject)} in ${projection.categories.join(' or ')} streams\n`)
  return findings.some(({ disposition }) => disposition !== 'observe') ? EXIT.findings : EXIT.clean
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

async function showTimeline(subject: string, options: ReadingOptions, context: Context): Promise<ExitCode> {
  const { events, findings, projection } = await viewSubject(subject, options, context)
  const printer = makePrinter(formatOf(options.format, context.stdout.isTerminal), TIMELINE_LAYOUT, (text) =>
    context.stdout.write(text),
  )
  for (const event of events) printer.row(eventRow(event))
  const open = findings.map(({ rule }) => rule)
  printer.finish({
    type: 'summary',
    subject,
    projection: projection.name,
    events: events.length,
    open: [...new Set(open)],
  })
  return EXIT.clean
}

function eventRow({ stream, revision, type, id, created, position, data, contentType, metadata }: RecordedEvent) {
  return {
    type: 'event',
    created: created === undefined ? null : formatTicks(created),
    stream,
    revision,
    eventType: type,
    id,
    position: formatPosition(position),
    data: contentType === 'application/json' ? readable(data) : `${data.length} bytes`,
    metadata: parseMetadata(metadata),
  }
}

function readable(data: Uint8Array): unknown {
  const text = new TextDecoder().decode(data)
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

const TIMELINE_LAYOUT: Layout = {
  list: 'events',
  columns: [
    { head: 'created', of: (row) => row.created },
    { head: 'stream', of: (row) => row.stream },
    { head: 'rev', of: (row) => row.revision },
    { head: 'event', of: (row) => row.eventType },
    { head: 'data', of: (row) => row.data },
  ],
  describe: ({ subject, events, open }) => [
    `${subject}: ${events} events; ${(open as string[]).length === 0 ? 'nothing wrong' : `open: ${(open as string[]).join(', ')}`}`,
  ],
}
