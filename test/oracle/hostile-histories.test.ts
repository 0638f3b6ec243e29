// The product and the oracle on histories that nobody planned: they must find the same, and let a machine issue for the same passengers.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { seedFor } from '../controls/seed.js'
import { judgeStore, ORACLE_RULES, type Verdict } from './airline-oracle.js'
import { atMinute } from './histories.js'
import { hostileStore, NOW_MINUTE } from './hostile-histories.js'
import { formatVerdict, scan } from './product-scan.js'
import { readerOf } from './stored-events.js'

const RUNS = 3_000
/** Milliseconds; far more than it takes, for a machine that has much else to do. */
const TIMEOUT_MS = 240_000

it(
  'on every hostile history the scan finds what the oracle finds, and repairs whom it would',
  async () => {
    const seed = seedFor('hostile histories')
    const now = new Date(atMinute(NOW_MINUTE))
    const judged: Verdict[] = []
    await fc.assert(
      fc.asyncProperty(hostileStore, async (events) => {
        const verdicts = judgeStore(events, now)
        const scanned = await scan(readerOf(events), now)
        judged.push(...verdicts.values())
        const bookings = [...new Set([...verdicts.keys(), ...scanned.keys()])]
        expect(bookings.map((id) => `${id}: ${formatVerdict(scanned.get(id))}`)).toEqual(
          bookings.map((id) => `${id}: ${formatVerdict(verdicts.get(id))}`),
        )
      }),
      { numRuns: RUNS, seed },
    )
    const repairable = judged.filter(({ mayBeRepaired }) => mayBeRepaired).length
    const counts = ORACLE_RULES.map((id) => [id, judged.filter(({ rules }) => rules.includes(id)).length] as const)
    process.stdout.write(
      `hostile histories: ${judged.length} bookings, ${repairable} may be repaired; ${counts.map((one) => one.join(' ')).join(', ')}\n`,
    )
    expect(judged.length).toBeGreaterThanOrEqual(RUNS / 2)
    expect(repairable).toBeGreaterThan(0)
    expect(counts.filter(([, count]) => count === 0)).toEqual([])
  },
  TIMEOUT_MS,
)
