// A booking before its judge, for the oracle: the terms that rules and guards share.
import { everyFact, type History, type Passenger, paymentFactsOf, timeOf } from './booking-events.js'
import { missingPassengers } from './documents.js'
import { capturesOf, freeIn } from './money.js'
import type { Order } from './order.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
export const GRACE = 15 * MINUTE
export const ATTEMPT_TIMEOUT = 10 * MINUTE
export const LIMIT_MARGIN = 2 * HOUR
export const DEPARTURE_MARGIN = 24 * HOUR

/** A booking before its judge. `now` is in milliseconds since the Unix epoch. */
export interface Case {
  readonly history: History
  readonly order: Order | undefined
  readonly now: number
}

/** What the customer paid is free and is what is due, and some of it was captured. */
export function isFreeEqualDue({ history, order }: Case): boolean {
  if (order === undefined || capturesOf(history).length === 0) return false
  return freeIn(history, order.due.currency) === BigInt(order.due.amountMinor)
}

/** Since the last thing that happened to the payment, whatever it was. */
export function isPastGrace({ history, now }: Case): boolean {
  const moments = paymentFactsOf(history).map(timeOf)
  return moments.length > 0 && now >= Math.max(...moments) + GRACE
}

export function isHeld(history: History): boolean {
  const held = everyFact(history, 'PaymentReviewHeld').map(timeOf)
  const cleared = everyFact(history, 'PaymentReviewCleared').map(timeOf)
  return held.some((moment) => cleared.every((later) => later <= moment))
}

/** The currencies in which money came, went, was promised or is or was due. */
export function currenciesOf(history: History): Set<string> {
  const currencies = new Set<string>()
  for (const fact of paymentFactsOf(history)) {
    if ('amount' in fact) currencies.add(fact.amount.currency)
    if ('due' in fact && fact.due) currencies.add(fact.due.currency)
  }
  return currencies
}

/** When the first flight leaves; Infinity where none is known. */
export function firstDepartureOf(order: Order | undefined): number {
  return Math.min(...(order?.segments ?? []).map(({ departsAt }) => Date.parse(departsAt)))
}

export function missingOf({ history, order }: Case): Passenger[] {
  return missingPassengers(history, order)
}
