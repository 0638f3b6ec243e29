// What proves a finding of a booking: the event that opened it, since when, the amounts that a person wants to see.
import type { JsonObject } from '../../src/engine/json.js'
import type { Evidence } from '../../src/engine/projection.js'
import type { Document } from './documents.js'
import { freeOf, netOf } from './money.js'
import { type Booking, compareTimes, type Fact, latestOf } from './state.js'
import { sumsOfDue, termsOf } from './terms.js'

/** Evidence opened by a fact, with the others that prove it. */
export function proof(
  opened: Fact,
  more: { also?: readonly Fact[]; occurrence?: string; detail?: JsonObject } = {},
): Evidence {
  const { also = [], occurrence, detail } = more
  return {
    opened: opened.event,
    events: also.length === 0 ? NO_EVENTS : also.toSorted(compareTimes).map(({ event }) => event.id),
    since: new Date(opened.at).toISOString(),
    ...(occurrence !== undefined && { occurrence }),
    ...(detail && { detail }),
  }
}

const NO_EVENTS: readonly string[] = []

/** Evidence about money, opened by the latest payment event: whatever changes money or due opens another finding. */
export function moneyProof(booking: Booking, more: { occurrence?: string; detail?: JsonObject } = {}): Evidence {
  const { latestPayment, order, money } = termsOf(booking)
  const also = [...money.captures, ...(order ? [order.setBy] : [])]
  // Rules about money want a capture or an order, so there is a payment event.
  return proof(latestPayment as Fact, { also, ...more, detail: { ...amountsOf(booking), ...more.detail } })
}

/** The later of several facts, as what completed them. */
export function completedBy(facts: readonly (Fact | undefined)[]): Fact {
  return latestOf(facts.filter((fact) => fact !== undefined)) as Fact
}

/** Evidence that a document is wrong in itself. */
export function documentProof(_: Booking, { issued, number }: Document): Evidence {
  return proof(issued, { occurrence: number })
}

/**
 * What shows a finding that no event of ours opened: the latest payment event, else the latest of any; undefined where not one event
 * could be folded.
 */
export function shownBy(booking: Booking): Fact | undefined {
  const { facts, misplaced } = booking
  const all = Object.values(facts).flat()
  return termsOf(booking).latestPayment ?? latestOf([...all, ...Object.values(misplaced)])
}

function amountsOf(booking: Booking): JsonObject {
  const terms = termsOf(booking)
  const sums = sumsOfDue(terms)
  if (!terms.order || !sums) return {}
  const { amountMinor, currency } = terms.order.due
  return { currency, dueMinor: amountMinor, netMinor: jsonOf(netOf(sums)), freeMinor: jsonOf(freeOf(sums)) }
}

/** A sum as a JSON number, or as text where a number would round it. */
function jsonOf(sum: bigint): number | string {
  const number = Number(sum)
  return Number.isSafeInteger(number) ? number : String(sum)
}
