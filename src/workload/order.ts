// What a made-up booking is for: who travels, where and when, what it costs and until when it must be ticketed.
import type { Random } from './random.js'

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

export interface Passenger {
  readonly passengerId: string
  readonly type: 'ADT' | 'CHD' | 'INF'
  /** The adult on whose lap an infant travels. */
  readonly accompaniedBy?: string
}

export interface Segment {
  readonly segmentId: string
  readonly carrier: string
  readonly flightNumber: string
  /** RFC 3339. */
  readonly departsAt: string
}

export interface Amount {
  readonly amountMinor: number
  readonly currency: string
}

/** An order in its latest version. */
export interface Order {
  version: number
  due: Amount
  passengers: readonly Passenger[]
  segments: readonly Segment[]
  ticketingTimeLimit?: string
  fareGuaranteedUntil?: string
}

/** What an archetype needs of its order; what is left out varies. */
export interface Shape {
  /** Adults, children, infants; default one to three adults and now and then a family. */
  readonly party?: readonly [adults: number, children: number, infants: number]
  /** Default one to four. */
  readonly segments?: number
  /** The first departure, in milliseconds before (negative) or after `now`; default days to months after. */
  readonly departsInMs?: number
  /** The ticketing time limit, in milliseconds after `now`; `none`: there is none. Default none, or days after. */
  readonly limitInMs?: number | 'none'
  /** The same for the fare's guarantee. */
  readonly fareInMs?: number | 'none'
  /** Nothing is to be paid. */
  readonly free?: boolean
}

const CARRIERS = [
  { code: 'BA', number: '125' },
  { code: 'LH', number: '220' },
  { code: 'AF', number: '057' },
  { code: 'JL', number: '131' },
  { code: 'QF', number: '081' },
] as const

const CURRENCIES = ['EUR', 'EUR', 'EUR', 'GBP', 'USD', 'JPY', 'KWD'] as const

export type Carrier = (typeof CARRIERS)[number]

export function pickCarrier(random: Random): Carrier {
  return random.pick(CARRIERS)
}

/** Another currency than the given one. */
export function otherCurrency(currency: string): string {
  return currency === 'CHF' ? 'SEK' : 'CHF'
}

/** An order of a shape. `now` is the moment for which the workload's truth holds. */
export function makeOrder(random: Random, shape: Shape, { carrier, now }: { carrier: Carrier; now: number }): Order {
  const passengers = makeParty(random, shape.party ?? anyParty(random))
  const segments = makeSegments(random, {
    count: shape.segments ?? random.between(1, 4),
    first: now + (shape.departsInMs ?? random.between(3 * DAY_MS, 200 * DAY_MS)),
    carrier,
  })
  const fares = passengers.map(({ type }) => (type === 'INF' ? 0 : random.between(4_000, 90_000)))
  const amountMinor = shape.free ? 0 : fares.reduce((sum, fare) => sum + fare, 0)
  return {
    version: 1,
    due: { amountMinor, currency: random.pick(CURRENCIES) },
    passengers,
    segments,
    ...timeOf('ticketingTimeLimit', now, shape.limitInMs ?? anyLimit(random)),
    ...timeOf('fareGuaranteedUntil', now, shape.fareInMs ?? anyLimit(random)),
  }
}

function anyParty(random: Random): readonly [number, number, number] {
  return random.pick([
    [1, 0, 0],
    [1, 0, 0],
    [1, 0, 0],
    [2, 0, 0],
    [2, 0, 0],
    [3, 0, 0],
    [2, 1, 0],
    [2, 2, 0],
    [2, 0, 1],
    [1, 1, 1],
  ])
}

function makeParty(random: Random, [adults, children, infants]: readonly [number, number, number]): Passenger[] {
  const ids = Array.from({ length: adults + children + infants }, (_, place) => `P${place + 1}`)
  return ids.map((passengerId, place) => {
    if (place < adults) return { passengerId, type: 'ADT' }
    if (place < adults + children) return { passengerId, type: 'CHD' }
    const adult = ids[random.between(0, adults - 1)] as string
    return { passengerId, type: 'INF', accompaniedBy: adult }
  })
}

/** Segments one behind the other, the first at `first`; ids go on from `from`. */
export function makeSegments(
  random: Random,
  { count, first, carrier, from = 1 }: { count: number; first: number; carrier: Carrier; from?: number },
): Segment[] {
  let departs = first
  return Array.from({ length: count }, (_, place) => {
    if (place > 0) departs += random.between(2 * HOUR_MS, 4 * DAY_MS)
    return {
      segmentId: `S${from + place}`,
      carrier: carrier.code,
      flightNumber: String(random.between(1, 2_999)),
      departsAt: new Date(Math.floor(departs / MINUTE_MS) * MINUTE_MS).toISOString(),
    }
  })
}

function anyLimit(random: Random): number | 'none' {
  return random.chance(0.5) ? 'none' : random.between(1 * DAY_MS, 20 * DAY_MS)
}

function timeOf<Name extends string>(name: Name, now: number, inMs: number | 'none'): Partial<Record<Name, string>> {
  if (inMs === 'none') return {}
  return { [name]: new Date(now + inMs).toISOString() } as Partial<Record<Name, string>>
}
