// `timeline`: one subject's streams, event by event, with the cut drawn in them where one is asked for.
import type { Command } from 'commander'
import { parseMetadata } from '../../engine/decode.js'
import { readRange } from '../../engine/log-range.js'
import { happenedAtOf, isTakenIn, type Moment, ownerOf } from '../../engine/moment.js'
import type { Projection } from '../../engine/projection.js'
import type { RecordedEvent } from '../../log/event.js'
import type { EventReader } from '../../log/event-store.js'
import { formatPosition } from '../../log/position.js'
import { streamOf } from '../../log/stream.js'
import { formatTicks, type Ticks } from '../../log/ticks.js'
import type { Context } from '../context.js'
import { EXIT, type ExitCode, UsageError } from '../exit-codes.js'
import { counted, formatOf, type Layout, makePrinter, type Printer, type Row } from '../output.js'
import { type ReadingOptions, storeOf, withByOption, withReadingOptions } from '../reading.js'
import { type SnapshotOptions, withSnapshotOptions } from '../snapshot-option.js'
import { type SubjectView, viewSubject, warnOfNothing } from './state.js'

interface TimelineOptions extends ReadingOptions, SnapshotOptions {
  readonly beyond?: boolean
}

/** Adds the command. */
export function addTimeline(program: Command, context: Context, run: (code: Promise<ExitCode>) => Promise<void>): void {
  withSnapshotOptions(withByOption(withReadingOptions(program.command('timeline <subject>'))))
    .description("one subject's streams, event by event; under --as-of with the cut drawn in them")
    .option('--beyond', 'with --as-of: what came after the cut too, below it')
    .addHelpText(
      'after',
      '\nExamples:\n  $ makegood timeline B000042\n  $ makegood timeline B000042 --as-of 2026-05-20T12:00:00Z --beyond',
    )
    .action((subject: string, options: TimelineOptions) => run(showTimeline(subject, options, context)))
}

async function showTimeline(subject: string, options: TimelineOptions, context: Context): Promise<ExitCode> {
  if (options.beyond && options.asOf === undefined) throw new UsageError('--beyond goes with --as-of')
  const projection = await context.loadProjection(options.projection)
  const store = await context.openStore(storeOf(options, context), 'read')
  try {
    const view = await viewSubject({ store, projection, subject }, options, context)
    const isByOccurred = view.moment.happenedBy !== undefined
    const layout = isByOccurred ? OCCURRED_LAYOUT : KNOWN_LAYOUT
    const format = formatOf(options.format, context.stdout.isTerminal)
    const printer = makePrinter(format, layout, (text) => context.stdout.write(text))
    const events = options.beyond ? await readWhole(store, projection, subject) : view.events
    const taken = printEvents(printer, { events, moment: view.moment, projection, options })
    printer.finish(summaryOf(subject, projection, { view, taken }))
    warnOfNothing(subject, view, projection, context)
    return EXIT.clean
  } finally {
    await store.close()
  }
}

async function readWhole(store: EventReader, projection: Projection, subject: string): Promise<RecordedEvent[]> {
  const streams = projection.categories.map((category) => streamOf(category, subject))
  const events: RecordedEvent[] = []
  for await (const event of readRange(store, { streamPrefixes: streams })) {
    if (ownerOf(event, projection) === subject) events.push(event)
  }
  return events
}

/** Prints the events that the moment takes in, the cut, and with `--beyond` the others; gives how many were taken in. */
function printEvents(
  printer: Printer,
  about: {
    readonly events: readonly RecordedEvent[]
    readonly moment: Moment
    readonly projection: Projection
    readonly options: TimelineOptions
  },
): number {
  const { events, moment, projection, options } = about
  const isByOccurred = moment.happenedBy !== undefined
  const timed = events.map((event) => ({ event, at: isByOccurred ? happenedAtOf(event, projection) : undefined }))
  // Of events at one time the log's order holds: the sort is stable.
  if (isByOccurred) timed.sort((a, b) => compareTicks(a.at, b.at))
  const taken = timed.filter(({ event }) => isTakenIn(event, moment, projection))
  const rest = timed.filter(({ event }) => !isTakenIn(event, moment, projection))
  for (const { event, at } of taken) printer.row(eventRow(event, at))
  if (options.asOf !== undefined) printer.row(cutRow(moment))
  if (options.beyond) for (const { event, at } of rest) printer.row({ ...eventRow(event, at), beyond: true })
  return taken.length
}

function compareTicks(a: Ticks = 0n, b: Ticks = 0n): number {
  return a < b ? -1 : Number(a > b)
}

function cutRow({ cut, happenedBy }: Moment): Row {
  const time = happenedBy === undefined ? cut?.time : formatTicks(happenedBy)
  return {
    type: 'cut',
    by: happenedBy === undefined ? 'known' : 'occurred',
    time: time ?? null,
    ...(cut && happenedBy === undefined && { position: formatPosition(cut.position), eventId: cut.eventId }),
  }
}

function summaryOf(
  subject: string,
  projection: Projection,
  { view, taken }: { view: SubjectView; taken: number },
): Row {
  const open = [...new Set(view.findings.map(({ rule }) => rule))]
  return { type: 'summary', subject, projection: projection.name, events: taken, open }
}

function eventRow(event: RecordedEvent, happenedAt: Ticks | undefined): Row {
  const { stream, revision, type, id, created, position, data, contentType, metadata } = event
  return {
    type: 'event',
    created: created === undefined ? null : formatTicks(created),
    ...(happenedAt !== undefined && { occurredAt: formatTicks(happenedAt) }),
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

const isCut = ({ type }: Row) => type === 'cut'

function layoutOf(timeColumn: 'created' | 'occurredAt'): Layout {
  return {
    list: 'events',
    columns: [
      { head: timeColumn, of: (row) => (isCut(row) ? row.time : row[timeColumn]) },
      { head: 'stream', of: (row) => (isCut(row) ? `──── as of here (${row.by}) ────` : row.stream) },
      { head: 'rev', of: (row) => row.revision },
      { head: 'event', of: (row) => row.eventType },
      { head: 'data', of: (row) => row.data },
    ],
    describe: ({ subject, events, open }) => [
      `${subject}: ${counted(events as number, 'event')}; ${(open as string[]).length === 0 ? 'nothing wrong' : `open: ${(open as string[]).join(', ')}`}`,
    ],
  }
}

const KNOWN_LAYOUT = layoutOf('created')
const OCCURRED_LAYOUT = layoutOf('occurredAt')
