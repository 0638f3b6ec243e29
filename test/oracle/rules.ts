// The table of inconsistencies as the oracle reads it: one predicate a row, in the words of the page. What no log can show
// (the authority's and the provider's own records) is not here; nor is what needs other bookings or the places of events.
import { isOwnClaim, type OpenAttempt, openAttempts } from './attempts.js'
import { factsOf, timeOf } from './booking-events.js'
import {
  ATTEMPT_TIMEOUT,
  type Case,
  currenciesOf,
  DEPARTURE_MARGIN,
  firstDepartureOf,
  isFreeEqualDue,
  isHeld,
  isPastGrace,
  missingOf,
} from './case.js'
import {
  activeDocuments,
  activeTickets,
  couponStatusesOf,
  expectedPassengers,
  hasActiveTicket,
  isRefunded,
  issuedDocuments,
} from './documents.js'
import { areGuardsHeld } from './guards.js'
import { capturesOf, disputesOpenOrLost, freeIn, netIn, pendingRefunds, succeededRefunds } from './money.js'
import { isImpossible, isPaidTwice, pairsOfOneId } from './payment-predicates.js'
import {
  hasDrifted,
  hasFailedForGood,
  heldSeats,
  isAdultTicketed,
  isConjunctionBroken,
  isDuplicate,
  isLastTicketVoid,
  isWellFormed,
} from './ticket-predicates.js'

export type Disposition = 'repair' | 'person' | 'never' | 'observe'

/** One row of the table. */
export interface Rule {
  readonly disposition: Disposition
  readonly holds: (booking: Case) => boolean
}

export const RULES: Readonly<Record<string, Rule>> = {
  'paid-not-ticketed': {
    disposition: 'repair',
    holds: (booking) =>
      isFreeEqualDue(booking) &&
      missingOf(booking).length > 0 &&
      missingOf(booking).length === expectedPassengers(booking.order).length &&
      isPastGrace(booking),
  },
  'partly-ticketed': {
    disposition: 'repair',
    holds: (booking) => {
      const missing = missingOf(booking).length
      return missing > 0 && missing < expectedPassengers(booking.order).length && isPastGrace(booking)
    },
  },
  'infant-not-ticketed': {
    disposition: 'repair',
    holds: (booking) =>
      missingOf(booking).some((passenger) => passenger.type === 'INF' && isAdultTicketed(booking, passenger)) &&
      isPastGrace(booking),
  },
  'attempt-unknown': {
    disposition: 'person',
    holds: (booking) =>
      openAttempts(booking.history).some(
        (attempt) => booking.now >= timeOf(attempt.requested) + ATTEMPT_TIMEOUT && !canBeTakenUpAgain(booking, attempt),
      ),
  },
  'issue-failed': {
    disposition: 'person',
    holds: ({ history }) => hasFailedForGood(history),
  },
  'time-limit-passed': {
    disposition: 'never',
    holds: (booking) =>
      isFreeEqualDue(booking) &&
      missingOf(booking).length > 0 &&
      isPastGrace(booking) &&
      (isOver(booking, booking.order?.ticketingTimeLimit) ||
        isOver(booking, booking.order?.fareGuaranteedUntil) ||
        isDepartureNear(booking)),
  },
  'authorised-only': {
    disposition: 'observe',
    holds: ({ history }) => {
      const ended = [...factsOf(history, 'AuthorisationExpired'), ...factsOf(history, 'AuthorisationVoided')]
      const authorised = factsOf(history, 'PaymentAuthorised').some(({ paymentId }) =>
        ended.every((end) => end.paymentId !== paymentId),
      )
      return authorised && capturesOf(history).length === 0 && activeTickets(history).length === 0
    },
  },
  underpaid: {
    disposition: 'never',
    holds: ({ history, order }) => {
      if (order === undefined) return false
      const free = freeIn(history, order.due.currency)
      return free > 0n && free < BigInt(order.due.amountMinor)
    },
  },
  overpaid: {
    disposition: 'person',
    holds: ({ history, order }) =>
      order !== undefined && freeIn(history, order.due.currency) > BigInt(order.due.amountMinor),
  },
  'duplicate-payment': { disposition: 'person', holds: isPaidTwice },
  'duplicate-event': {
    disposition: 'observe',
    holds: ({ history }) => pairsOfOneId(history).some((pair) => pair.isSameContent),
  },
  'conflicting-duplicate': {
    disposition: 'never',
    holds: ({ history }) => pairsOfOneId(history).some((pair) => !pair.isSameContent),
  },
  'mixed-currency': {
    disposition: 'never',
    holds: ({ history }) => currenciesOf(history).size > 1,
  },
  'ticketed-not-funded': {
    disposition: 'person',
    holds: ({ history, order }) =>
      order !== undefined &&
      activeDocuments(history).length > 0 &&
      netIn(history, order.due.currency) < BigInt(order.due.amountMinor) &&
      (succeededRefunds(history).length > 0 || factsOf(history, 'CaptureReversed').length > 0),
  },
  'ticket-without-payment': {
    disposition: 'person',
    // A request pays nothing; nor is anything to be paid where nothing is due.
    holds: ({ history, order }) =>
      activeDocuments(history).length > 0 &&
      capturesOf(history).length === 0 &&
      factsOf(history, 'PaymentAuthorised').length === 0 &&
      (order === undefined || order.due.amountMinor > 0),
  },
  'refund-pending': { disposition: 'never', holds: ({ history }) => pendingRefunds(history).length > 0 },
  'refunded-still-open': {
    disposition: 'person',
    holds: (booking) =>
      issuedDocuments(booking.history).some(
        (document) =>
          isRefunded(booking.history, document) && couponStatusesOf(booking.history, document).includes('open'),
      ),
  },
  dispute: { disposition: 'never', holds: ({ history }) => disputesOpenOrLost(history).length > 0 },
  'review-hold': { disposition: 'never', holds: ({ history }) => isHeld(history) },
  'cancelled-still-paid': {
    disposition: 'never',
    holds: ({ history, order }) =>
      order?.isCancelled === true && [...currenciesOf(history)].some((currency) => netIn(history, currency) > 0n),
  },
  'voided-not-replaced': {
    disposition: 'person',
    holds: (booking) =>
      isFreeEqualDue(booking) &&
      expectedPassengers(booking.order).some(({ passengerId }) => isLastTicketVoid(booking.history, passengerId)),
  },
  'exchange-broken': {
    disposition: 'person',
    holds: ({ history }) => {
      const numbers = issuedDocuments(history).map(({ ticketNumber }) => ticketNumber)
      return factsOf(history, 'TicketExchanged').some(({ newTicketNumber }) => !numbers.includes(newTicketNumber))
    },
  },
  'duplicate-ticket': {
    disposition: 'never',
    holds: ({ history }) => {
      const tickets = activeTickets(history)
      return tickets.some((a) => tickets.some((b) => isDuplicate(a, b)))
    },
  },
  'ticket-number-malformed': {
    disposition: 'person',
    holds: ({ history }) => activeDocuments(history).some(({ ticketNumber }) => !isWellFormed(ticketNumber)),
  },
  'conjunction-broken': {
    disposition: 'person',
    holds: ({ history }) => activeDocuments(history).some(isConjunctionBroken),
  },
  'unknown-passenger': {
    disposition: 'never',
    holds: ({ history, order }) =>
      order !== undefined &&
      activeDocuments(history).some(({ passengerId }) =>
        order.passengers.every((passenger) => passenger.passengerId !== passengerId),
      ),
  },
  'itinerary-drift': { disposition: 'person', holds: hasDrifted },
  'seat-without-ticket': {
    disposition: 'observe',
    holds: ({ history }) => heldSeats(history).some(({ passengerId }) => !hasActiveTicket(history, passengerId)),
  },
  'impossible-order': { disposition: 'never', holds: ({ history }) => history.hasStrayEvent || isImpossible(history) },
  'order-unknown': {
    disposition: 'person',
    holds: ({ history }) => capturesOf(history).length > 0 && factsOf(history, 'PaymentRequested').length === 0,
  },
  'repair-collision': {
    disposition: 'person',
    holds: ({ history }) => {
      const tickets = activeTickets(history)
      return tickets.some(
        (a) => a.origin === 'REPAIR' && tickets.some((b) => b.origin === 'LIVE' && b.passengerId === a.passengerId),
      )
    },
  },
}

/** A repair's own claim of a ticket that is still owed is settled by asking again under its key. */
function canBeTakenUpAgain(booking: Case, attempt: OpenAttempt): boolean {
  const isOwed = missingOf(booking).some(({ passengerId }) => passengerId === attempt.passengerId)
  return isOwnClaim(booking.history, attempt) && isOwed && areGuardsHeld(booking)
}

function isOver({ now }: Case, limit: number | undefined): boolean {
  return limit !== undefined && now >= limit
}

function isDepartureNear({ order, now }: Case): boolean {
  return now >= firstDepartureOf(order) - DEPARTURE_MARGIN
}
