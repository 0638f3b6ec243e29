// Scenarios: over which days the bookings of a workload begin, and which archetype each of them is.
import type { Archetype } from './archetype.js'
import * as fine from './archetypes/fine.js'
import * as owed from './archetypes/owed.js'
import * as payments from './archetypes/payments.js'
import * as refunds from './archetypes/refunds.js'
import * as tickets from './archetypes/tickets.js'
import { ARCHETYPES } from './archetypes.js'
import { DAY_MS, HOUR_MS } from './order.js'
import { Random } from './random.js'

/** `outage`: the ticketing consumer was down for some hours. `mixed`: every inconsistency there is. `clean`: none. */
export const SCENARIOS = ['outage', 'mixed', 'clean'] as const
export type ScenarioName = (typeof SCENARIOS)[number]

/** What the booking at an index is; the second of a pair names the index of the first. */
export interface Casting {
  readonly archetype: Archetype
  readonly pair?: number
}

export interface Scenario {
  /** Bookings begin from here for `spanMs`, milliseconds since the Unix epoch. */
  readonly begin: number
  readonly spanMs: number
  /** The moment for which the truth holds; every event is older. */
  readonly now: number
  cast(booking: { readonly index: number; readonly start: number }): Casting
}

/** Streams of random numbers beside those of the bookings, which are numbered by their index. */
const BLOCK_STREAM = 2 ** 41
const PICK_STREAM = 2 ** 42

const BEGIN = Date.UTC(2026, 4, 1)

export function makeScenario(name: ScenarioName, options: { seed: number; bookings: number }): Scenario {
  if (name === 'outage') return outage(options)
  const month = { begin: BEGIN, spanMs: 30 * DAY_MS, now: BEGIN + 31 * DAY_MS + 12 * HOUR_MS }
  if (name === 'mixed') return { ...month, cast: castInBlocks(options) }
  return { ...month, cast: ({ index }) => ({ archetype: pickWeighted(FAULTLESS, options.seed, index) }) }
}

type Weighted = readonly (readonly [weight: number, archetype: Archetype])[]

const FAULTLESS: Weighted = [
  [8 * fine.FINE.length, fine.ORDINARY],
  [fine.FINE.length, fine.ABANDONED],
  ...fine.FINE.map((archetype) => [1, archetype] as const),
]

/** A day with its ordinary troubles. */
const USUAL: Weighted = [
  [860, fine.ORDINARY],
  [40, fine.ABANDONED],
  [25, fine.JOURNEY_CHANGED],
  [20, fine.GIVEN_UP],
  [20, fine.LATE_NEWS],
  [10, payments.HEARD_TWICE],
  [5, tickets.TICKET_HEARD_TWICE],
  [4, refunds.DISPUTED_TICKETED],
  [3, payments.OVERPAID],
  [3, payments.PAID_TWICE],
  [3, refunds.CANCELLED_PAID],
  [2, refunds.REFUNDED_AND_TICKETED],
  [2, tickets.VOIDED],
  [1, tickets.EXCHANGE_BROKEN],
  [1, tickets.DRIFTED],
  [1, tickets.STILL_OPEN],
]

/** While the consumer of payments that has tickets issued is down. */
const DOWN: Weighted = [
  [560, owed.OWED],
  [110, owed.FAMILY_OWED],
  [60, owed.PARTLY_OWED],
  [20, owed.INFANT_OWED],
  [50, owed.PAID_TWICE_HEARD],
  [40, fine.ABANDONED],
  [40, owed.LIMIT_OVER],
  [30, refunds.REFUND_PENDING],
  [20, fine.GIVEN_UP_EARLY],
  [20, owed.ATTEMPT_OPEN],
  [20, owed.EVENT_LOST],
  [15, refunds.DISPUTED],
  [10, owed.REFUSED],
  [10, owed.HELD],
  [10, payments.UNDERPAID],
  [5, tickets.TICKETED_TWICE],
]

/** Three days, the consumer down for eight hours of the last; `now` is the next morning. */
function outage({ seed }: { seed: number }): Scenario {
  const downFrom = BEGIN + 2 * DAY_MS + 6 * HOUR_MS
  const downUntil = downFrom + 8 * HOUR_MS
  return {
    begin: BEGIN,
    spanMs: 3 * DAY_MS,
    now: BEGIN + 3 * DAY_MS + 8 * HOUR_MS,
    cast: ({ index, start }) => {
      const isDown = start >= downFrom && start < downUntil
      return { archetype: pickWeighted(isDown ? DOWN : USUAL, seed, index) }
    },
  }
}

function pickWeighted(weighted: Weighted, seed: number, index: number): Archetype {
  const total = weighted.reduce((sum, [weight]) => sum + weight, 0)
  let drawn = new Random(seed, PICK_STREAM + index).fraction() * total
  const picked = weighted.find(([weight]) => {
    drawn -= weight
    return drawn < 0
  })
  return picked?.[1] ?? fine.ORDINARY
}

/** Of so many bookings each archetype is one (or one pair); the others are ordinary. */
const BLOCK_LENGTH = 800

function castInBlocks({ seed, bookings }: { seed: number; bookings: number }): Scenario['cast'] {
  // One block is kept: bookings are cast in the order of their index.
  let kept: { readonly block: number; readonly castings: readonly Casting[] } = { block: -1, castings: [] }
  return ({ index }) => {
    const block = Math.floor(index / BLOCK_LENGTH)
    if (kept.block !== block) kept = { block, castings: castBlock(seed, block) }
    const casting = kept.castings[index % BLOCK_LENGTH] ?? { archetype: fine.ORDINARY }
    const isPartnerless = casting.archetype.isPair && casting.pair === undefined && index + 1 === bookings
    return isPartnerless ? { archetype: fine.ORDINARY } : casting
  }
}

function castBlock(seed: number, block: number): Casting[] {
  const places = ARCHETYPES.reduce((sum, { isPair }) => sum + (isPair ? 2 : 1), 0)
  const filling = Array.from({ length: BLOCK_LENGTH - places }, () => fine.ORDINARY)
  const castings: Casting[] = []
  for (const archetype of new Random(seed, BLOCK_STREAM + block).shuffled([...ARCHETYPES, ...filling])) {
    const first = block * BLOCK_LENGTH + castings.length
    castings.push({ archetype })
    if (archetype.isPair) castings.push({ archetype, pair: first })
  }
  return castings
}
