// What can happen to a booking's tickets, step by step. Each step lets time pass first.
import type { BookingScript, Coupon, IssuedTicket } from './booking-script.js'
import { HOUR_MS, MINUTE_MS } from './order.js'

const SECOND_MS = 1_000
const COUPONS_PER_DOCUMENT = 4

export function passengersOf(b: BookingScript): string[] {
  return b.order.passengers.map(({ passengerId }) => passengerId)
}

/** The first passenger. */
export function leadOf(b: BookingScript): string {
  return passengersOf(b)[0] as string
}

/** Somebody is asked for tickets; nothing is answered yet. Returns the attempt's id. */
export function attempt(b: BookingScript, passengerIds: readonly string[] = passengersOf(b)): string {
  b.wait(5 * SECOND_MS, 2 * MINUTE_MS)
  const attemptId = b.newId('att')
  b.ticket('TicketIssueRequested', { attemptId, passengerIds, ...originOf(b) })
  return attemptId
}

function originOf({ random }: BookingScript): object {
  return random.chance(0.8) ? { origin: 'LIVE' } : {}
}

export function failAttempt(
  b: BookingScript,
  { passengerIds = passengersOf(b), retryable }: { passengerIds?: readonly string[]; retryable: boolean },
): void {
  const attemptId = attempt(b, passengerIds)
  b.wait(1 * SECOND_MS, 1 * MINUTE_MS)
  const code = retryable ? 'HOST_UNAVAILABLE' : 'FARE_NOT_VALID'
  b.ticket('TicketIssueFailed', { attemptId, passengerIds, code, retryable })
}

/** Tickets for these passengers (default all), most times with the attempt before them. */
export function ticketAll(b: BookingScript, passengerIds: readonly string[] = passengersOf(b)): void {
  if (b.random.chance(0.85)) attempt(b, passengerIds)
  for (const passengerId of passengerIds) issue(b, passengerId)
}

export interface IssueOptions {
  readonly origin?: 'LIVE' | 'REPAIR' | 'IMPORT'
  /** Default the current ones of the order. */
  readonly segmentIds?: readonly string[]
  /** Default the booking's next ones: one for each four segments. */
  readonly numbers?: readonly string[]
  /** When the log hears of it, where that is later. */
  readonly heardAt?: number
  /** Default 4. */
  readonly couponsPerDocument?: number
}

/** A ticket: one document, or a conjunction of several where there are more segments than coupons. */
export function issue(b: BookingScript, passengerId: string, options: IssueOptions = {}): IssuedTicket {
  b.wait(1 * SECOND_MS, 40 * SECOND_MS)
  const documents = couponsOf(b, options)
  const numbers = options.numbers ?? documents.map(() => b.newTicketNumber())
  const issued = documents.map((coupons, place) => ({ ticketNumber: numbers[place] as string, passengerId, coupons }))
  for (const ticket of issued) {
    recordTicket(b, ticket, { numbers, ...options })
    b.tickets.push(ticket)
  }
  return issued[0] as IssuedTicket
}

function couponsOf(
  b: BookingScript,
  { segmentIds, couponsPerDocument = COUPONS_PER_DOCUMENT }: IssueOptions,
): Coupon[][] {
  const segments = segmentIds ?? b.order.segments.map(({ segmentId }) => segmentId)
  const documents: Coupon[][] = []
  for (let from = 0; from < segments.length; from += couponsPerDocument) {
    const part = segments.slice(from, from + couponsPerDocument)
    documents.push(part.map((segmentId, place) => ({ couponNumber: place + 1, segmentId, status: 'OPEN' })))
  }
  return documents
}

function recordTicket(
  b: BookingScript,
  { ticketNumber, passengerId, coupons }: IssuedTicket,
  { numbers = [], origin = 'LIVE', heardAt = b.at }: IssueOptions,
): void {
  const others = numbers.filter((number) => number !== ticketNumber)
  const data = {
    ticketNumber,
    documentType: 'TKT',
    ...((others.length > 0 || b.random.chance(0.5)) && { conjunctionNumbers: others }),
    passengerId,
    orderVersion: b.order.version,
    coupons,
    ...(b.random.chance(0.5) && {
      total: { amountMinor: b.random.between(0, 90_000), currency: b.order.due.currency },
    }),
    issuedAt: new Date(b.at).toISOString(),
    origin,
  }
  b.ticket('TicketIssued', data, { at: heardAt })
}

/** A document for a service beside the ticket. */
export function issueEmd(b: BookingScript, passengerId: string): void {
  b.wait(1 * MINUTE_MS, 3 * HOUR_MS)
  const [segment] = b.order.segments
  b.ticket('TicketIssued', {
    ticketNumber: b.newTicketNumber(),
    documentType: 'EMDA',
    passengerId,
    orderVersion: b.order.version,
    coupons: [{ couponNumber: 1, segmentId: segment?.segmentId, status: 'OPEN' }],
    issuedAt: new Date(b.at).toISOString(),
    origin: 'LIVE',
  })
}

/** The authority issued a ticket, and the log never heard of it. */
export function issueUnheard(b: BookingScript, passengerId: string): void {
  b.wait(1 * SECOND_MS, 40 * SECOND_MS)
  const issuedAt = new Date(b.at).toISOString()
  const ticketNumber = b.newTicketNumber()
  b.knownTickets.push({ ticketNumber, documentType: 'TKT', bookingId: b.subject, passengerId, issuedAt })
}

export function voidTicket(b: BookingScript, { ticketNumber }: IssuedTicket): void {
  b.wait(10 * MINUTE_MS, 12 * HOUR_MS)
  b.ticket('TicketVoided', { ticketNumber })
}

/** All coupons of a ticket come into a state. */
export function moveCoupons(b: BookingScript, ticket: IssuedTicket, to: string): void {
  b.wait(1 * SECOND_MS, 10 * MINUTE_MS)
  for (const { couponNumber } of ticket.coupons) {
    b.ticket('CouponStatusChanged', { ticketNumber: ticket.ticketNumber, couponNumber, from: 'OPEN', to })
  }
}

/** The ticket is refunded; with its coupons where nothing is forgotten. */
export function refundTicket(b: BookingScript, ticket: IssuedTicket, { couponsToo }: { couponsToo: boolean }): void {
  b.wait(1 * MINUTE_MS, 1 * HOUR_MS)
  b.ticket('TicketRefunded', { ticketNumber: ticket.ticketNumber })
  if (couponsToo) moveCoupons(b, ticket, 'REFUNDED')
}

/** The old ticket goes out for a new number, which somebody must have issued. */
export function exchange(b: BookingScript, old: IssuedTicket, newTicketNumber: string): void {
  b.wait(1 * SECOND_MS, 1 * MINUTE_MS)
  b.ticket('TicketExchanged', { oldTicketNumber: old.ticketNumber, newTicketNumber })
  moveCoupons(b, old, 'EXCHANGED')
}

export function allocateSeat(b: BookingScript, passengerId: string): void {
  b.wait(1 * SECOND_MS, 5 * MINUTE_MS)
  b.ticket('SeatAllocated', seatOf(b, passengerId))
}

export function releaseSeat(b: BookingScript, passengerId: string): void {
  b.wait(1 * HOUR_MS, 12 * HOUR_MS)
  b.ticket('SeatReleased', seatOf(b, passengerId))
}

function seatOf(b: BookingScript, passengerId: string): object {
  const row = 4 + passengersOf(b).indexOf(passengerId)
  return { passengerId, segmentId: b.order.segments[0]?.segmentId, seat: `${row}C` }
}
