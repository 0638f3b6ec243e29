// Histories at random: events of all types over few ids, so that they meet, repeat and contradict each other.
import fc from 'fast-check'
import type { JsonObject, JsonValue } from '../../../src/engine/json.js'
import {
  adult,
  coupons,
  eur,
  infant,
  payment,
  requested,
  type Scene,
  segment,
  type Told,
  ticket,
  time,
} from './history.js'
import { paymentCases } from './payment-cases.js'
import { ticketCases } from './ticket-cases.js'

const minute = fc.integer({ min: 0, max: 120 })
const amount = fc
  .tuple(fc.constantFrom(0, 100, 10000, 19900, 20000, 20000, 20000), fc.constantFrom('EUR', 'EUR', 'EUR', 'EUR', 'USD'))
  .map(([minor, currency]) => eur(minor, currency))
const captureId = fc.constantFrom('c1', 'c1', 'c2', 'c9')
const passengerId = fc.constantFrom('p1', 'p2', 'p3', 'p9')
const ticketNumber = fc.constantFrom('1250000000001', '1250000000002', '1250000000003', '12500')
const segmentId = fc.constantFrom('s1', 's1', 's2')
const status = fc.constantFrom('OPEN', 'CHECKED_IN', 'FLOWN', 'REFUNDED')
const origin = fc.constantFrom('LIVE', 'LIVE', 'REPAIR', 'IMPORT')
const someone = fc.subarray(['p1', 'p2', 'p3'], { minLength: 1 })

const passengers = fc.constantFrom<JsonValue>(
  [adult('p1')],
  [adult('p1'), adult('p2')],
  [adult('p1'), infant('p2', 'p1')],
  [adult('p1'), adult('p2'), infant('p3', 'p2')],
)
const segments = fc.constantFrom<JsonValue>([segment('s1')], [segment('s1'), segment('s2')])

function events(
  category: 'payment' | 'ticket',
  types: readonly string[],
  fields: Record<string, fc.Arbitrary<JsonValue>>,
): fc.Arbitrary<Told> {
  const tell = category === 'payment' ? payment : ticket
  return fc
    .tuple(fc.constantFrom(...types), minute, fc.record(fields))
    .map(([type, at, data]) => tell(type, at, data as JsonObject))
}

const code = fc.constantFrom('X', 'Y')
const moved = { captureId, amount }

/** One event of the payment stream. */
export const paymentEvent: fc.Arbitrary<Told> = fc.oneof(
  {
    weight: 3,
    arbitrary: events('payment', ['PaymentCaptured', 'PaymentConfirmed'], {
      paymentId: fc.constantFrom('pay1', 'pay2'),
      pspReference: fc.constantFrom('psp1', 'psp2'),
      ...moved,
    }),
  },
  {
    weight: 2,
    arbitrary: events('payment', ['PaymentAuthorised', 'AuthorisationExpired', 'AuthorisationVoided'], {
      paymentId: fc.constantFrom('pay1', 'pay2'),
      amount,
    }),
  },
  events('payment', ['CaptureFailed', 'CaptureReversed'], { captureId, code }),
  {
    weight: 2,
    arbitrary: events('payment', ['RefundRequested', 'RefundSucceeded', 'RefundFailed'], {
      refundId: fc.constantFrom('r1', 'r2'),
      ...moved,
    }),
  },
  events('payment', ['DisputeOpened', 'DisputeWon', 'DisputeLost'], {
    disputeId: fc.constantFrom('d1', 'd2'),
    ...moved,
  }),
  events('payment', ['PaymentReviewHeld', 'PaymentReviewCleared'], { reason: code }),
  events('payment', ['OrderCancelled'], { orderVersion: fc.constantFrom(0, 1, 2) }),
  events('payment', ['OrderAmended'], { orderVersion: fc.constantFrom(1, 2, 3), due: amount }),
  events('payment', ['OrderAmended'], { orderVersion: fc.constantFrom(1, 2, 3), passengers }),
  events('payment', ['OrderAmended'], { orderVersion: fc.constantFrom(1, 2, 3), segments }),
)

/** One event of the ticket stream. */
export const ticketEvent: fc.Arbitrary<Told> = fc.oneof(
  {
    weight: 4,
    arbitrary: events('ticket', ['TicketIssued'], {
      ticketNumber,
      documentType: fc.constantFrom('TKT', 'TKT', 'TKT', 'EMDA'),
      conjunctionNumbers: fc.constantFrom<JsonValue>([], [], ['1250000000002'], ['1250000000009']),
      passengerId,
      orderVersion: fc.constant(1),
      coupons: fc.constantFrom(coupons('s1'), coupons('s1', 's2'), coupons('s2')),
      issuedAt: fc.constant(time(10)),
      origin,
    }),
  },
  events('ticket', ['TicketVoided', 'TicketRefunded'], { ticketNumber }),
  events('ticket', ['TicketExchanged'], { oldTicketNumber: ticketNumber, newTicketNumber: ticketNumber }),
  events('ticket', ['CouponStatusChanged'], {
    ticketNumber,
    couponNumber: fc.constantFrom(1, 2),
    from: status,
    to: status,
  }),
  events('ticket', ['TicketIssueRequested'], {
    attemptId: fc.constantFrom('a1', 'a2'),
    passengerIds: someone,
    origin,
    occurrence: fc.constantFrom('["p1","TKT",0]', '["p1","TKT",1]'),
  }),
  events('ticket', ['TicketIssueFailed'], {
    attemptId: fc.constantFrom('a1', 'a2'),
    passengerIds: someone,
    code,
    retryable: fc.boolean(),
  }),
  events('ticket', ['SeatAllocated', 'SeatReleased'], { passengerId, segmentId, seat: fc.constantFrom('1A', '2B') }),
)

/** An order, mostly; then anything. */
export const history: fc.Arbitrary<Told[]> = fc
  .tuple(
    fc.option(passengers.map((list) => requested({ passengers: list }))),
    fc.array(fc.oneof(paymentEvent, ticketEvent), { maxLength: 14 }),
  )
  .map(([order, rest]) => (order ? [order, ...rest] : rest))

/** Mostly long after, so that grace periods are over; sometimes in the middle of it, or past the limits. */
export const present: fc.Arbitrary<number> = fc.oneof(
  fc.constant(720),
  fc.integer({ min: 0, max: 130 }),
  fc.constantFrom(12 * 1440, 39 * 1440),
)

/** Answers from outside, or none. */
export const lookups: fc.Arbitrary<Record<string, JsonValue>> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  fc
    .array(fc.record({ ticketNumber, passengerId, status: fc.constantFrom('active', 'void') }), { maxLength: 2 })
    .map((tickets) => ({ 'ticket-authority': { tickets } })),
  fc
    .record({
      capturedMinor: fc.constantFrom(0, 20000),
      refundedMinor: fc.constantFrom(0, 100),
      currency: fc.constant('EUR'),
    })
    .map((record) => ({ 'payment-record': record })),
  fc.constant({ 'payment-record': null, 'ticket-authority': null }),
)

/** Anything at all; or a booking that has one certain inconsistency, and a little of anything behind it. */
export const scene: fc.Arbitrary<Scene> = fc.oneof(
  fc.record({ told: history, now: present, lookups }),
  fc
    .tuple(
      fc.constantFrom(...[...paymentCases, ...ticketCases].map((one) => one.scene)),
      fc.array(fc.oneof(paymentEvent, ticketEvent), { maxLength: 2 }),
    )
    .map(([start, rest]) => ({ ...start, told: [...start.told, ...rest] })),
)
