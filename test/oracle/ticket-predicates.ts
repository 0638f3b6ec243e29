// What the oracle asks of tickets, where a row of the table needs more than a line.
import { isDeepStrictEqual } from 'node:util'
import { everyFact, factsOf, type History, type Passenger, timeOf } from './booking-events.js'
import type { Case } from './case.js'
import {
  activeTickets,
  type Document,
  expectedPassengers,
  hasActiveTicket,
  isConjunction,
  issuedTickets,
  isTicketedAfter,
  isVoid,
  numbersOf,
} from './documents.js'

export function isAdultTicketed({ history }: Case, infant: Passenger): boolean {
  return infant.accompaniedBy !== undefined && hasActiveTicket(history, infant.accompaniedBy)
}

/** Somebody's last failure is final, and no ticket came after it. */
export function hasFailedForGood(history: History): boolean {
  const failures = factsOf(history, 'TicketIssueFailed')
  const passengerIds = failures.flatMap((failure) => failure.passengerIds)
  return passengerIds.some((passengerId) => {
    const last = failures.findLast((failure) => failure.passengerIds.includes(passengerId))
    return last !== undefined && !last.retryable && !isTicketedAfter(history, passengerId, last.place)
  })
}

export function isLastTicketVoid(history: History, passengerId: string): boolean {
  const last = issuedTickets(history).findLast((ticket) => ticket.passengerId === passengerId)
  return last !== undefined && isVoid(history, last) && !hasActiveTicket(history, passengerId)
}

export function isDuplicate(a: Document, b: Document): boolean {
  if (a.ticketNumber === b.ticketNumber || a.passengerId !== b.passengerId || isConjunction(a, b)) return false
  const flown = segmentsOf(a)
  return segmentsOf(b).some((segmentId) => flown.includes(segmentId))
}

function segmentsOf({ coupons }: Document): string[] {
  return [...new Set(coupons.map(({ segmentId }) => segmentId))].toSorted()
}

export function isWellFormed(ticketNumber: string): boolean {
  return /^\d{13}$/.test(ticketNumber)
}

export function isConjunctionBroken(document: Document): boolean {
  const numbers = numbersOf(document)
  const tooMany =
    numbers.length > 4 || document.coupons.length > 4 || document.coupons.some(({ couponNumber }) => couponNumber > 4)
  if (tooMany || numbers.length === 1) return tooMany
  if (!numbers.every(isWellFormed)) return true
  const serials = numbers.map(BigInt).toSorted((a, b) => (a < b ? -1 : 1))
  return serials.some((serial, index) => serial !== (serials[0] ?? 0n) + BigInt(index))
}

export function hasDrifted({ history, order }: Case): boolean {
  const current = (order?.segments ?? []).map(({ segmentId }) => segmentId)
  return expectedPassengers(order).some(({ passengerId }) => {
    const tickets = activeTickets(history).filter((ticket) => ticket.passengerId === passengerId)
    const ticketed = tickets.flatMap(segmentsOf)
    return tickets.length > 0 && !isDeepStrictEqual(new Set(ticketed), new Set(current))
  })
}

export function heldSeats(history: History): { readonly passengerId: string }[] {
  const released = everyFact(history, 'SeatReleased')
  return everyFact(history, 'SeatAllocated').filter((held) =>
    released.every(
      (release) =>
        release.passengerId !== held.passengerId ||
        release.segmentId !== held.segmentId ||
        timeOf(release) < timeOf(held),
    ),
  )
}
