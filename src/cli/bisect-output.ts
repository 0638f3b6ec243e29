// How a bisection is printed: turn by turn, or as a histogram with a bar a line.
import type { Histogram } from '../engine/histogram.js'
import type { Moment } from '../engine/moment.js'
import type { Turn } from '../engine/turns.js'
import { formatPosition } from '../log/position.js'
import { formatTicks } from '../log/ticks.js'
import { counted, type Layout, type Row } from './output.js'

const timeOf = (ms: number) => new Date(ms).toISOString()

/** A turn as one row. With cause `time` the event is the subject's last one before: it did nothing. */
export function turnRow({ kind, finding, at, cause }: Turn): Row {
  const { id, stream, revision, type, created, position } = cause.event
  return {
    type: 'turn',
    turn: kind,
    rule: finding.rule,
    subject: finding.subject,
    at: timeOf(at),
    cause: cause.kind,
    [cause.kind === 'event' ? 'event' : 'after']: {
      id,
      stream,
      revision,
      eventType: type,
      created: created === undefined ? null : formatTicks(created),
      position: formatPosition(position),
    },
    id: finding.id,
    since: finding.since,
  }
}

/** A turn in a sentence. */
export function describeTurn({ kind, finding, at, cause }: Turn): string {
  const { stream, revision, type, id, position } = cause.event
  const event = `${type} (${stream}@${revision}, ${id}, at ${formatPosition(position)})`
  const became = kind === 'came' ? 'became true' : 'was no longer true'
  const by = cause.kind === 'event' ? `with ${event}` : `by time alone, no event did it; the last before was ${event}`
  return `${finding.rule} ${became} on ${finding.subject} at ${timeOf(at)}, ${by}.`
}

/** What both kinds of output end with. */
export function summaryOfTurns(rule: string, { now, happenedBy, cut }: Moment, turns: readonly Turn[]): Row {
  const came = turns.filter(({ kind }) => kind === 'came')
  const byTime = came.filter(({ cause }) => cause.kind === 'time').length
  return {
    type: 'summary',
    rule,
    by: happenedBy === undefined ? 'known' : 'occurred',
    now: timeOf(now),
    cut: cut ? formatPosition(cut.position) : null,
    subjects: new Set(came.map(({ finding }) => finding.subject)).size,
    came: came.length,
    went: turns.length - came.length,
    cameBy: { event: came.length - byTime, time: byTime },
  }
}

export const TURN_LAYOUT: Layout = {
  list: 'turns',
  columns: [
    { head: 'at', of: (row) => row.at },
    { head: 'subject', of: (row) => row.subject },
    { head: 'turn', of: (row) => row.turn },
    { head: 'by', of: (row) => (row.cause === 'time' ? 'time alone' : placeOf(row.event as EventCells)) },
    { head: 'position', of: (row) => (row.cause === 'time' ? '' : (row.event as EventCells).position) },
    { head: 'id', of: (row) => row.id },
  ],
  describe: (summary) => [String(summary.told), ...describeCounts(summary)],
}

interface EventCells {
  readonly stream: string
  readonly revision: number
  readonly eventType: string
  readonly position: string
}

function placeOf({ eventType, stream, revision }: EventCells): string {
  return `${eventType} (${stream}@${revision})`
}

function describeCounts({ rule, came, went, cameBy, now, by }: Row): string[] {
  const { event, time } = cameBy as { event: number; time: number }
  const open = (came as number) - (went as number)
  return [
    `${rule}: ${counted(came as number, 'finding')} came (${event} with an event, ${time} by time alone), ${went} went, ${open} open at ${now}; times are those at which ${by === 'known' ? 'the log took the events' : 'it happened'}.`,
  ]
}

/** The buckets as rows, with how many came as a share of the fullest. */
export function histogramRows({ buckets }: Histogram): Row[] {
  const most = Math.max(1, ...buckets.map(({ came }) => came))
  return buckets.map(({ from, to, came, went, open }) => ({
    type: 'bucket',
    from: timeOf(from),
    to: timeOf(to),
    came,
    went,
    open,
    share: Math.round((came / most) * 1_000) / 1_000,
  }))
}

const COLUMNS: Layout['columns'] = [
  { head: 'from', of: (row) => row.from },
  { head: 'came', of: (row) => row.came },
  { head: 'went', of: (row) => row.went },
  { head: 'open', of: (row) => row.open },
]

const BAR_WIDTH = 40

function barOf({ came, share }: Row): string {
  return '█'.repeat(came === 0 ? 0 : Math.max(1, Math.round((share as number) * BAR_WIDTH)))
}

function describeHistogram(summary: Row): string[] {
  const { window, rule } = summary
  if (!window) return [`${rule} was never true.`]
  const { from, to, came } = window as { from: string; to: string; came: number }
  return [`Window: ${from} to ${to}: ${came} of ${summary.came} came in it.`, ...describeCounts(summary)]
}

/** For a terminal with bars. */
export const HISTOGRAM_LAYOUTS: Readonly<Record<'table' | 'plain', Layout>> = {
  table: { list: 'buckets', columns: [...COLUMNS, { head: '', of: barOf }], describe: describeHistogram },
  plain: { list: 'buckets', columns: COLUMNS, describe: describeHistogram },
}
