// Ticket documents, for the oracle: what was issued, what of it is active, whom the order still owes one.
import { everyFact, type Fact, factsOf, type History, type Passenger, timeOf } from './booking-events.js'
import type { Order } from './order.js'

export type Document = Fact<'TicketIssued'>

/** All that was ever issued. Of a number that was told in two ways, what was said first. */
export function issuedDocuments(history: History): Document[] {
  return factsOf(history, 'TicketIssued')
}

/** The tickets proper; what goes with them (EMD) carries nobody. */
export function issuedTickets(history: History): Document[] {
  return issuedDocuments(history).filter(({ documentType }) => documentType === 'TKT')
}

export function isVoid(history: History, { ticketNumber }: Document): boolean {
  return everyFact(history, 'TicketVoided').some((end) => end.ticketNumber === ticketNumber)
}

export function isRefunded(history: History, { ticketNumber }: Document): boolean {
  return everyFact(history, 'TicketRefunded').some((end) => end.ticketNumber === ticketNumber)
}

/** Issued and not void, exchanged-out or refunded. */
export function isActive(history: History, document: Document): boolean {
  const exchanged = everyFact(history, 'TicketExchanged').some(
    ({ oldTicketNumber }) => oldTicketNumber === document.ticketNumber,
  )
  return !exchanged && !isVoid(history, document) && !isRefunded(history, document)
}

export function activeDocuments(history: History): Document[] {
  return issuedDocuments(history).filter((document) => isActive(history, document))
}

export function activeTickets(history: History): Document[] {
  return issuedTickets(history).filter((document) => isActive(history, document))
}

/** Whether a passenger can fly on some ticket. */
export function hasActiveTicket(history: History, passengerId: string): boolean {
  return activeTickets(history).some((ticket) => ticket.passengerId === passengerId)
}

/** Every passenger gets a document, an infant too. That nobody gets one of a cancelled order is for the guards to say. */
export function expectedPassengers(order: Order | undefined): readonly Passenger[] {
  return order?.passengers ?? []
}

/** Expected with none active and never issued before. */
export function missingPassengers(history: History, order: Order | undefined): Passenger[] {
  const issued = issuedTickets(history)
  return expectedPassengers(order).filter(({ passengerId }) =>
    issued.every((ticket) => ticket.passengerId !== passengerId),
  )
}

/** The states of a document's coupons now: as issued, then as changed, in order of time. Spelling is made alike. */
export function couponStatusesOf(history: History, document: Document): string[] {
  const changes = everyFact(history, 'CouponStatusChanged')
    .filter(({ ticketNumber }) => ticketNumber === document.ticketNumber)
    .toSorted((a, b) => timeOf(a) - timeOf(b))
  return document.coupons.map(({ couponNumber, status }) => {
    const last = changes.findLast((change) => change.couponNumber === couponNumber)
    return (last?.to ?? status).toLowerCase().replaceAll(/[^a-z]/g, '')
  })
}

/** All numbers of a document, its own first. */
export function numbersOf({ ticketNumber, conjunctionNumbers }: Document): string[] {
  return [...new Set([ticketNumber, ...(conjunctionNumbers ?? [])])]
}

export function isConjunction(a: Document, b: Document): boolean {
  return numbersOf(a).includes(b.ticketNumber) || numbersOf(b).includes(a.ticketNumber)
}

/** Attempts to issue of which the outcome is not known. */
export function unansweredAttempts(history: History): Fact<'TicketIssueRequested'>[] {
  const failures = everyFact(history, 'TicketIssueFailed')
  const issued = issuedDocuments(history)
  const isAnswered = (attempt: Fact<'TicketIssueRequested'>): boolean =>
    failures.some(({ attemptId }) => attemptId === attempt.attemptId) ||
    attempt.passengerIds.every((passengerId) =>
      issued.some((document) => document.passengerId === passengerId && timeOf(document) >= timeOf(attempt)),
    )
  return factsOf(history, 'TicketIssueRequested').filter((attempt) => !isAnswered(attempt))
}
