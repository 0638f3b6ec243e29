// What the demo ends with: what was found and made good, and what waits for a person and why; from the commands' summaries.
import Table from 'cli-table3'

type Summary = Readonly<Record<string, unknown>>

/** Rules whose findings a ticket answers, in the order of the story. */
const OWED = ['paid-not-ticketed', 'partly-ticketed', 'infant-not-ticketed', 'ticket-event-lost']

/** How many findings a scan counts. */
export function sumOf(scan: Summary): number {
  return Object.values(findingsOf(scan)).reduce((sum, count) => sum + count, 0)
}

/** Owed tickets by rule: found, made good, left. */
export function describeRepaired(before: Summary, after: Summary): string {
  const table = plainTable(['paid for and not delivered', 'found', 'made good', 'left alone'], 3)
  for (const rule of OWED) {
    const [found, left] = [before, after].map((scan) => findingsOf(scan)[rule] ?? 0) as [number, number]
    if (found > 0) table.push([rule, ...[found, found - left, left].map(number)])
  }
  return table.toString()
}

/** Cases by rule, the most frequent first, each with its reason. */
export function describeLeft(after: Summary, waiting: Summary): string {
  const rules = Object.entries(waiting.rules as Record<string, { cases: number; why: string }>)
  const table = plainTable(['waits for a person', 'cases', 'why'], 1)
  for (const [rule, { cases, why }] of rules.sort(([, a], [, b]) => b.cases - a.cases))
    table.push([rule, number(cases), why])
  const left = OWED.reduce((sum, rule) => sum + (findingsOf(after)[rule] ?? 0), 0)
  return `${table.toString()}\n\nThe ${number(left)} that are left alone are on bookings where one of these, or a refund or dispute under way, forbids a ticket.`
}

function findingsOf({ findings }: Summary): Readonly<Record<string, number>> {
  return findings as Record<string, number>
}

function plainTable(head: string[], numbers: number): InstanceType<typeof Table> {
  const colAligns = head.map((_, index) => (index > 0 && index <= numbers ? 'right' : 'left') as 'right' | 'left')
  return new Table({ head, colAligns, style: { head: [], border: [], compact: true } })
}

function number(count: number): string {
  return count.toLocaleString('en')
}
