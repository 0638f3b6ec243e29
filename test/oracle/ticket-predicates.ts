// What the oracle asks of tickets, where a row of the table needs more than a line.
import { isDeepStrictEqual } from 'node:util'
import { everyFact, type History, type Passenger, timeOf } from './booking-events.js'
import type { Case } from './case.js'
import {
  activeTickets,
  type Document,
  expectedPassengers,
  hasActiveTicket,
  isConjunction,
  issuedTickets,
  isVoid,
  numbersOf,
} from './documents.js'

export function isAdultTicketed({ history, order }: Case, infant: Passenger): boolean {
  const adults = expectedPassengers(order).filter(({ passengerId, type }) =>
    infant.accompaniedBy === undefined ? type === 'ADT' : passengerId === infant.accompaniedBy,
  )
  return adults.some(({ passengerId }) => hasActiveTicket(history, passengerId))
}

/** The passenger's last failure is final and no ticket came after it. */
export function hasFailed({ history }: Case, passengerId: string): boolean {
  const last = everyFact(history, 'TicketIssueFailed')
    .filter((failure) => passengersOf(history, failure).includes(passengerId))
    .toSorted((a, b) => timeOf(a) - timeOf(b))
    .at(-1)
  return last !== undefined && !last.retryable && !hasActiveTicket(history, passengerId)
}

function passengersOf(history: History, failure: { attemptId: string; passengerIds?: string[] | undefined }): string[] {
  if (failure.passengerIds !== undefined) return failure.passengerIds
  return everyFact(history, 'TicketIssueRequested')
    .filter(({ attemptId }) => attemptId === failure.attemptId)
    .flatMap(({ passengerIds }) => passengerIds)
}

export function isLastTicketVoid(history: History, passengerId: string): boolean {
  const last = issuedTickets(history)
    .filter((ticket) => ticket.passengerId === passengerId)
    .toSorted((a, b) => Date.parse(a.issuedAt) - Date.parse(b.issuedAt))
    .at(-1)
  return last !== undefined && isVoid(history, last) && !hasActiveTicket(history, passengerId)
}

export function isDuplicate(a: Document, b: Document): boolean {
  if (a.ticketNumber === b.ticketNumber || a.passengerId !== b.passengerId || isConjunction(a, b)) return false
  const flown = segmentsOf(a)
  return isDeepStrictEqual(flown, segmentsOf(b)) || segmentsOf(b).some((segmentId) => flown.includes(segmentId))
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
    numbers.length > 4 ||
    document.coupons.length > 4 * numbers.length ||
    document.coupons.some(({ couponNumber }) => couponNumber < 1 || couponNumber > 4)
  if (tooMany || !numbers.every(isWellFormed)) return tooMany
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
        timeOf(release) <= timeOf(held),
    ),
  )
}
