// The predicates that the table of rules is written in: each answers one question about a booking, or about one passenger,
// document or payment of it.
import type { RuleContext } from '../../src/engine/projection.js'
import { isOwnClaim, type PassengerAttempt } from './attempts.js'
import { type Document, findDuplicate } from './documents.js'
import type { Passenger } from './events.js'
import { allGuardsHold, isPastGrace, isTimeOver } from './guards.js'
import { ticketsTold } from './lookups.js'
import { type Capture, freeOf, netOf } from './money.js'
import { policy } from './policy.js'
import { type Booking, type Fact, type FactData, factOf, factsOf, seatKey } from './state.js'
import { activeTickets, compareFreeToDue, sumsOfDue, termsOf } from './terms.js'

export const isPaid = (booking: Booking) => compareFreeToDue(termsOf(booking)) === 'equal'
export const isUnderpaid = (booking: Booking) => compareFreeToDue(termsOf(booking)) === 'under'
export const isOverpaid = (booking: Booking) => compareFreeToDue(termsOf(booking)) === 'over'
export const pastGrace = (booking: Booking, { now }: RuleContext) => isPastGrace(termsOf(booking), now)
export const timeOver = (booking: Booking, { now }: RuleContext) => isTimeOver(termsOf(booking), now)
export const hasCapture = (booking: Booking) => factsOf(booking, 'PaymentCaptured').length > 0
export const hasActiveTicket = (booking: Booking) => activeTickets(termsOf(booking)).length > 0
export const hasActiveDocument = (booking: Booking) => termsOf(booking).documents.some(({ isActive }) => isActive)
export const isOrderKnown = (booking: Booking) => termsOf(booking).order !== undefined
export const isCancelled = (booking: Booking) => termsOf(booking).order?.cancelledBy !== undefined

export function isAnyFree(booking: Booking): boolean {
  const sums = sumsOfDue(termsOf(booking))
  return sums !== undefined && freeOf(sums) > 0n
}

export function isAnyNet(booking: Booking): boolean {
  return [...termsOf(booking).money.byCurrency.values()].some((sums) => netOf(sums) > 0n)
}

export function isAllMissing(booking: Booking): boolean {
  const { missing, expected } = termsOf(booking)
  return expected.length > 0 && missing.length === expected.length
}

export function isSomeMissing(booking: Booking): boolean {
  return termsOf(booking).missing.length > 0
}

export function isAnyIssued(booking: Booking): boolean {
  const { missing, expected } = termsOf(booking)
  return missing.length < expected.length
}

/** Nothing is to be paid where the order says zero; where no order is known, it cannot be said. */
export function isDueOrUnknown(booking: Booking): boolean {
  const { order } = termsOf(booking)
  return order === undefined || order.due.amountMinor > 0
}

export function isReversedOrRefunded(booking: Booking): boolean {
  const { reversals, refunded } = termsOf(booking).money
  return reversals.length + refunded.length > 0
}

/** Captures, each equal to due and still standing, where two of them have distinct provider references; else none. */
export function duplicatePayments(booking: Booking): readonly Capture[] {
  const { order, money } = termsOf(booking)
  const equal = money.standing.filter(
    ({ data: { amount } }) => amount.amountMinor === order?.due.amountMinor && amount.currency === order.due.currency,
  )
  return new Set(equal.map(({ data }) => data.pspReference)).size > 1 ? equal : []
}

/** Authorisations that can still be captured. */
export function liveAuthorisations(booking: Booking): Fact<FactData<'PaymentAuthorised'>>[] {
  return factsOf(booking, 'PaymentAuthorised').filter(
    ({ data }) =>
      !factOf(booking, 'AuthorisationExpired', data.paymentId) &&
      !factOf(booking, 'AuthorisationVoided', data.paymentId),
  )
}

export const expectedOf = (booking: Booking) => termsOf(booking).expected
export const documentsIn = (booking: Booking) => termsOf(booking).documents

export function isMissing(booking: Booking, _: RuleContext, passenger: Passenger): boolean {
  return termsOf(booking).missing.includes(passenger)
}

export function isAdultTicketed(booking: Booking, _: RuleContext, { accompaniedBy }: Passenger): boolean {
  return accompaniedBy !== undefined && activeTickets(termsOf(booking), accompaniedBy).length > 0
}

export function isTicketed(booking: Booking, _: RuleContext, { passengerId }: { passengerId: string }): boolean {
  return activeTickets(termsOf(booking), passengerId).length > 0
}

export const isNotTicketed = (booking: Booking, context: RuleContext, passenger: { passengerId: string }) =>
  !isTicketed(booking, context, passenger)

/** The document that was issued to a passenger last. */
export function lastTicketOf(booking: Booking, { passengerId }: Passenger): Document | undefined {
  return termsOf(booking).documents.findLast((document) => document.isTicket && document.passengerId === passengerId)
}

export function isLastVoid(booking: Booking, _: RuleContext, passenger: Passenger): boolean {
  return lastTicketOf(booking, passenger)?.voided !== undefined
}

/** Whether all coupons of a passenger's active tickets are together the segments now ordered. */
export function coversItinerary(booking: Booking, { passengerId }: Passenger): boolean {
  const terms = termsOf(booking)
  const ordered = new Set(terms.order?.segments.map(({ segmentId }) => segmentId))
  const ticketed = new Set(
    activeTickets(terms, passengerId).flatMap(({ coupons }) => coupons.map(({ segmentId }) => segmentId)),
  )
  return ordered.size === ticketed.size && [...ordered].every((segmentId) => ticketed.has(segmentId))
}

/** Everybody who has a ticket, expected or not. */
export function ticketedPassengers(booking: Booking): { passengerId: string }[] {
  const ids = new Set(termsOf(booking).documents.map(({ passengerId }) => passengerId))
  return [...ids].map((passengerId) => ({ passengerId }))
}

export function duplicateOf(booking: Booking, passengerId: string): readonly [Document, Document] | undefined {
  return findDuplicate(activeTickets(termsOf(booking), passengerId))
}

/** Active tickets of one passenger that a repair and the live ticketing issued, both; else none. */
export function collidingTickets(booking: Booking, passengerId: string): Document[] {
  const tickets = activeTickets(termsOf(booking), passengerId)
  if (tickets.length < 2) return []
  const colliding = tickets.filter(({ issued }) => issued.data.origin !== 'IMPORT')
  return new Set(colliding.map(({ issued }) => issued.data.origin)).size === 2 ? colliding : []
}

export function isTimedOut(_: Booking, { now }: RuleContext, { requested }: PassengerAttempt): boolean {
  return now >= requested.at + policy.attemptTimeoutMs
}

export function cannotTell(_: Booking, context: RuleContext): boolean {
  return ticketsTold(context) === undefined
}

/** A repair's own claim is settled by asking again under its key, as long as the booking may be repaired at all. */
export function cannotAskAgain(booking: Booking, context: RuleContext, attempt: PassengerAttempt): boolean {
  const { missing, attempts } = termsOf(booking)
  const isStillOwed = missing.some(({ passengerId }) => passengerId === attempt.passengerId)
  return !(isOwnClaim(attempts, attempt) && isStillOwed && allGuardsHold(booking, context))
}

/** Seats allocated and not released since. */
export function isSeatHeld(booking: Booking, _: RuleContext, seat: Fact<FactData<'SeatAllocated'>>): boolean {
  const { passengerId, segmentId } = seat.data
  const released = factOf(booking, 'SeatReleased', seatKey(passengerId, segmentId))
  return released === undefined || released.at < seat.at
}

/** Business ids under which more than one event came. */
export function cameAgain({ repeats, conflicts }: Booking): readonly string[] {
  if (isEmpty(repeats) && isEmpty(conflicts)) return NOTHING
  return [...new Set([...Object.keys(repeats), ...Object.keys(conflicts)])]
}

const NOTHING: readonly string[] = []

function isEmpty(record: object): boolean {
  return Object.keys(record).length === 0
}

export const isActive = (_: Booking, __: RuleContext, document: Document) => document.isActive

export function isExpected(booking: Booking, { passengerId }: { passengerId: string }): boolean {
  return termsOf(booking).expected.some((passenger) => passenger.passengerId === passengerId)
}
