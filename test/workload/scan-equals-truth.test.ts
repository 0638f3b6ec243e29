import { describe, expect, it } from 'vitest'
import { booking } from '../../projections/booking/booking.js'
import type { JsonValue } from '../../src/engine/json.js'
import { replay } from '../../src/engine/replay.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { generate } from '../../src/workload/generate.js'
import type { LookupName, Outline } from '../../src/workload/operation.js'
import type { ScenarioName } from '../../src/workload/scenario.js'
import { writeWorkload } from '../../src/workload/write-store.js'
import { seedFor } from '../controls/seed.js'

/** What those beside the log answer about a booking. */
function answersOf({ knownTickets, paymentRecord }: Outline): Record<LookupName, JsonValue> {
  return {
    'ticket-authority': { tickets: knownTickets.map((ticket) => ({ ...ticket, status: 'active' })) },
    'payment-record': paymentRecord ? { ...paymentRecord } : null,
  }
}

/** What was found and what was expected, a line for each booking with either. */
async function compare(options: {
  bookings: number
  seed: number
  scenario: ScenarioName
  lookups: readonly LookupName[]
}): Promise<{ found: string[]; expected: string[] }> {
  const store = openMemoryStore()
  const outlines = new Map<string, Outline>()
  const workload = generate(options)
  await writeWorkload(store, workload, { onOutline: (outline) => outlines.set(outline.subject, outline) })
  const { findings, compensations } = await replay(store, booking, {
    now: Date.parse(workload.marker.now),
    lookUp: async (subject) => {
      const outline = outlines.get(subject)
      const answers = outline ? Object.entries(answersOf(outline)) : []
      return Object.fromEntries(answers.filter(([name]) => options.lookups.some((lookup) => lookup === name)))
    },
  })
  const rules = new Map<string, Set<string>>()
  for (const { subject, rule } of findings) rules.set(subject, (rules.get(subject) ?? new Set()).add(rule))
  const repaired = new Map(compensations.map(({ subject, intents }) => [subject, intents.length]))
  const lines = (lineOf: (outline: Outline) => { rules: readonly string[]; tickets: number }) =>
    [...outlines.values()].flatMap((outline) => {
      const line = lineOf(outline)
      const text = `${outline.subject} (${outline.archetype}): ${[...line.rules].sort().join(' ')}; ${line.tickets} tickets`
      return line.rules.length > 0 || line.tickets > 0 ? [text] : []
    })
  return {
    found: lines(({ subject }) => ({ rules: [...(rules.get(subject) ?? [])], tickets: repaired.get(subject) ?? 0 })),
    expected: lines(({ expected, withLookup }) => {
      const holds = withLookup && options.lookups.includes(withLookup.lookup) ? withLookup : expected
      return { rules: holds.rules, tickets: holds.missingPassengers.length }
    }),
  }
}

describe('a scan of a generated store', () => {
  it.each([
    ['mixed', []],
    ['mixed', ['ticket-authority', 'payment-record']],
    ['outage', ['ticket-authority']],
    ['clean', []],
  ] as const)('finds the truth, all of it and nothing else: %s, asking %j', async (scenario, lookups) => {
    const seed = seedFor(`scan equals truth, ${scenario}`)
    const { found, expected } = await compare({ bookings: 1_600, seed, scenario, lookups })
    expect(found).toEqual(expected)
    expect(expected.length > 100).toBe(scenario !== 'clean')
  })
})
