import { describe, expect, it } from 'vitest'
import { ARCHETYPES } from '../../src/workload/archetypes.js'
import type { Expectation } from '../../src/workload/operation.js'
import { RULE_IDS, type RuleId } from '../../src/workload/rule-ids.js'

// The dispositions of the domain's table, written down here once more: the truth must not contradict itself.
const REPAIR: readonly RuleId[] = ['paid-not-ticketed', 'partly-ticketed', 'infant-not-ticketed', 'ticket-event-lost']
const OBSERVE: readonly RuleId[] = ['authorised-only', 'duplicate-event', 'seat-without-ticket']
const EITHER_OR: readonly (readonly [RuleId, RuleId])[] = [
  ['paid-not-ticketed', 'partly-ticketed'],
  ['overpaid', 'underpaid'],
  ['paid-not-ticketed', 'underpaid'],
  ['paid-not-ticketed', 'overpaid'],
  ['paid-not-ticketed', 'refund-pending'],
  ['ticketed-not-funded', 'ticket-without-payment'],
]

type Expected = Pick<Expectation, 'rules' | 'repairable'>
const EXPECTED: (readonly [string, Expected])[] = ARCHETYPES.flatMap((archetype) => [
  [archetype.name, archetype] as const,
  ...(archetype.withLookup ? [[`${archetype.name}, looked up`, archetype.withLookup] as const] : []),
])

describe('the archetypes', () => {
  it('have a name each', () => {
    expect(new Set(ARCHETYPES.map(({ name }) => name)).size).toBe(ARCHETYPES.length)
  })

  it('show every rule at least once alone or among others', () => {
    const shown = new Set(EXPECTED.flatMap(([, { rules }]) => rules))
    expect(RULE_IDS.filter((rule) => !shown.has(rule))).toEqual([])
  })

  it('hold near misses and combinations of rules', () => {
    expect(ARCHETYPES.filter(({ rules }) => rules.length === 0).length).toBeGreaterThan(30)
    expect(ARCHETYPES.filter(({ rules }) => rules.length > 1).length).toBeGreaterThan(40)
  })

  it.each(EXPECTED)('do not contradict themselves: %s', (_, { rules, repairable }) => {
    expect(new Set(rules).size).toBe(rules.length)
    for (const pair of EITHER_OR) expect(pair.every((rule) => rules.includes(rule))).toBe(false)
    if (!repairable) return
    expect(rules.some((rule) => REPAIR.includes(rule))).toBe(true)
    expect(rules.filter((rule) => !REPAIR.includes(rule) && !OBSERVE.includes(rule))).toEqual([])
  })
})
