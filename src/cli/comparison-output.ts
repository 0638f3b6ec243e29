// How a comparison is printed: one row a difference, and a summary by rule with the money by currency and the window.
import type { Compared, Comparison, Difference } from '../engine/compare.js'
import { type ComparisonSummary, type Money, type RuleDifferences, summarise } from '../engine/comparison-summary.js'
import type { Finding } from '../engine/finding.js'
import type { RecordedEvent } from '../log/event.js'
import { formatPosition } from '../log/position.js'
import { formatTicks } from '../log/ticks.js'
import type { Context } from './context.js'
import { cutRow, findingRow } from './finding-output.js'
import { formatMoney } from './money.js'
import { counted, formatOf, type Layout, makePrinter, type Row } from './output.js'

/** Prints a comparison in the format asked for; `extra` goes into its summary. */
export function printComparison(
  comparison: Comparison,
  { format }: { readonly format?: string },
  { stdout }: Context,
  extra: Partial<Row> = {},
): void {
  const chosen = formatOf(format, stdout.isTerminal)
  const layout = layoutOf(chosen === 'table' ? 'table' : 'plain')
  const printer = makePrinter(chosen, layout, (text) => stdout.write(text))
  for (const difference of comparison.differences) printer.row(differenceRow(difference))
  const { from, to } = comparison
  printer.finish({
    type: 'summary',
    projection: from.summary.projection,
    from: sideRow(from),
    to: sideRow(to),
    ...summarise(comparison),
    ...extra,
  })
}

function sideRow({ summary }: Compared) {
  const { version, now, cut, happenedBy, coverage, findings, digest } = summary
  return {
    version,
    now,
    cut: cutRow(cut),
    ...(happenedBy !== undefined && { happenedBy }),
    coverage,
    findings,
    digest,
  }
}

function differenceRow({ change, cause, events, value }: Difference): Row {
  const { kind, finding } = change
  return {
    type: 'difference',
    change: kind,
    rule: finding.rule,
    subject: finding.subject,
    cause,
    events: events.map(eventRow),
    value: value ?? null,
    ...(change.kind === 'changed' && { fields: change.fields }),
    finding: withoutType(finding),
    ...(change.kind === 'changed' && { before: withoutType(change.before) }),
  }
}

function withoutType(finding: Finding): Omit<Row, 'type'> {
  const { type: _type, ...rest } = findingRow(finding)
  return rest
}

function eventRow({ id, stream, revision, type, created, position }: RecordedEvent) {
  const time = created === undefined ? null : formatTicks(created)
  return { id, stream, revision, eventType: type, created: time, position: formatPosition(position) }
}

type Column = Layout['columns'][number]

interface ValueCells {
  readonly currency: string
  readonly amountMinor: number
}

const amountOf = ({ value }: Row) => value as ValueCells | null

/** A person reads an amount, a program its parts. */
const VALUE_COLUMNS: Readonly<Record<'table' | 'plain', readonly Column[]>> = {
  table: [{ head: 'value', of: (row) => formatNullable(amountOf(row)) }],
  plain: [
    { head: 'currency', of: (row) => amountOf(row)?.currency },
    { head: 'amountMinor', of: (row) => amountOf(row)?.amountMinor },
  ],
}

function formatNullable(value: ValueCells | null): string {
  return value ? formatMoney(value) : ''
}

function layoutOf(kind: 'table' | 'plain'): Layout {
  return {
    list: 'differences',
    columns: [
      { head: 'change', of: (row) => row.change },
      { head: 'rule', of: (row) => row.rule },
      { head: 'subject', of: (row) => row.subject },
      { head: 'since', of: ({ finding }) => (finding as Finding).since },
      ...VALUE_COLUMNS[kind],
      { head: 'by', of: describeCause },
      { head: 'fields', of: ({ fields }) => (fields as string[] | undefined)?.join(', ') },
      { head: 'id', of: ({ finding }) => (finding as Finding).id },
    ],
    describe: (summary) => describeSummary(summary as unknown as ComparisonSummary & Sides),
  }
}

function describeCause({ cause, events }: Row): string {
  const told = events as ReturnType<typeof eventRow>[]
  if (cause !== 'events') return cause === 'time' ? 'time alone' : String(cause)
  return told.map(({ stream, revision, eventType }) => `${eventType} (${stream}@${revision})`).join(', ')
}

interface Sides {
  readonly projection: string
  readonly from: ReturnType<typeof sideRow>
  readonly to: ReturnType<typeof sideRow>
  /** Of a result that was kept. */
  readonly stream?: string
  readonly stored?: string
  readonly switched?: string
}

function describeSummary(summary: ComparisonSummary & Sides): string[] {
  const { came, went, changed, money, rules, projection, from, to, stream, stored, switched } = summary
  return [
    came + went + changed === 0
      ? 'Nothing differs.'
      : `${counted(came, 'finding')} came${describeMoney(money.came)}, ${went} went${describeMoney(money.went)}, ${changed} changed.`,
    ...Object.entries(rules).map(([rule, differences]) => describeRule(rule, differences)),
    ...(stream === undefined ? [] : [`Stored ${stored} in ${stream}; made current: ${switched}.`]),
    `from ${describeSide(projection, from)}`,
    `to   ${describeSide(projection, to)}`,
  ]
}

function describeRule(rule: string, { came, went, changed, money, window }: RuleDifferences): string {
  const since = window ? `; those that came are since ${window.from} to ${window.to}` : ''
  return `  ${rule}: ${came} came${describeMoney(money.came)}, ${went} went${describeMoney(money.went)}, ${changed} changed${since}`
}

function describeMoney(money: Money): string {
  const sums = Object.entries(money).map(([currency, amountMinor]) => formatMoney({ currency, amountMinor }))
  return sums.length === 0 ? '' : ` (${sums.join(', ')})`
}

function describeSide(projection: string, { version, now, cut, happenedBy, digest }: Sides['from']): string {
  const place = cut ? `cut ${cut.commit}/${cut.prepare}` : 'an empty log'
  const happened = happenedBy === undefined ? '' : `, what had happened by ${happenedBy}`
  return `${projection} ${version}, ${place}${happened}, now = ${now}. ${digest}`
}
