// For each inconsistency of the payment stream: a booking that has it, all that is found on it, and near misses, each of which fails
// one condition of the rule and no other.
import {
  adult,
  attempt,
  authorised,
  captured,
  dispute,
  ended,
  eur,
  issued,
  payment,
  refund,
  requested,
  type Scene,
  ticket,
  time,
} from './history.js'
import { answered, at, type Change, changed, plus, preceded, replaced, without } from './near-miss.js'

export interface Case {
  readonly rule: string
  readonly scene: Scene
  /** Everything that is found on the scene; default the rule alone. */
  readonly found?: readonly string[]
  /** By the condition that each one fails. */
  readonly nearMisses: Readonly<Record<string, Change>>
}

const paid = [requested(), captured()]

export const paymentCases: readonly Case[] = [
  {
    rule: 'paid-not-ticketed',
    scene: { told: paid },
    nearMisses: {
      'free = due': changed('PaymentCaptured', 'amount', eur(19999)),
      'nothing ever issued': plus(issued()),
      'past grace': at(5 + 14),
    },
  },
  {
    rule: 'time-limit-passed',
    scene: { told: [requested({ ticketingTimeLimit: time(19) }), captured()] },
    found: ['paid-not-ticketed', 'time-limit-passed'],
    nearMisses: {
      'tickets are missing': plus(issued()),
      'free = due': changed('PaymentCaptured', 'amount', eur(19999)),
      'past grace': at(19),
      'ticketing limit or fare guarantee over, or departure within the margin': changed(
        'PaymentRequested',
        'ticketingTimeLimit',
        time(721),
      ),
    },
  },
  {
    rule: 'authorised-only',
    scene: { told: [requested(), authorised()] },
    nearMisses: {
      'authorised, neither expired nor voided': plus(
        payment('AuthorisationVoided', 6, { paymentId: 'pay1', amount: eur(20000) }),
      ),
      'nothing captured': plus(captured()),
      'no active ticket': plus(issued()),
    },
  },
  {
    rule: 'underpaid',
    scene: { told: [requested(), captured({ amount: eur(19999) })] },
    nearMisses: {
      '0 < free': changed('PaymentCaptured', 'amount', eur(0)),
      'free < due': changed('PaymentCaptured', 'amount', eur(20000)),
    },
  },
  {
    rule: 'overpaid',
    scene: { told: [requested(), captured({ amount: eur(20001) })] },
    nearMisses: { 'free > due': changed('PaymentCaptured', 'amount', eur(20000)) },
  },
  {
    rule: 'duplicate-payment',
    scene: { told: [...paid, captured({ captureId: 'c2', pspReference: 'psp2' }), issued()] },
    found: ['duplicate-payment', 'overpaid'],
    nearMisses: {
      'two captures, each = due, distinct provider references': changed('PaymentCaptured', 'pspReference', 'psp2'),
    },
  },
  {
    rule: 'duplicate-event',
    scene: { told: [...paid, captured({ occurredAt: time(7) }), issued()] },
    nearMisses: {
      'the same business id and content again': changed('PaymentCaptured', 'pspReference', 'psp2'),
    },
  },
  {
    rule: 'conflicting-duplicate',
    scene: { told: [...paid, captured({ amount: eur(100) }), issued()] },
    nearMisses: {
      'the same business id, other content': replaced('PaymentCaptured', captured({ amount: eur(100) })),
    },
  },
  {
    rule: 'mixed-currency',
    scene: { told: [...paid, captured({ captureId: 'c2', amount: eur(1, 'USD') }), issued()] },
    nearMisses: {
      'captures or due in two currencies': (scene) => ({
        ...scene,
        told: scene.told.with(2, captured({ captureId: 'c2', amount: eur(1) })),
      }),
    },
  },
  {
    rule: 'ticketed-not-funded',
    scene: { told: [...paid, issued(), refund('Succeeded', 30, { amount: eur(20000) })] },
    nearMisses: {
      'active documents': plus(ended('TicketVoided')),
      'net < due': changed('RefundSucceeded', 'amount', eur(0)),
      'a reversal or refund': replaced('RefundSucceeded', dispute('Opened', 30)),
    },
  },
  {
    rule: 'ticket-without-payment',
    scene: { told: [requested(), issued()] },
    nearMisses: {
      'active documents': plus(ended('TicketVoided')),
      'nothing was authorised': plus(authorised()),
      'nothing was captured': plus(captured()),
      'something is due, or the order unknown': changed('PaymentRequested', 'due', eur(0)),
    },
  },
  {
    rule: 'refund-pending',
    scene: { told: [...paid, issued(), refund('Requested', 30, { amount: eur(100) })] },
    found: ['refund-pending', 'underpaid'],
    nearMisses: { 'requested, not terminal': plus(refund('Failed', 40, { amount: eur(100) })) },
  },
  {
    rule: 'dispute',
    scene: { told: [...paid, issued(), dispute('Opened', 30)] },
    nearMisses: { 'open or lost': plus(dispute('Won', 40)) },
  },
  {
    rule: 'review-hold',
    scene: { told: [...paid, payment('PaymentReviewHeld', 6, { reason: 'fraud' }), issued()] },
    nearMisses: { 'held, not cleared': plus(payment('PaymentReviewCleared', 7, { reason: 'fine' })) },
  },
  {
    rule: 'cancelled-still-paid',
    scene: { told: [...paid, issued(), payment('OrderCancelled', 30, { orderVersion: 1, reason: 'ill' })] },
    nearMisses: {
      cancelled: changed('OrderCancelled', 'orderVersion', 0),
      'net > 0': plus(refund('Succeeded', 40)),
    },
  },
  {
    rule: 'impossible-order',
    scene: { told: [...paid, issued(), refund('Failed', 30, { captureId: 'c9' })] },
    nearMisses: {
      'refund above capture, unknown captureId, or an event of another stream': changed(
        'RefundFailed',
        'captureId',
        'c1',
      ),
    },
  },
  {
    rule: 'order-unknown',
    scene: { told: [captured(), authorised()] },
    nearMisses: { captured: without('PaymentCaptured'), 'no PaymentRequested': plus(requested()) },
  },
  {
    rule: 'payment-record-disagrees',
    scene: {
      told: [...paid, issued()],
      lookups: { 'payment-record': { capturedMinor: 20000, refundedMinor: 1, currency: 'EUR' } },
    },
    nearMisses: {
      'the external record differs': answered({
        'payment-record': { capturedMinor: 20000, refundedMinor: 0, currency: 'EUR' },
      }),
    },
  },
  {
    rule: 'attempt-unknown',
    scene: { told: [...paid, attempt({ occurrence: '["p1","TKT",0]' })] },
    found: ['attempt-unknown', 'paid-not-ticketed'],
    nearMisses: {
      'without outcome': plus(
        ticket('TicketIssueFailed', 9, { attemptId: 'a1', passengerIds: ['p1'], code: 'BUSY', retryable: true }),
      ),
      'past its time-out': at(8 + 9),
      'the authority cannot tell': answered({ 'ticket-authority': { tickets: [] } }),
      'no repair of ours can ask again': changed('TicketIssueRequested', 'origin', 'REPAIR'),
    },
  },
  {
    rule: 'unknown-passenger',
    scene: { told: [...paid, issued(), issued('p2', { ticketNumber: '1250000000002' })] },
    nearMisses: {
      active: plus(ended('TicketVoided', { ticketNumber: '1250000000002' })),
      'the order is known': without('PaymentRequested'),
      'its passenger is not in the order': changed('PaymentRequested', 'passengers', [adult('p1'), adult('p2')]),
    },
  },
  {
    rule: 'voided-not-replaced',
    scene: { told: [...paid, issued(), ended('TicketVoided')] },
    nearMisses: {
      'the last ticket is void': replaced('TicketVoided', ended('TicketRefunded')),
      'none is active': preceded(issued('p1', { ticketNumber: '1250000000000' })),
      'free = due': changed('PaymentCaptured', 'amount', eur(20001)),
    },
  },
]
