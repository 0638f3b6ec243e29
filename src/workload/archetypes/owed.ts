// Bookings that are paid for and lack tickets: those that a machine may make good, and those that something keeps it from.
import { type Archetype, asked, found, owed } from '../archetype.js'
import type { BookingScript } from '../booking-script.js'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../order.js'
import * as payment from '../payment-steps.js'
import * as ticket from '../ticket-steps.js'
import { outOfOrder } from './fine.js'

const FAMILY = { party: [2, 2, 0] } as const

/** All are ticketed but the last of the order. */
function allButLast(b: BookingScript): void {
  ticket.ticketAll(b, ticket.passengersOf(b).slice(0, -1))
}

function partlyTicketed(b: BookingScript): void {
  payment.requestAndPay(b)
  allButLast(b)
}

function failed(retryable: readonly boolean[]): (b: BookingScript) => void {
  return (b) => {
    payment.requestAndPay(b)
    for (const each of retryable) ticket.failAttempt(b, { retryable: each })
  }
}

function partlyAndAttempt(b: BookingScript): void {
  payment.requestAndPay(b)
  const passengers = ticket.passengersOf(b)
  ticket.attempt(b, passengers)
  for (const passengerId of passengers.slice(0, -1)) ticket.issue(b, passengerId)
}

function lostEvents(b: BookingScript): void {
  payment.requestAndPay(b)
  for (const passengerId of ticket.passengersOf(b)) ticket.issueUnheard(b, passengerId)
}

export const OWED = owed('paid, never ticketed', ['paid-not-ticketed'], payment.requestAndPay)
export const FAMILY_OWED = owed('family with an infant, never ticketed', ['paid-not-ticketed'], payment.requestAndPay, {
  party: [2, 1, 1],
})
export const PARTLY_OWED = owed('one of a family never ticketed', ['partly-ticketed'], partlyTicketed, FAMILY)
export const INFANT_OWED = owed(
  'adult ticketed, infant never',
  ['infant-not-ticketed', 'partly-ticketed'],
  partlyTicketed,
  { party: [1, 0, 1] },
)
export const PAID_TWICE_HEARD = owed(
  'never ticketed, the capture heard of twice',
  ['duplicate-event', 'paid-not-ticketed'],
  (b) => {
    payment.requestAndPay(b)
    b.wait(1_000, 1 * HOUR_MS)
    b.deliverAgain('payment')
  },
)
export const LIMIT_OVER = found(
  'never ticketed, ticketing limit over',
  ['paid-not-ticketed', 'time-limit-passed'],
  payment.requestAndPay,
  {
    limitInMs: -1 * HOUR_MS,
  },
)
export const ATTEMPT_OPEN = asked(
  found('an attempt that nobody answered', ['attempt-unknown', 'paid-not-ticketed'], (b) => {
    payment.requestAndPay(b)
    ticket.attempt(b)
  }),
  'ticket-authority',
  ['paid-not-ticketed'],
  { repairable: true },
)
export const EVENT_LOST = asked(
  owed('ticketed, and the log never heard of it', ['paid-not-ticketed'], lostEvents),
  'ticket-authority',
  ['paid-not-ticketed', 'ticket-event-lost'],
  { repairable: true },
)
export const REFUSED = found('refused for good', ['issue-failed', 'paid-not-ticketed'], failed([true, false]))
export const HELD = found('never ticketed, held for review', ['paid-not-ticketed', 'review-hold'], (b) => {
  payment.requestAndPay(b)
  payment.holdForReview(b)
})

export const OWED_ARCHETYPES: readonly Archetype[] = [
  // What a machine may make good.
  OWED,
  FAMILY_OWED,
  PARTLY_OWED,
  INFANT_OWED,
  PAID_TWICE_HEARD,
  owed('never ticketed, conjunction', ['paid-not-ticketed'], payment.requestAndPay, { segments: 7 }),
  owed('never ticketed, paid in two parts', ['paid-not-ticketed'], payment.requestAndPayInParts),
  owed('never ticketed, payment events out of order', ['paid-not-ticketed'], outOfOrder),
  owed('never ticketed, attempt failed but may be repeated', ['paid-not-ticketed'], failed([true])),
  owed('never ticketed, refused for good but later only busy', ['paid-not-ticketed'], failed([false, true])),
  owed('never ticketed, refund failed', ['paid-not-ticketed'], (b) => {
    const captured = payment.requestAndPay(b)
    payment.endRefund(b, 'RefundFailed', payment.requestRefund(b, captured))
  }),
  owed('never ticketed, dispute won', ['paid-not-ticketed'], (b) => {
    payment.dispute(b, payment.requestAndPay(b), { end: 'DisputeWon' })
  }),
  owed('never ticketed, review cleared', ['paid-not-ticketed'], (b) => {
    payment.requestAndPay(b)
    payment.holdForReview(b)
    payment.clearReview(b)
  }),
  owed('never ticketed, another traveller added and paid', ['paid-not-ticketed'], (b) => {
    payment.requestAndPay(b)
    const fare = b.random.between(4_000, 9_000)
    const passengers = [...b.order.passengers, { passengerId: 'P9', type: 'ADT' as const }]
    payment.amend(b, { passengers, due: { ...b.order.due, amountMinor: b.order.due.amountMinor + fare } })
    payment.capture(b, { amountMinor: fare })
  }),
  owed('never ticketed, seats held', ['paid-not-ticketed', 'seat-without-ticket'], (b) => {
    payment.requestAndPay(b)
    for (const passengerId of ticket.passengersOf(b)) ticket.allocateSeat(b, passengerId)
  }),
  owed('traveller added after ticketing, never ticketed', ['partly-ticketed'], (b) => {
    payment.requestAndPay(b)
    ticket.ticketAll(b)
    const fare = b.random.between(4_000, 9_000)
    const passengers = [...b.order.passengers, { passengerId: 'P9', type: 'CHD' as const }]
    payment.amend(b, { passengers, due: { ...b.order.due, amountMinor: b.order.due.amountMinor + fare } })
    payment.capture(b, { amountMinor: fare })
  }),
  owed(
    'infant and its adult never ticketed, another adult is',
    ['partly-ticketed'],
    (b) => {
      payment.requestAndPay(b)
      const infant = b.order.passengers.find(({ type }) => type === 'INF')
      const ticketed = ticket.passengersOf(b).filter((id) => id !== infant?.passengerId && id !== infant?.accompaniedBy)
      ticket.ticketAll(b, ticketed)
    },
    { party: [2, 0, 1] },
  ),
  owed(
    'one of a family never ticketed, a ticket heard of twice',
    ['duplicate-event', 'partly-ticketed'],
    (b) => {
      partlyTicketed(b)
      b.deliverAgain('ticket')
    },
    FAMILY,
  ),
  owed(
    'one of a family never ticketed, with a seat',
    ['partly-ticketed', 'seat-without-ticket'],
    (b) => {
      partlyTicketed(b)
      ticket.allocateSeat(b, ticket.passengersOf(b).at(-1) ?? '')
    },
    FAMILY,
  ),

  // What the log alone cannot tell.
  ATTEMPT_OPEN,
  EVENT_LOST,
  asked(
    owed(
      "one of a family's ticket events lost",
      ['partly-ticketed'],
      (b) => {
        partlyTicketed(b)
        ticket.issueUnheard(b, ticket.passengersOf(b).at(-1) ?? '')
      },
      FAMILY,
    ),
    'ticket-authority',
    ['partly-ticketed', 'ticket-event-lost'],
    { repairable: true },
  ),
  asked(
    found('an attempt answered for all but one', ['attempt-unknown', 'partly-ticketed'], partlyAndAttempt, FAMILY),
    'ticket-authority',
    ['partly-ticketed'],
    { repairable: true },
  ),
  asked(
    found('an attempt that nobody answered, the money paid back', ['attempt-unknown'], (b) => {
      const captured = payment.requestAndPay(b)
      ticket.attempt(b)
      payment.cancel(b)
      payment.refund(b, captured)
    }),
    'ticket-authority',
    [],
  ),
  asked(
    owed('never ticketed, the payment record has another amount', ['paid-not-ticketed'], (b) => {
      payment.requestAndPay(b)
      if (b.paymentRecord) b.paymentRecord = { ...b.paymentRecord, capturedMinor: b.paymentRecord.capturedMinor - 1 }
    }),
    'payment-record',
    ['paid-not-ticketed', 'payment-record-disagrees'],
  ),
  asked(
    owed('never ticketed, the payment record knows no payment', ['paid-not-ticketed'], (b) => {
      payment.requestAndPay(b)
      b.paymentRecord = undefined
    }),
    'payment-record',
    ['paid-not-ticketed', 'payment-record-disagrees'],
  ),

  // What a person must look at, or what must rest.
  LIMIT_OVER,
  REFUSED,
  HELD,
  found('never ticketed, fare guarantee over', ['paid-not-ticketed', 'time-limit-passed'], payment.requestAndPay, {
    fareInMs: -2 * HOUR_MS,
    limitInMs: 'none',
  }),
  found('never ticketed, departing in hours', ['paid-not-ticketed', 'time-limit-passed'], payment.requestAndPay, {
    departsInMs: 20 * HOUR_MS,
    limitInMs: 'none',
  }),
  found('never ticketed, departed', ['paid-not-ticketed', 'time-limit-passed'], payment.requestAndPay, {
    departsInMs: -3 * HOUR_MS,
    fareInMs: 'none',
  }),
  found('one of a family never ticketed, limit over', ['partly-ticketed', 'time-limit-passed'], partlyTicketed, {
    ...FAMILY,
    limitInMs: -1 * MINUTE_MS,
  }),
  found('never ticketed, the limit near', ['paid-not-ticketed'], payment.requestAndPay, { limitInMs: 1 * HOUR_MS }),
  found('never ticketed, the fare guarantee near', ['paid-not-ticketed'], payment.requestAndPay, {
    fareInMs: 90 * MINUTE_MS,
  }),
  owed('never ticketed, limit and departure just far enough', ['paid-not-ticketed'], payment.requestAndPay, {
    limitInMs: 2 * HOUR_MS + MINUTE_MS,
    fareInMs: 2 * HOUR_MS + MINUTE_MS,
    departsInMs: 1 * DAY_MS + 2 * MINUTE_MS,
  }),
  found('never ticketed, an attempt under way', ['paid-not-ticketed'], (b) => {
    payment.request(b)
    b.jumpToBeforeNow(20 * MINUTE_MS)
    payment.capture(b)
    b.jumpToBeforeNow(5 * MINUTE_MS)
    ticket.attempt(b)
  }),
  found(
    'one of a family refused for good',
    ['issue-failed', 'partly-ticketed'],
    (b) => {
      partlyTicketed(b)
      ticket.failAttempt(b, { passengerIds: b.neverTicketed(), retryable: false })
    },
    FAMILY,
  ),
  found(
    'one of a family never ticketed, another voided',
    ['partly-ticketed', 'voided-not-replaced'],
    (b) => {
      partlyTicketed(b)
      const [first] = b.tickets
      if (first) ticket.voidTicket(b, first)
    },
    FAMILY,
  ),
]
