// Bookings that were paid wrongly: too little, too much, twice, in two currencies, or not at all.
import { type Archetype, asked, found } from '../archetype.js'
import type { BookingScript, Capture } from '../booking-script.js'
import { otherCurrency } from '../order.js'
import * as payment from '../payment-steps.js'
import * as ticket from '../ticket-steps.js'
import { ordinary } from './fine.js'

/** Paid and ticketed; what is done next is about the capture. */
export function ticketedAnd(next: (b: BookingScript, captured: Capture) => void): (b: BookingScript) => void {
  return (b) => {
    const captured = payment.requestAndPay(b)
    ticket.ticketAll(b)
    next(b, captured)
  }
}

/** Paid and not ticketed. */
export function paidAnd(next: (b: BookingScript, captured: Capture) => void): (b: BookingScript) => void {
  return (b) => next(b, payment.requestAndPay(b))
}

/** A smaller amount than is due. */
function payTooLittle(b: BookingScript): void {
  payment.request(b)
  payment.capture(b, { amountMinor: payment.partOf(b, b.order.due.amountMinor) })
}

function payTooMuch(b: BookingScript): void {
  payment.request(b)
  payment.capture(b, { amountMinor: b.order.due.amountMinor + b.random.between(1, 5_000) })
}

/** The last capture is heard of once more, with one unit more. */
function contradict(b: BookingScript, captured: Capture): void {
  b.wait(1_000, 60_000)
  const { captureId, amountMinor, currency } = captured
  const fields = { captureId, paymentId: b.newId('pay'), pspReference: b.newId('psp') }
  b.payment('PaymentCaptured', { ...fields, amount: { amountMinor: amountMinor + 1, currency } })
}

/** What is due is there, and some more in another currency, which no record in one currency agrees with. */
function payAlsoInOtherCurrency(b: BookingScript): void {
  payment.request(b)
  const { currency } = payment.capture(b)
  payment.capture(b, { amountMinor: b.random.between(100, 900), currency: otherCurrency(currency) })
}

export const UNDERPAID = found('paid too little, not ticketed', ['underpaid'], payTooLittle)
export const OVERPAID = found('paid too much, ticketed', ['overpaid'], (b) => {
  payTooMuch(b)
  ticket.ticketAll(b)
})
export const PAID_TWICE = found(
  'paid twice, ticketed',
  ['duplicate-payment', 'overpaid'],
  ticketedAnd((b) => payment.capture(b)),
)
export const HEARD_TWICE = found(
  'ticketed, the capture heard of twice',
  ['duplicate-event'],
  ticketedAnd((b) => b.deliverAgain('payment')),
)
export const PAYMENT_ARCHETYPES: readonly Archetype[] = [
  found('authorised, never captured', ['authorised-only'], (b) => {
    payment.request(b)
    payment.authorise(b)
  }),
  found('authorised, never captured, seats held', ['authorised-only', 'seat-without-ticket'], (b) => {
    payment.request(b)
    payment.authorise(b)
    ticket.allocateSeat(b, ticket.leadOf(b))
  }),

  UNDERPAID,
  found('paid too little, ticketed', ['underpaid'], (b) => {
    payTooLittle(b)
    ticket.ticketAll(b)
  }),
  found(
    'paid too little, one of a family ticketed',
    ['partly-ticketed', 'underpaid'],
    (b) => {
      payTooLittle(b)
      ticket.issue(b, ticket.leadOf(b))
    },
    { party: [2, 0, 0] },
  ),
  OVERPAID,
  found('paid too much, not ticketed', ['overpaid'], payTooMuch),
  PAID_TWICE,
  found(
    'paid twice, not ticketed',
    ['duplicate-payment', 'overpaid'],
    paidAnd((b) => payment.capture(b)),
  ),

  HEARD_TWICE,
  found(
    'ticketed, a failed refund heard of twice',
    ['duplicate-event'],
    ticketedAnd((b, captured) => {
      payment.endRefund(b, 'RefundFailed', payment.requestRefund(b, captured))
      b.deliverAgain('payment')
    }),
  ),
  found('one capture heard of with two amounts, ticketed', ['conflicting-duplicate'], ticketedAnd(contradict)),
  found(
    'one capture heard of with two amounts, not ticketed',
    ['conflicting-duplicate', 'paid-not-ticketed'],
    paidAnd(contradict),
  ),

  found('paid in another currency, not ticketed', ['mixed-currency'], (b) => {
    payment.request(b)
    payment.capture(b, { currency: otherCurrency(b.order.due.currency) })
  }),
  found(
    'due in one currency, then in another, ticketed',
    ['mixed-currency'],
    ticketedAnd((b) => {
      payment.amend(b, { due: { ...b.order.due, currency: otherCurrency(b.order.due.currency) } })
    }),
  ),
  asked(
    found('paid, and some more in another currency, ticketed', ['mixed-currency'], (b) => {
      payAlsoInOtherCurrency(b)
      ticket.ticketAll(b)
    }),
    'payment-record',
    ['mixed-currency', 'payment-record-disagrees'],
  ),
  asked(
    found(
      'paid, and some more in another currency, not ticketed',
      ['mixed-currency', 'paid-not-ticketed'],
      payAlsoInOtherCurrency,
    ),
    'payment-record',
    ['mixed-currency', 'paid-not-ticketed', 'payment-record-disagrees'],
  ),

  found('ticketed, never paid', ['ticket-without-payment'], (b) => {
    payment.request(b)
    ticket.ticketAll(b)
  }),
  found('ticketed, nothing known of a payment', ['ticket-without-payment'], (b) => ticket.ticketAll(b)),
  found('captured, never requested', ['order-unknown'], payment.pay),
  found('captured, never requested, ticketed', ['order-unknown'], (b) => {
    payment.pay(b)
    ticket.ticketAll(b)
  }),

  asked(
    found('ticketed, the payment record has another amount', [], (b) => {
      ordinary(b)
      if (b.paymentRecord) b.paymentRecord = { ...b.paymentRecord, capturedMinor: b.paymentRecord.capturedMinor + 100 }
    }),
    'payment-record',
    ['payment-record-disagrees'],
  ),
  asked(
    found('ticketed, the payment record has a refund', [], (b) => {
      ordinary(b)
      if (b.paymentRecord) b.paymentRecord = { ...b.paymentRecord, refundedMinor: b.paymentRecord.capturedMinor }
    }),
    'payment-record',
    ['payment-record-disagrees'],
  ),
]
