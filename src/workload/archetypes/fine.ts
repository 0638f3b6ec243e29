// Bookings on which nothing is to be found: the ordinary ones, and the near misses, which look like an inconsistency and are none.
import { type Archetype, fine } from '../archetype.js'
import type { BookingScript, IssuedTicket } from '../booking-script.js'
import { DAY_MS, HOUR_MS, MINUTE_MS, makeSegments } from '../order.js'
import * as payment from '../payment-steps.js'
import * as ticket from '../ticket-steps.js'

/** Paid and ticketed. */
export function ordinary(b: BookingScript): void {
  payment.requestAndPay(b)
  ticket.ticketAll(b)
}

/** Another journey, for a fee that is paid; the tickets go out for new ones. */
function changeJourney(b: BookingScript): void {
  ordinary(b)
  const old = [...b.tickets]
  const fee = b.random.between(1_000, 3_000)
  payment.amend(b, { segments: laterSegments(b), due: { ...b.order.due, amountMinor: b.order.due.amountMinor + fee } })
  payment.capture(b, { amountMinor: fee })
  for (const before of old) {
    ticket.exchange(b, before, ticket.issue(b, before.passengerId).ticketNumber)
  }
}

/** As many segments as the order has, on other days. */
export function laterSegments(b: BookingScript) {
  const { length: count } = b.order.segments
  const first = Date.parse(b.order.segments[0]?.departsAt ?? '') + b.random.between(1, 20) * DAY_MS
  return makeSegments(b.random, { count, first, carrier: b.carrier, from: count + 1 })
}

/** Cancelled, paid back, and all tickets refunded with their coupons. */
function giveUp(b: BookingScript): void {
  const captured = payment.requestAndPay(b)
  ticket.ticketAll(b)
  payment.cancel(b)
  for (const issued of b.tickets) ticket.refundTicket(b, issued, { couponsToo: true })
  payment.refund(b, captured)
}

/** One traveller of two leaves, and gets the money back. */
function letOneGo(b: BookingScript): void {
  const captured = payment.requestAndPay(b)
  ticket.ticketAll(b)
  const amountMinor = payment.partOf(b, b.order.due.amountMinor)
  const [stays, leaves] = b.tickets as [IssuedTicket, IssuedTicket]
  ticket.refundTicket(b, leaves, { couponsToo: true })
  const passengers = b.order.passengers.filter(({ passengerId }) => passengerId === stays.passengerId)
  payment.amend(b, { passengers, due: { ...b.order.due, amountMinor: b.order.due.amountMinor - amountMinor } })
  payment.refund(b, captured, amountMinor)
}

function ticketBehind(before: (b: BookingScript) => void): (b: BookingScript) => void {
  return (b) => {
    before(b)
    ticket.ticketAll(b)
  }
}

export const ORDINARY = fine('paid and ticketed', ordinary)
export const LATE_NEWS = fine('ticketed in time, and the log heard of it hours later', (b) => {
  payment.requestAndPay(b)
  const heardAt = Math.min(b.at + b.random.between(1 * HOUR_MS, 9 * HOUR_MS), b.now - HOUR_MS)
  for (const passengerId of ticket.passengersOf(b)) ticket.issue(b, passengerId, { heardAt })
})
export const ABANDONED = fine('never paid', payment.request)
export const JOURNEY_CHANGED = fine('journey changed, paid, and the tickets exchanged', changeJourney, { segments: 2 })
export const GIVEN_UP = fine('cancelled, refunded, coupons closed', giveUp)
export const GIVEN_UP_EARLY = fine('cancelled and refunded before there was a ticket', (b) => {
  const captured = payment.requestAndPay(b)
  payment.cancel(b)
  payment.refund(b, captured)
})

export const FINE: readonly Archetype[] = [
  ORDINARY,
  LATE_NEWS,
  ABANDONED,
  JOURNEY_CHANGED,
  GIVEN_UP,
  GIVEN_UP_EARLY,
  fine('family with an infant, all ticketed', ordinary, { party: [2, 1, 1] }),
  fine('ticketed with seats', (b) => {
    ordinary(b)
    for (const passengerId of ticket.passengersOf(b)) ticket.allocateSeat(b, passengerId)
  }),
  fine('seat given back', (b) => {
    payment.request(b)
    ticket.allocateSeat(b, ticket.leadOf(b))
    ticket.releaseSeat(b, ticket.leadOf(b))
  }),
  fine('ticketed with a service document', (b) => {
    ordinary(b)
    ticket.issueEmd(b, ticket.leadOf(b))
  }),
  fine(
    'flown',
    (b) => {
      ordinary(b)
      for (const issued of b.tickets) ticket.moveCoupons(b, issued, b.random.pick(['FLOWN', 'LIFTED', 'CHECKED_IN']))
    },
    { departsInMs: -2 * HOUR_MS, segments: 1 },
  ),
  fine('ticketed, the limits long over', ordinary, { limitInMs: -1 * HOUR_MS, fareInMs: -1 * HOUR_MS }),
  fine(
    'nothing to pay, ticketed',
    (b) => {
      payment.request(b)
      ticket.ticketAll(b)
    },
    { party: [1, 0, 0], free: true },
  ),
  fine('paid in two parts', ticketBehind(payment.requestAndPayInParts)),
  fine('capture failed, then paid', (b) => {
    payment.request(b)
    payment.failCapture(b)
    payment.capture(b)
    ticket.ticketAll(b)
  }),
  fine('authorisation expired', (b) => {
    payment.request(b)
    payment.endAuthorisation(b, 'AuthorisationExpired', payment.authorise(b))
  }),
  fine('authorisation voided', (b) => {
    payment.request(b)
    payment.endAuthorisation(b, 'AuthorisationVoided', payment.authorise(b))
  }),
  fine('capture reversed and taken again', (b) => {
    payment.reverse(b, payment.requestAndPay(b))
    payment.capture(b)
    ticket.ticketAll(b)
  }),
  fine('paid twice, the second time refunded in full', (b) => {
    payment.requestAndPay(b)
    ticket.ticketAll(b)
    payment.refund(b, payment.capture(b))
  }),
  fine('refund failed', (b) => {
    const captured = payment.requestAndPay(b)
    ticket.ticketAll(b)
    payment.endRefund(b, 'RefundFailed', payment.requestRefund(b, captured))
  }),
  fine('dispute won', (b) => {
    const captured = payment.requestAndPay(b)
    ticket.ticketAll(b)
    payment.dispute(b, captured, { end: 'DisputeWon' })
  }),
  fine('held for review and cleared', (b) => {
    payment.requestAndPay(b)
    payment.holdForReview(b)
    payment.clearReview(b)
    ticket.ticketAll(b)
  }),
  fine('payment events out of order', (b) => {
    outOfOrder(b)
    ticket.ticketAll(b)
  }),
  fine('attempt failed, then ticketed', (b) => {
    payment.requestAndPay(b)
    ticket.failAttempt(b, { retryable: true })
    ticket.ticketAll(b)
  }),
  fine('attempt refused for good, then ticketed', (b) => {
    payment.requestAndPay(b)
    ticket.failAttempt(b, { retryable: false })
    ticket.ticketAll(b)
  }),
  fine('conjunction of two documents', ordinary, { segments: 6 }),
  fine('conjunction of four documents', ordinary, { segments: 16, party: [1, 0, 0] }),
  fine('voided and replaced', (b) => {
    ordinary(b)
    const [first] = b.tickets
    if (first) ticket.voidTicket(b, first)
    ticket.issue(b, ticket.leadOf(b))
  }),
  fine('one of two left, refunded', letOneGo, { party: [2, 0, 0] }),
  fine('schedule changed and ticketed after it', (b) => {
    payment.requestAndPay(b)
    payment.amend(b, { segments: laterSegments(b) })
    ticket.ticketAll(b)
  }),
  fine('paid a moment ago', (b) => {
    payment.request(b)
    b.jumpToBeforeNow(10 * MINUTE_MS)
    payment.capture(b)
  }),
  fine(
    'one of a family ticketed, paid a moment ago',
    (b) => {
      payment.request(b)
      b.jumpToBeforeNow(12 * MINUTE_MS)
      payment.capture(b)
      ticket.issue(b, ticket.leadOf(b))
    },
    { party: [2, 1, 0] },
  ),
  fine('an attempt under way, paid a moment ago', (b) => {
    payment.request(b)
    b.jumpToBeforeNow(9 * MINUTE_MS)
    payment.capture(b)
    ticket.attempt(b)
  }),
  fine('a stream with metadata that cuts nothing', (b) => {
    ordinary(b)
    b.describe('payment', { owner: 'payments' })
  }),
]

/** The capture is heard of before the request. */
export function outOfOrder(b: BookingScript): void {
  const heardAt = b.at + 20 * MINUTE_MS
  payment.request(b, { heardAt })
  payment.capture(b)
  b.at = heardAt
}
