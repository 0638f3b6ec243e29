import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { generate } from '../../src/workload/generate.js'
import type { Operation, Outline, WorkloadItem } from '../../src/workload/operation.js'
import { RULE_IDS, type RuleId } from '../../src/workload/rule-ids.js'
import { SCENARIOS } from '../../src/workload/scenario.js'
import { seedFor } from '../controls/seed.js'

const run = promisify(execFile)
const CHILD = fileURLToPath(new URL('bounded-memory.mjs', import.meta.url))

const isOperation = (item: WorkloadItem): item is Operation => item.kind !== 'opened'
const textOf = (item: WorkloadItem) =>
  item.kind === 'append'
    ? `${item.stream} ${item.revision} ${item.event.id} ${Buffer.from(item.event.data)}`
    : JSON.stringify(item)

function itemsOf(options: Parameters<typeof generate>[0]): {
  operations: Operation[]
  outlines: Outline[]
  now: number
} {
  const workload = generate(options)
  const items = [...workload.items()]
  return {
    operations: items.filter(isOperation),
    outlines: items.flatMap((item) => (item.kind === 'opened' ? [item.outline] : [])),
    now: Date.parse(workload.marker.now),
  }
}

describe('a generated workload', () => {
  it.each(SCENARIOS)('is the same for the same seed and another for another: %s', (scenario) => {
    const bytes = (seed: number) => Array.from(generate({ bookings: 900, seed, scenario }).items(), textOf)
    const workload = generate({ bookings: 900, seed: 7, scenario })
    expect(Array.from(workload.items(), textOf)).toEqual(Array.from(workload.items(), textOf))
    expect(bytes(7)).toEqual(bytes(7))
    expect(bytes(8)).not.toEqual(bytes(7))
  })

  it.each(SCENARIOS)('is in the order of time, dense in every stream, and over before now: %s', (scenario) => {
    const seed = seedFor(`workload ${scenario}`)
    const { operations, outlines, now } = itemsOf({ bookings: 1_700, seed, scenario })
    const next = new Map<string, number>()
    let before = 0
    for (const operation of operations) {
      expect(operation.at).toBeGreaterThanOrEqual(before)
      before = operation.at
      const revision = next.get(operation.stream) ?? 0
      expect(operation.revision).toBe(operation.kind === 'append' ? revision : revision - 1)
      if (operation.kind === 'append') next.set(operation.stream, revision + 1)
    }
    expect(before).toBeLessThan(now)
    expect(outlines).toHaveLength(1_700)
    expect(new Set(outlines.map(({ subject }) => subject)).size).toBe(1_700)
    const ids = operations.map((operation) => (operation.kind === 'append' ? operation.event.id : operation.id))
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('writes events as the domain has them: JSON, of their booking, correlated, never from the future', () => {
    const { operations } = itemsOf({ bookings: 900, seed: 3, scenario: 'outage' })
    for (const operation of operations) {
      if (operation.kind !== 'append' || operation.stream.startsWith('$$')) continue
      const data = JSON.parse(Buffer.from(operation.event.data).toString())
      expect(operation.stream).toMatch(new RegExp(`^(payment|ticket)-${data.bookingId}$`))
      expect(Date.parse(data.occurredAt)).toBeLessThanOrEqual(operation.at)
      expect(JSON.parse(Buffer.from(operation.event.metadata).toString())).toEqual({ $correlationId: data.bookingId })
    }
  })

  it('interleaves its bookings', () => {
    const { operations } = itemsOf({ bookings: 20_000, seed: 3, scenario: 'clean' })
    const bookings = operations.slice(0, 500).map(({ stream }) => stream.replace(/^\$?\$?[a-z]+-/, ''))
    const changes = bookings.filter((booking, place) => place > 0 && booking !== bookings[place - 1]).length
    expect(changes).toBeGreaterThan(new Set(bookings).size)
  })

  it('shows every inconsistency at least 20 times among 20,000 mixed bookings', () => {
    const counts = new Map<RuleId, number>()
    for (const item of generate({ bookings: 20_000, seed: 7, scenario: 'mixed' }).items()) {
      if (item.kind !== 'opened') continue
      const rules = new Set([...item.outline.expected.rules, ...(item.outline.withLookup?.rules ?? [])])
      for (const rule of rules) counts.set(rule, (counts.get(rule) ?? 0) + 1)
    }
    expect(RULE_IDS.filter((rule) => (counts.get(rule) ?? 0) < 20)).toEqual([])
  })

  it('names who lacks a ticket wherever it may be repaired, and nobody elsewhere', () => {
    const { outlines } = itemsOf({ bookings: 1_600, seed: 9, scenario: 'mixed' })
    const expectations = outlines.flatMap(({ expected, withLookup }) =>
      withLookup ? [expected, withLookup] : [expected],
    )
    for (const { repairable, missingPassengers, rules } of expectations) {
      expect(missingPassengers.length > 0).toBe(repairable)
      expect(rules).toEqual([...rules].sort())
    }
    expect(expectations.filter(({ repairable }) => repairable).length).toBeGreaterThan(40)
  })

  it('finds nothing wrong in a clean one', () => {
    const { outlines } = itemsOf({ bookings: 2_000, seed: 9, scenario: 'clean' })
    expect(outlines.filter(({ expected, withLookup }) => expected.rules.length > 0 || withLookup)).toEqual([])
  })

  it('lacks tickets in an outage only for what began while ticketing was down', () => {
    const { operations, outlines } = itemsOf({ bookings: 3_000, seed: 4, scenario: 'outage' })
    const begun = new Map<string, number>()
    for (const { stream, at } of operations) {
      const subject = stream.slice(stream.indexOf('-') + 1)
      if (!begun.has(subject)) begun.set(subject, at)
    }
    const owed = outlines.filter(({ expected }) => expected.rules.includes('paid-not-ticketed'))
    const times = owed.map(({ subject }) => begun.get(subject) ?? 0)
    expect(owed.length).toBeGreaterThan(200)
    expect(Math.min(...times)).toBeGreaterThanOrEqual(Date.parse('2026-05-03T06:00:00Z'))
    expect(Math.max(...times)).toBeLessThan(Date.parse('2026-05-03T14:00:00Z'))
  })

  it('gives a number that is used twice to both bookings of a pair, and to nobody alone', () => {
    const reusedIn = (bookings: number) =>
      itemsOf({ bookings, seed: 1, scenario: 'mixed' }).outlines.filter(
        ({ archetype }) => archetype === 'one number on two bookings',
      )
    const places = reusedIn(800).map(({ subject }) => Number(subject.slice(1)))
    expect(places).toEqual([places[0], (places[0] ?? 0) + 1])
    expect(reusedIn(places[0] ?? 0)).toEqual([])
    expect(reusedIn((places[0] ?? 0) + 1)).toHaveLength(2)
  })

  it('refuses numbers that make no sense', () => {
    const { items } = generate({ bookings: 1, seed: 0, scenario: 'clean' })
    expect([...items()].length).toBeGreaterThan(1)
    expect(() => generate({ bookings: 0, seed: 1, scenario: 'clean' })).toThrow(RangeError)
    expect(() => generate({ bookings: 1.5, seed: 1, scenario: 'clean' })).toThrow(RangeError)
    expect(() => generate({ bookings: 1, seed: 0.5, scenario: 'clean' })).toThrow(RangeError)
  })

  it('goes through 100,000 bookings in a small heap, and gives the same bytes in every process', async () => {
    const seed = seedFor('workload in a small heap')
    const child = async (bookings: number, env: NodeJS.ProcessEnv) => {
      const args = ['--max-old-space-size=32', CHILD, String(bookings), String(seed)]
      return JSON.parse((await run(process.execPath, args, { env: { ...process.env, ...env } })).stdout)
    }
    expect((await child(100_000, {})).operations).toBeGreaterThan(400_000)
    const [here, there] = await Promise.all([
      child(2_000, { TZ: 'UTC' }),
      child(2_000, { TZ: 'Asia/Tokyo', LANG: 'tr_TR' }),
    ])
    expect(here).toEqual(there)
  })
})
