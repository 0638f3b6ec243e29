// The table of inconsistencies, row by row: each is found, each near miss is not, and no condition of any row can be negated
// or left out without one of these cases failing.
import { describe, expect, it } from 'vitest'
import { booking } from '../../../projections/booking/booking.js'
import type { Booking } from '../../../projections/booking/state.js'
import type { Rule } from '../../../src/engine/projection.js'
import { judge, rulesFound, type Scene } from './history.js'
import { type Case, paymentCases } from './payment-cases.js'
import { ticketCases } from './ticket-cases.js'

const cases: readonly Case[] = [...paymentCases, ...ticketCases]

describe.each(cases)('$rule', ({ rule, scene, found = [rule], nearMisses }) => {
  it('is found', () => {
    expect(rulesFound(scene)).toEqual(found)
  })

  it.each(Object.entries(nearMisses))('is not found where only this fails: %s', (_, change) => {
    const nearMiss = change(scene)
    expect(differences(scene, nearMiss)).toBe(1)
    expect(rulesFound(nearMiss)).not.toContain(rule)
  })
})

describe('every row', () => {
  const conditions = booking.rules.flatMap((rule) => Object.keys(rule.when).map((name) => [rule.id, name] as const))

  it('has a case, and each of its conditions a near miss', () => {
    const cased = cases.flatMap(({ rule, nearMisses }) => Object.keys(nearMisses).map((name) => [rule, name] as const))
    expect(cased.toSorted()).toEqual(conditions.toSorted())
    expect(new Set(cases.map(({ rule }) => rule)).size).toBe(cases.length)
  })

  it.each(conditions)('%s needs "%s" as it is: negated, it is no longer found where it should be', (id, name) => {
    const { scene } = caseOf(id)
    const negated = withCondition(ruleOf(id), name, (holds) => !holds)
    const found = itemsFound(scene, ruleOf(id))
    expect(found).not.toEqual([])
    expect(itemsFound(scene, negated).filter((item) => found.includes(item))).toEqual([])
  })

  it.each(conditions)('%s needs "%s" at all: left out, its near miss is found', (id, name) => {
    const { scene, nearMisses } = caseOf(id)
    const nearMiss = nearMisses[name]?.(scene) as Scene
    const leftOut = withCondition(ruleOf(id), name, () => true)
    expect(itemsFound(nearMiss, leftOut).length).toBeGreaterThan(itemsFound(nearMiss, ruleOf(id)).length)
  })
})

/** How many events or circumstances are another one: an event that was changed counts once. */
function differences(a: Scene, b: Scene): number {
  const gone = a.told.filter((told) => !b.told.includes(told)).length
  const come = b.told.filter((told) => !a.told.includes(told)).length
  return Math.max(gone, come) + Number(a.now !== b.now) + Number(a.lookups !== b.lookups)
}

function caseOf(id: string): Case {
  return cases.find(({ rule }) => rule === id) as Case
}

function ruleOf(id: string): Rule<Booking> {
  return booking.rules.find((rule) => rule.id === id) as Rule<Booking>
}

function withCondition(rule: Rule<Booking>, name: string, change: (holds: boolean) => boolean): Rule<Booking> {
  const condition = rule.when[name]
  if (!condition) throw new Error(`${rule.id} has no condition ${name}`)
  return { ...rule, when: { ...rule.when, [name]: (...about) => change(condition(...about)) } }
}

/** What a rule is found about. Its own evidence is left aside: it may rest on the condition that is changed here. */
function itemsFound(scene: Scene, rule: Rule<Booking>): (string | undefined)[] {
  const opened = { id: rule.id, stream: 'payment-b1', revision: 0 }
  const evidence = (_: Booking, item: unknown) => ({ opened, occurrence: String(JSON.stringify(item)) })
  const { findings } = judge(scene, { ...booking, rules: [{ ...rule, evidence }] })
  return findings.filter((finding) => finding.rule === rule.id).map(({ occurrence }) => occurrence)
}
