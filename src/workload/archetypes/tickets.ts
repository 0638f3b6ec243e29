// Bookings whose documents are not as they should be.
import { type Archetype, fine, found } from '../archetype.js'
import type { BookingScript, IssuedTicket } from '../booking-script.js'
import { makeSegments } from '../order.js'
import * as payment from '../payment-steps.js'
import * as ticket from '../ticket-steps.js'
import { laterSegments, ordinary } from './fine.js'

const ALONE = { party: [1, 0, 0] } as const
const COUPLE = { party: [2, 0, 0] } as const

/** Paid and ticketed; what is done next is about the first passenger's ticket. */
function ticketedAnd(next: (b: BookingScript, first: IssuedTicket) => void): (b: BookingScript) => void {
  return (b) => {
    ordinary(b)
    next(b, b.tickets[0] as IssuedTicket)
  }
}

/** Paid; the lead's ticket has a number that is made for the purpose. */
function numbered(number: (b: BookingScript) => string): (b: BookingScript) => void {
  return (b) => {
    payment.requestAndPay(b)
    ticket.issue(b, ticket.leadOf(b), { numbers: [number(b)] })
  }
}

/** Skips numbers, so that the documents of a conjunction do not follow each other. */
function brokenConjunction(b: BookingScript): void {
  payment.requestAndPay(b)
  const first = b.newTicketNumber()
  b.newTicketNumber()
  ticket.issue(b, ticket.leadOf(b), { numbers: [first, b.newTicketNumber()] })
}

function refundedStillOpen(b: BookingScript): void {
  const captured = payment.requestAndPay(b)
  ticket.ticketAll(b)
  for (const issued of b.tickets) ticket.refundTicket(b, issued, { couponsToo: false })
  payment.refund(b, captured)
}

function strangerTicketed(b: BookingScript): void {
  ticket.issue(b, 'P77')
}

function splitBetween(origins: readonly ['LIVE' | 'REPAIR', 'LIVE' | 'REPAIR']): (b: BookingScript) => void {
  return (b) => {
    payment.requestAndPay(b)
    for (const [place, { segmentId }] of b.order.segments.entries()) {
      ticket.issue(b, ticket.leadOf(b), { segmentIds: [segmentId], origin: origins[place % 2] ?? 'LIVE' })
    }
  }
}

/** A ticket is heard of once more, with another journey. */
function contradict(b: BookingScript, { ticketNumber, passengerId }: IssuedTicket): void {
  b.wait(1_000, 60_000)
  const coupons = [{ couponNumber: 1, segmentId: 'S99', status: 'OPEN' }]
  const fields = { documentType: 'TKT', orderVersion: b.order.version, issuedAt: b.timestamp(), origin: 'LIVE' }
  b.ticket('TicketIssued', { ticketNumber, passengerId, coupons, ...fields })
}

export const VOIDED = found('voided, not replaced', ['voided-not-replaced'], ticketedAnd(ticket.voidTicket), ALONE)
export const EXCHANGE_BROKEN = found(
  'exchanged for a ticket that is not there',
  ['exchange-broken'],
  ticketedAnd((b, first) => {
    ticket.exchange(b, first, b.newTicketNumber())
  }),
)
export const TICKETED_TWICE = found(
  'ticketed twice',
  ['duplicate-ticket'],
  ticketedAnd((b) => {
    ticket.issue(b, ticket.leadOf(b))
  }),
)
export const TICKET_HEARD_TWICE = found(
  'a ticket heard of twice',
  ['duplicate-event'],
  ticketedAnd((b) => b.deliverAgain('ticket')),
)
export const DRIFTED = found(
  'journey changed, tickets not',
  ['itinerary-drift'],
  ticketedAnd((b) => {
    payment.amend(b, { segments: laterSegments(b) })
  }),
)
export const STILL_OPEN = found('refunded, coupons still open', ['refunded-still-open'], refundedStillOpen)

export const TICKET_ARCHETYPES: readonly Archetype[] = [
  STILL_OPEN,
  found(
    'one of a couple refunded with the coupons forgotten',
    ['refunded-still-open', 'ticketed-not-funded', 'underpaid'],
    (b) => {
      const captured = payment.requestAndPay(b)
      ticket.ticketAll(b)
      ticket.refundTicket(b, b.tickets[0] as IssuedTicket, { couponsToo: false })
      payment.refund(b, captured, payment.partOf(b, captured.amountMinor))
    },
    COUPLE,
  ),

  VOIDED,
  found('one of a couple voided, not replaced', ['voided-not-replaced'], ticketedAnd(ticket.voidTicket), COUPLE),
  found(
    'voided, not replaced, held for review',
    ['review-hold', 'voided-not-replaced'],
    ticketedAnd((b, first) => {
      ticket.voidTicket(b, first)
      payment.holdForReview(b)
    }),
    ALONE,
  ),

  EXCHANGE_BROKEN,
  found('exchanged for nothing, a part disputed', ['dispute', 'exchange-broken', 'underpaid'], (b) => {
    const captured = payment.requestAndPay(b)
    ticket.ticketAll(b)
    ticket.exchange(b, b.tickets[0] as IssuedTicket, b.newTicketNumber())
    payment.dispute(b, captured, { amountMinor: payment.partOf(b, captured.amountMinor) })
  }),

  TICKETED_TWICE,
  found(
    'ticketed twice, once by import',
    ['duplicate-ticket'],
    ticketedAnd((b) => {
      ticket.issue(b, ticket.leadOf(b), { origin: 'IMPORT' })
    }),
  ),
  found(
    'ticketed by a repair and live',
    ['duplicate-ticket', 'repair-collision'],
    (b) => {
      payment.requestAndPay(b)
      ticket.issue(b, ticket.leadOf(b), { origin: 'REPAIR' })
      ticket.issue(b, ticket.leadOf(b))
    },
    ALONE,
  ),
  found('half ticketed by a repair, half live', ['repair-collision'], splitBetween(['REPAIR', 'LIVE']), {
    ...ALONE,
    segments: 2,
  }),
  fine('one ticket for each half of the journey', splitBetween(['LIVE', 'LIVE']), { ...ALONE, segments: 2 }),

  {
    ...found(
      'one number on two bookings',
      ['ticket-number-reused'],
      numbered((b) => b.sharedTicketNumber()),
      ALONE,
    ),
    isPair: true,
  },
  found(
    'one number on both of a couple',
    ['conflicting-duplicate', 'partly-ticketed', 'ticket-number-reused'],
    (b) => {
      payment.requestAndPay(b)
      const numbers = [b.newTicketNumber()]
      for (const passengerId of ticket.passengersOf(b)) ticket.issue(b, passengerId, { numbers })
    },
    COUPLE,
  ),
  found('one number told with two journeys', ['conflicting-duplicate'], ticketedAnd(contradict)),
  TICKET_HEARD_TWICE,

  found(
    'a number of 12 digits',
    ['ticket-number-malformed'],
    numbered((b) => b.newTicketNumber().slice(1)),
    ALONE,
  ),
  found(
    'a number with letters',
    ['ticket-number-malformed'],
    numbered((b) => `${b.newTicketNumber().slice(0, 12)}A`),
    ALONE,
  ),
  found(
    'a number of 14 digits',
    ['ticket-number-malformed'],
    numbered((b) => `${b.newTicketNumber()}7`),
    ALONE,
  ),

  found('a conjunction with a gap', ['conjunction-broken'], brokenConjunction, { ...ALONE, segments: 6 }),
  found('a conjunction of five documents', ['conjunction-broken'], ordinary, { ...ALONE, segments: 18 }),
  found(
    'a document of five coupons',
    ['conjunction-broken'],
    (b) => {
      payment.requestAndPay(b)
      ticket.issue(b, ticket.leadOf(b), { couponsPerDocument: 5 })
    },
    { ...ALONE, segments: 5 },
  ),

  found('a stranger has a ticket', ['unknown-passenger'], ticketedAnd(strangerTicketed)),
  found(
    'a stranger has a ticket, one of a couple has none',
    ['partly-ticketed', 'unknown-passenger'],
    (b) => {
      payment.requestAndPay(b)
      ticket.issue(b, ticket.leadOf(b))
      strangerTicketed(b)
    },
    COUPLE,
  ),

  DRIFTED,
  found(
    'a segment added, tickets not',
    ['itinerary-drift'],
    ticketedAnd((b) => {
      const last = b.order.segments.at(-1)
      const first = Date.parse(last?.departsAt ?? '') + 86_400_000
      const added = makeSegments(b.random, { count: 1, first, carrier: b.carrier, from: b.order.segments.length + 1 })
      payment.amend(b, { segments: [...b.order.segments, ...added] })
    }),
  ),

  found('never paid, seat held', ['seat-without-ticket'], (b) => {
    payment.request(b)
    ticket.allocateSeat(b, ticket.leadOf(b))
  }),
  found('given up, seat still held', ['seat-without-ticket'], (b) => {
    const captured = payment.requestAndPay(b)
    ticket.allocateSeat(b, ticket.leadOf(b))
    payment.cancel(b)
    payment.refund(b, captured)
  }),
]
