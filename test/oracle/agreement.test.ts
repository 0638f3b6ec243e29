// Three readers of one page: the generator that knows what it broke, the product that scans, and the oracle. They must say the same.
import { describe, expect, it } from 'vitest'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { generate } from '../../src/workload/generate.js'
import type { Outline } from '../../src/workload/operation.js'
import type { ScenarioName } from '../../src/workload/scenario.js'
import { writeWorkload } from '../../src/workload/write-store.js'
import { seedFor } from '../controls/seed.js'
import { judgeStore, ORACLE_RULES, type Verdict } from './airline-oracle.js'
import { formatVerdict, scan } from './product-scan.js'
import { readEverything } from './stored-events.js'

/** Milliseconds; far more than it takes, for a machine that has much else to do. */
const TIMEOUT_MS = 240_000

interface Made {
  readonly bookings: number
  readonly seed: number
  readonly scenario: ScenarioName
}

/** A generated store, what its generator knows of it, and what the oracle says. */
async function judgeWorkload(options: Made) {
  const store = openMemoryStore()
  const outlines: Outline[] = []
  const workload = generate(options)
  await writeWorkload(store, workload, { onOutline: (outline) => outlines.push(outline) })
  const now = new Date(workload.marker.now)
  return { store, outlines, now, verdicts: judgeStore(await readEverything(store), now) }
}

function truthOf({ expected }: Outline): Verdict {
  return {
    rules: expected.rules,
    mayBeRepaired: expected.repairable,
    repairablePassengers: expected.missingPassengers,
  }
}

async function disagreementsOn(options: Made): Promise<{ judged: number; disagreements: object[] }> {
  const { store, outlines, now, verdicts } = await judgeWorkload(options)
  const scanned = await scan(store, now)
  const answers = outlines.map((outline) => ({
    booking: `${outline.subject} (${outline.archetype})`,
    truth: formatVerdict(truthOf(outline)),
    oracle: formatVerdict(verdicts.get(outline.subject)),
    scan: formatVerdict(scanned.get(outline.subject)),
  }))
  return {
    judged: answers.length,
    disagreements: answers.filter(({ truth, oracle, scan }) => truth !== oracle || truth !== scan),
  }
}

describe('generator, oracle and scan agree on every booking', () => {
  it.each([
    ['mixed', 4_000, 'one'],
    ['mixed', 4_000, 'another'],
    ['outage', 2_000, 'one'],
    ['clean', 2_000, 'one'],
  ] as const)(
    'of %s, %i of them, %s seed',
    async (scenario, bookings, which) => {
      const seed = seedFor(`oracle agrees on ${scenario}, ${which} seed`)
      const { judged, disagreements } = await disagreementsOn({ bookings, seed, scenario })
      expect(disagreements).toEqual([])
      expect(judged).toBe(bookings)
    },
    TIMEOUT_MS,
  )
})

it(
  'every rule that a log can show holds on at least 20 of 20,000 mixed bookings, by the oracle’s own count',
  async () => {
    const seed = seedFor('oracle counts the rules of mixed')
    const { verdicts } = await judgeWorkload({ bookings: 20_000, seed, scenario: 'mixed' })
    const rules = [...verdicts.values()].flatMap((verdict) => verdict.rules)
    const counts = ORACLE_RULES.map((id) => [id, rules.filter((rule) => rule === id).length] as const)
    expect(counts.filter(([, count]) => count < 20)).toEqual([])
    expect([...new Set(rules)].filter((id) => !ORACLE_RULES.includes(id))).toEqual([])
  },
  TIMEOUT_MS,
)
