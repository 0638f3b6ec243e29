// A comparison in numbers: by rule what came, went and changed, the money that it is about by currency, and the window in which what came began.
import type { Comparison, Difference } from './compare.js'
import { compareBytes } from './finding.js'

/** Sums in integer minor units by ISO 4217 code; never across currencies. */
export type Money = Readonly<Record<string, number>>

export interface RuleDifferences {
  readonly came: number
  readonly went: number
  readonly changed: number
  /** What is at stake with the subjects on which findings came, and on which they went; each subject counts once. */
  readonly money: { readonly came: Money; readonly went: Money }
  /** The earliest and the latest `since` of the findings that came, RFC 3339; null where none of them tells one. */
  readonly window: { readonly from: string; readonly to: string } | null
}

export interface ComparisonSummary extends Omit<RuleDifferences, 'window'> {
  /** By rule; rules of which nothing differs are left out. */
  readonly rules: Readonly<Record<string, RuleDifferences>>
}

/** Sums a comparison up. */
export function summarise({ differences }: Comparison): ComparisonSummary {
  const byRule = new Map<string, Difference[]>()
  for (const difference of differences) {
    const { rule } = difference.change.finding
    const some = byRule.get(rule)
    if (some) some.push(difference)
    else byRule.set(rule, [difference])
  }
  return {
    ...countAll(differences),
    rules: Object.fromEntries(
      [...byRule]
        .sort(([a], [b]) => compareBytes(a, b))
        .map(([rule, some]) => [rule, { ...countAll(some), window: windowOf(cameAmong(some)) }]),
    ),
  }
}

function countAll(differences: readonly Difference[]): Omit<RuleDifferences, 'window'> {
  const count = (kind: string) => differences.filter(({ change }) => change.kind === kind)
  const [came, went, changed] = [count('came'), count('went'), count('changed')]
  return {
    came: came.length,
    went: went.length,
    changed: changed.length,
    money: { came: moneyOf(came), went: moneyOf(went) },
  }
}

function cameAmong(differences: readonly Difference[]): Difference[] {
  return differences.filter(({ change }) => change.kind === 'came')
}

function moneyOf(differences: readonly Difference[]): Money {
  const bySubject = new Map(differences.map(({ change, value }) => [change.finding.subject, value]))
  const sums = new Map<string, number>()
  for (const value of bySubject.values()) {
    if (value) sums.set(value.currency, (sums.get(value.currency) ?? 0) + value.amountMinor)
  }
  return Object.fromEntries([...sums].sort(([a], [b]) => compareBytes(a, b)))
}

function windowOf(came: readonly Difference[]): RuleDifferences['window'] {
  const times = came.flatMap(({ change }) => change.finding.since ?? [])
  const [first] = times
  if (first === undefined) return null
  // Times may be written with offsets: their order is that of the moments.
  const earlier = (a: string, b: string) => (Date.parse(b) < Date.parse(a) ? b : a)
  const later = (a: string, b: string) => (Date.parse(b) > Date.parse(a) ? b : a)
  return { from: times.reduce(earlier, first), to: times.reduce(later, first) }
}
