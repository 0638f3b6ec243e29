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

/** The states of a document's coupons now: as issued, then as changed last. */
export function couponStatusesOf(history: History, { ticketNumber, coupons }: Document): string[] {
  const changes = everyFact(history, 'CouponStatusChanged').filter((change) => change.ticketNumber === ticketNumber)
  return coupons.map(({ couponNumber, status }) => {
    const own = changes.filter((change) => change.couponNumber === couponNumber)
    return own.reduce<CouponChange | undefined>(laterOf, undefined)?.to ?? status
  })
}

type CouponChange = Fact<'CouponStatusChanged'>

/** Of changes at one time, the one that goes on from the other is the later. */
function laterOf(known: CouponChange | undefined, next: CouponChange): CouponChange {
  if (known === undefined || timeOf(next) > timeOf(known)) return next
  const goesOn = timeOf(next) === timeOf(known) && next.from === known.to && next.from !== next.to
  return goesOn ? next : known
}

/** All numbers of a document, its own first. */
export function numbersOf({ ticketNumber, conjunctionNumbers }: Document): string[] {
  return [...new Set([ticketNumber, ...(conjunctionNumbers ?? [])])]
}

export function isConjunction(a: Document, b: Document): boolean {
  return numbersOf(a).includes(b.ticketNumber) || numbersOf(b).includes(a.ticketNumber)
}

/** A ticket of the passenger stands behind a place of the ticket stream, whose own order counts. */
export function isTicketedAfter(history: History, passengerId: string, place: number): boolean {
  return issuedTickets(history).some((ticket) => ticket.passengerId === passengerId && ticket.place > place)
}
