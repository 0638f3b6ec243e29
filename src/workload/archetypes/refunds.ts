// Bookings whose money goes back, is disputed or is held, and refunds that cannot be.
import { type Archetype, found } from '../archetype.js'
import type { BookingScript, Capture } from '../booking-script.js'
import * as payment from '../payment-steps.js'
import * as ticket from '../ticket-steps.js'
import { paidAnd, ticketedAnd } from './payments.js'

/** A capture that this booking never had. */
function foreignCapture(b: BookingScript): Capture {
  return { ...b.order.due, captureId: b.newId('cap') }
}

function part(b: BookingScript, { amountMinor }: Capture): number {
  return payment.partOf(b, amountMinor)
}

export const REFUND_PENDING = found(
  'never ticketed, refund asked for',
  ['refund-pending'],
  paidAnd(payment.requestRefund),
)
export const DISPUTED = found('never ticketed, disputed', ['dispute'], paidAnd(payment.dispute))
export const DISPUTED_TICKETED = found('ticketed, disputed', ['dispute'], ticketedAnd(payment.dispute))
export const REFUNDED_AND_TICKETED = found(
  'refunded in full, tickets active',
  ['ticketed-not-funded'],
  ticketedAnd(payment.refund),
)
export const CANCELLED_PAID = found(
  'cancelled, ticketed, still paid',
  ['cancelled-still-paid'],
  ticketedAnd(payment.cancel),
)

export const REFUND_ARCHETYPES: readonly Archetype[] = [
  REFUNDED_AND_TICKETED,
  found(
    'refunded in part, tickets active',
    ['ticketed-not-funded', 'underpaid'],
    ticketedAnd((b, captured) => {
      payment.refund(b, captured, part(b, captured))
    }),
  ),
  found('capture reversed, tickets active', ['ticketed-not-funded'], ticketedAnd(payment.reverse)),

  REFUND_PENDING,
  found('ticketed, refund asked for', ['refund-pending'], ticketedAnd(payment.requestRefund)),
  found(
    'ticketed, refund of a part asked for',
    ['refund-pending', 'underpaid'],
    ticketedAnd((b, captured) => {
      payment.requestRefund(b, captured, part(b, captured))
    }),
  ),
  found(
    'one of a family ticketed, refund of a part asked for',
    ['partly-ticketed', 'refund-pending', 'underpaid'],
    paidAnd((b, captured) => {
      ticket.issue(b, ticket.leadOf(b))
      payment.requestRefund(b, captured, part(b, captured))
    }),
    { party: [2, 0, 0] },
  ),

  DISPUTED,
  DISPUTED_TICKETED,
  found(
    'ticketed, dispute lost',
    ['dispute'],
    ticketedAnd((b, captured) => payment.dispute(b, captured, { end: 'DisputeLost' })),
  ),
  found(
    'ticketed, a part disputed',
    ['dispute', 'underpaid'],
    ticketedAnd((b, captured) => {
      payment.dispute(b, captured, { amountMinor: part(b, captured) })
    }),
  ),
  found(
    'ticketed, a part disputed, the rest asked back',
    ['dispute', 'refund-pending'],
    ticketedAnd((b, captured) => {
      const disputed = part(b, captured)
      payment.dispute(b, captured, { amountMinor: disputed })
      payment.requestRefund(b, captured, captured.amountMinor - disputed)
    }),
  ),
  found('ticketed, held for review', ['review-hold'], ticketedAnd(payment.holdForReview)),
  found(
    'ticketed, held for review once more',
    ['review-hold'],
    ticketedAnd((b) => {
      payment.holdForReview(b)
      payment.clearReview(b)
      b.wait(1_000, 60_000)
      payment.holdForReview(b)
    }),
  ),

  CANCELLED_PAID,
  found(
    'cancelled, never ticketed, still paid',
    ['cancelled-still-paid', 'paid-not-ticketed'],
    paidAnd(payment.cancel),
  ),
  found(
    'cancelled, ticketed, refund asked for',
    ['cancelled-still-paid', 'refund-pending'],
    ticketedAnd((b, captured) => {
      payment.cancel(b)
      payment.requestRefund(b, captured)
    }),
  ),

  found(
    'refunded more than was captured',
    ['impossible-order'],
    paidAnd((b, captured) => {
      payment.refund(b, captured, captured.amountMinor + b.random.between(1, 900))
    }),
  ),
  found(
    'ticketed, refunded more than was captured',
    ['impossible-order', 'ticketed-not-funded'],
    ticketedAnd((b, captured) => {
      payment.refund(b, captured, captured.amountMinor + 1)
    }),
  ),
  found(
    'ticketed, a refund of an unknown capture failed',
    ['impossible-order'],
    ticketedAnd((b) => {
      payment.endRefund(b, 'RefundFailed', payment.requestRefund(b, foreignCapture(b)))
    }),
  ),
  found(
    'ticketed, an unknown capture reversed',
    ['impossible-order'],
    ticketedAnd((b) => payment.reverse(b, foreignCapture(b))),
  ),
  found(
    'never ticketed, an unknown capture reversed',
    ['impossible-order', 'paid-not-ticketed'],
    paidAnd((b) => payment.reverse(b, foreignCapture(b))),
  ),
]
