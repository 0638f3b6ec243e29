// The guards as the oracle reads them: a machine may repair only where all of them hold. Each stands by itself, also where a rule
// says the same; that the history is whole and decoded is said by rules.
import { isOwnClaim, openAttempts } from './attempts.js'
import type { History } from './booking-events.js'
import {
  type Case,
  currenciesOf,
  DEPARTURE_MARGIN,
  firstDepartureOf,
  isFreeEqualDue,
  isHeld,
  isPastGrace,
  LIMIT_MARGIN,
} from './case.js'
import { couponStatusesOf, issuedDocuments } from './documents.js'
import { disputesOpenOrLost, pendingRefunds } from './money.js'

/** All guards but that of attempts. */
export function areGuardsHeld(booking: Case): boolean {
  const { history, order, now } = booking
  if (order === undefined || order.isCancelled) return false
  const limits = [order.ticketingTimeLimit, order.fareGuaranteedUntil].filter((limit) => limit !== undefined)
  return (
    isFreeEqualDue(booking) &&
    currenciesOf(history).size === 1 &&
    disputesOpenOrLost(history).length === 0 &&
    !isHeld(history) &&
    pendingRefunds(history).length === 0 &&
    limits.every((limit) => now < limit - LIMIT_MARGIN) &&
    now < firstDepartureOf(order) - DEPARTURE_MARGIN &&
    isPastGrace(booking) &&
    !isTravelInProgress(history)
  )
}

/** Somebody else may be about to issue, to whomever of the booking. */
export function isAttemptInFlight({ history }: Case): boolean {
  return openAttempts(history).some((attempt) => !isOwnClaim(history, attempt))
}

const IN_TRAVEL = ['airport control', 'checked in', 'lifted', 'flown']

/** Travel in progress is never touched. */
function isTravelInProgress(history: History): boolean {
  return issuedDocuments(history).some((document) =>
    couponStatusesOf(history, document).some((status) => IN_TRAVEL.includes(status)),
  )
}
