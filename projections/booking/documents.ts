// The documents of a booking: which were issued, which are still good, and where their coupons stand. In the ticket stream the
// stream's own order counts.
import type { Coupon } from './events.js'
import { type Booking, couponKey, type Fact, type FactData, factOf, factsOf } from './state.js'

export interface Document {
  readonly number: string
  readonly passengerId: string
  /** Of type TKT: it lets somebody fly. EMDs are for services beside. */
  readonly isTicket: boolean
  readonly issued: Fact<FactData<'TicketIssued'>>
  readonly voided: Fact | undefined
  readonly refunded: Fact | undefined
  /** Not void, exchanged-out or refunded. */
  readonly isActive: boolean
  /** With the states they have by now. */
  readonly coupons: readonly Coupon[]
}

/** All documents, in the order in which the stream has them. */
export function documentsOf(booking: Booking): Document[] {
  return inStreamOrder(factsOf(booking, 'TicketIssued')).map((issued) => documentOf(booking, issued))
}

function documentOf(booking: Booking, issued: Document['issued']): Document {
  const { ticketNumber, passengerId, documentType, coupons } = issued.data
  const voided = factOf(booking, 'TicketVoided', ticketNumber)
  const refunded = factOf(booking, 'TicketRefunded', ticketNumber)
  const exchanged = factOf(booking, 'TicketExchanged', ticketNumber)
  return {
    number: ticketNumber,
    passengerId,
    isTicket: documentType === 'TKT',
    issued,
    voided,
    refunded,
    isActive: !(voided || refunded || exchanged),
    coupons: couponsOf(booking, ticketNumber, coupons),
  }
}

function couponsOf(booking: Booking, ticketNumber: string, coupons: readonly Coupon[]): readonly Coupon[] {
  if (factsOf(booking, 'CouponStatusChanged').length === 0) return coupons
  return coupons.map((coupon) => ({ ...coupon, status: statusOf(booking, ticketNumber, coupon) }))
}

function statusOf(booking: Booking, ticketNumber: string, { couponNumber, status }: Coupon): Coupon['status'] {
  return factOf(booking, 'CouponStatusChanged', couponKey(ticketNumber, couponNumber))?.data.to ?? status
}

/** Facts of one stream by revision. */
export function inStreamOrder<T extends Fact>(facts: readonly T[]): T[] {
  return facts.length < 2 ? [...facts] : facts.toSorted((a, b) => a.event.revision - b.event.revision)
}

const NUMBER = /^\d{13}$/
const CONJUNCTION_MAX = 4
const COUPONS_MAX = 4

/** 3 digits of airline code, 10 of form and serial; the check digit is not among them. */
export function isWellFormed(number: string): boolean {
  return NUMBER.test(number)
}

/** All numbers of the conjunction that a document belongs to, its own among them; one where it stands alone. */
export function conjunctionOf({ number, issued }: Document): string[] {
  return [...new Set([number, ...(issued.data.conjunctionNumbers ?? [])])].sort()
}

/** At most 4 documents with consecutive numbers, each with at most 4 coupons, numbered 1 to 4. */
export function isSoundConjunction(document: Document): boolean {
  const numbers = conjunctionOf(document)
  const { coupons } = document
  return (
    numbers.length <= CONJUNCTION_MAX &&
    (numbers.length === 1 || areConsecutive(numbers)) &&
    coupons.length <= COUPONS_MAX &&
    coupons.every(({ couponNumber }) => couponNumber <= COUPONS_MAX)
  )
}

function areConsecutive(numbers: readonly string[]): boolean {
  const first = Number(numbers[0])
  return numbers.every((number, index) => isWellFormed(number) && Number(number) === first + index)
}

/** Two of these that let one passenger fly a segment twice, the later one second; undefined where there are none. */
export function findDuplicate(tickets: readonly Document[]): readonly [Document, Document] | undefined {
  if (tickets.length < 2) return undefined
  const bySegment = new Map<string, Document[]>()
  for (const later of tickets) {
    for (const segmentId of new Set(later.coupons.map((coupon) => coupon.segmentId))) {
      const others = bySegment.get(segmentId) ?? []
      const earlier = others.find((other) => !areConjunct(other, later))
      if (earlier) return [earlier, later]
      bySegment.set(segmentId, [...others, later])
    }
  }
  return undefined
}

function areConjunct(a: Document, b: Document): boolean {
  return conjunctionOf(a).includes(b.number) || conjunctionOf(b).includes(a.number)
}
