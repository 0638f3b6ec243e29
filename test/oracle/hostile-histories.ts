// Hostile histories of two bookings, for fast-check: events of the domain's types with few ids, so that they meet; any order, duplicates,
// odd amounts, missing orders, holes. Half of them grow out of a booking that would be in order.
import fc from 'fast-check'
import type { StoredEvent } from './booking-events.js'
import { DAMAGES, damaged } from './damaged-log.js'
import { ADULT, atMinute, captured, INFANT, issued, requested, type Statement, say, streamsOf } from './histories.js'

/** The `now` of every hostile history, in minutes since its bookings began. */
export const NOW_MINUTE = 240

const DAY = 24 * 60
const CHILD = { passengerId: 'cid', type: 'CHD' }

// Around each moment at which an answer turns: now, grace and time-out before it.
const minute = fc.constantFrom(0, 1, 5, 60, 100, 180, 224, 225, 226, 229, 230, 231, 239, 240, 241)
const limit = fc.constantFrom(undefined, 100, 239, 240, 241, 300, 359, 360, 361, 90_000)
const departure = fc.constantFrom(200, 240 + DAY - 1, 240 + DAY, 241 + DAY, 14_400, 20_000)

/** Mostly the first. */
function mostly<T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>, weight = 12): fc.Arbitrary<T> {
  return fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: odd })
}

const minor: fc.Arbitrary<unknown> = mostly(
  fc.constantFrom(30_000, 30_000, 20_000, 10_000, 15_000, 0),
  fc.constantFrom(-1, 0.5, 2 ** 53, '300'),
  60,
)
const currency = mostly(fc.constant('EUR'), fc.constantFrom('USD', 'JPY', 'eur'))
const amount = fc.record({ amountMinor: minor, currency })
const captureId = fc.constantFrom('c1', 'c1', 'c2', 'c3')
const passengerId = mostly(fc.constantFrom('ada', 'ivy', 'cid'), fc.constantFrom('eve', '__proto__', ''))
const passengerIds = fc.oneof(fc.uniqueArray(passengerId, { minLength: 1, maxLength: 3 }), fc.constant(['ada', 'ivy']))
const goodNumber = fc.constantFrom('1250000000001', '1250000000002', '1250000000003', '1250000000004', '1250000000006')
const ticketNumber = mostly(goodNumber, fc.constantFrom('125000000009', '12500000000O1'))
const segmentId = fc.constantFrom('s1', 's1', 's2')
const status = fc.constantFrom(
  'OPEN',
  'OPEN',
  'airport control',
  'CHECKED_IN',
  'FLOWN',
  'EXCHANGED',
  'REFUNDED',
  'VOID',
)
const coupon = fc.record({
  couponNumber: mostly(fc.constantFrom(1, 2), fc.constantFrom(4, 5, 0), 30),
  segmentId,
  status,
})
const orderVersion = fc.constantFrom(1, 1, 2, 3)
const reason = fc.constantFrom('one', 'another')
const passengers = mostly<object[]>(
  fc.constantFrom([ADULT, INFANT], [ADULT], [ADULT, INFANT, CHILD], [CHILD], [INFANT]),
  fc.constantFrom([ADULT, ADULT], []),
  30,
)
const segments = mostly<object[]>(
  fc.uniqueArray(
    fc.record({
      segmentId: fc.constantFrom('s1', 's1', 's2'),
      carrier: fc.constant('MG'),
      flightNumber: fc.constant('12'),
      departsAt: departure.map(atMinute),
    }),
    { minLength: 1, maxLength: 2, selector: ({ segmentId }) => segmentId },
  ),
  fc.constant([]),
  30,
)
const moment = limit.map((at) => (at === undefined ? undefined : atMinute(at)))

function statement(
  type: string,
  fields: Record<string, fc.Arbitrary<unknown>>,
  when: fc.Arbitrary<number> = minute,
): fc.Arbitrary<Statement> {
  return fc.tuple(when, fc.record(fields)).map(([at, said]) => say(at, type, said as Record<string, unknown>))
}

function statements(types: readonly string[], fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Statement> {
  return fc.constantFrom(...types).chain((type) => statement(type, fields))
}

const PAYMENT_STATEMENTS = [
  statement('PaymentRequested', {
    orderVersion,
    due: amount,
    passengers,
    segments,
    ticketingTimeLimit: moment,
    fareGuaranteedUntil: moment,
  }),
  statements(['PaymentAuthorised', 'AuthorisationExpired', 'AuthorisationVoided'], {
    paymentId: fc.constantFrom('p1', 'p2'),
    amount,
  }),
  statements(['PaymentCaptured', 'PaymentConfirmed'], {
    paymentId: fc.constant('p1'),
    captureId,
    pspReference: fc.constantFrom('psp1', 'psp2'),
    amount,
  }),
  statements(['CaptureFailed', 'CaptureReversed'], { captureId, code: fc.constant('x') }),
  statements(['RefundRequested', 'RefundSucceeded', 'RefundFailed'], {
    refundId: fc.constantFrom('r1', 'r2'),
    captureId,
    amount,
  }),
  statements(['DisputeOpened', 'DisputeWon', 'DisputeLost'], {
    disputeId: fc.constantFrom('d1', 'd2'),
    captureId,
    amount,
  }),
  statements(['PaymentReviewHeld', 'PaymentReviewCleared'], { reason }),
  fc
    .tuple(
      statement('OrderAmended', { orderVersion, passengers, segments, due: amount }),
      fc.subarray(['passengers', 'segments', 'due'], { minLength: 1 }),
    )
    .map(([whole, kept]) => ({ ...whole, fields: pick(whole.fields, ['orderVersion', ...kept]) })),
  statement('OrderCancelled', { orderVersion, reason }),
]

const attemptId = fc.constantFrom('a1', 'a2')

/** A repair's claim, of the work as it stands after so many final failures. */
function claimFor(passengerIds: fc.Arbitrary<string>): fc.Arbitrary<Statement> {
  return passengerIds.chain((claimed) =>
    statement('TicketIssueRequested', {
      attemptId,
      passengerIds: fc.constant([claimed]),
      origin: mostly(fc.constant('REPAIR'), fc.constant('LIVE')),
      occurrence: mostly(fc.constant(0), fc.constantFrom(1, 2), 2).map((n) => JSON.stringify([claimed, 'TKT', n])),
    }),
  )
}

const TICKET_STATEMENTS = [
  statement('TicketIssueRequested', { attemptId, passengerIds, origin: fc.constantFrom('LIVE', 'REPAIR') }),
  claimFor(passengerId),
  statement('TicketIssueFailed', { attemptId, passengerIds, code: fc.constant('x'), retryable: fc.boolean() }),
  statement('TicketIssued', {
    ticketNumber,
    documentType: mostly(fc.constant('TKT'), fc.constantFrom('EMDA', 'EMDS')),
    conjunctionNumbers: mostly<string[]>(fc.constant([]), fc.uniqueArray(ticketNumber, { maxLength: 5 }), 5),
    passengerId,
    orderVersion,
    coupons: mostly<object[]>(
      fc.constant([{ couponNumber: 1, segmentId: 's1', status: 'OPEN' }]),
      fc.array(coupon, { maxLength: 5 }),
      1,
    ),
    issuedAt: minute.map(atMinute),
    origin: fc.constantFrom('LIVE', 'REPAIR', 'IMPORT'),
  }),
  statements(['TicketVoided', 'TicketRefunded'], { ticketNumber }),
  statement('TicketExchanged', { oldTicketNumber: ticketNumber, newTicketNumber: ticketNumber }),
  statement('CouponStatusChanged', {
    ticketNumber: goodNumber,
    couponNumber: fc.constantFrom(1, 2),
    from: status,
    to: status,
  }),
  statements(['SeatAllocated', 'SeatReleased'], { passengerId, segmentId, seat: fc.constant('4C') }),
]

const ODD_STATEMENTS = [
  statement('TicketFolded', {}),
  statement('PaymentCaptured', { captureId }),
  fc.constant(captured({ schemaVersion: 2 })),
  fc.constant(captured({ bookingId: 'another' })),
  fc.constant(issued('ada', '1250000000001', { occurredAt: 'yesterday' })),
]

const any = fc.oneof(
  { weight: 12, arbitrary: fc.oneof(...PAYMENT_STATEMENTS) },
  { weight: 12, arbitrary: fc.oneof(...TICKET_STATEMENTS) },
  { weight: 1, arbitrary: fc.oneof(...ODD_STATEMENTS) },
)

const family = fc.constantFrom('ada', 'ivy')
// So few that two things happen at once.
const soon = fc.constantFrom(60, 100)

/** What may rightly happen to the tickets of a booking in order. */
const ticketLife = fc.oneof(
  claimFor(family),
  statement('TicketIssueFailed', {
    attemptId,
    passengerIds: family.map((one) => [one]),
    code: fc.constant('x'),
    retryable: fc.boolean(),
  }),
  statement(
    'CouponStatusChanged',
    {
      ticketNumber: fc.constant('1250000000001'),
      couponNumber: fc.constant(1),
      from: fc.constantFrom('OPEN', 'CHECKED_IN', 'VOID'),
      to: fc.constantFrom('OPEN', 'CHECKED_IN', 'VOID'),
    },
    soon,
  ),
  fc
    .constantFrom('SeatAllocated', 'SeatReleased')
    .chain((type) =>
      statement(type, { passengerId: family, segmentId: fc.constant('s1'), seat: fc.constant('4C') }, soon),
    ),
)

/** A booking that would be in order, more or less ticketed. */
const inOrder = fc
  .record({
    ticketingTimeLimit: mostly(fc.constant(undefined), moment, 3),
    passengers: mostly<object[]>(fc.constant([ADULT, INFANT]), passengers, 4),
    tickets: fc.subarray([issued('ada', '1250000000001'), issued('ivy', '1250000000002')]),
    lived: fc.array(ticketLife, { maxLength: 4 }),
  })
  .map(({ tickets, lived, ...fields }) => [requested(fields), captured(), ...tickets, ...lived])

const spoken = fc
  .tuple(
    fc.oneof(inOrder, inOrder, fc.constant([])),
    fc.oneof(fc.array(any, { maxLength: 6 }), fc.array(any, { maxLength: 2 })),
    mostly<number[]>(fc.constant([]), fc.array(fc.nat(), { minLength: 1, maxLength: 2 }), 2),
    fc.option(fc.array(fc.nat(), { minLength: 10, maxLength: 10 })),
  )
  .map(([base, more, repeated, order]) => {
    const all = [...base, ...more]
    const twice = all.length === 0 ? [] : repeated.map((index) => all[index % all.length] as Statement)
    return shuffle([...all, ...twice], order ?? [])
  })

const damage = mostly(fc.constant('none' as const), fc.constantFrom(...DAMAGES))

/** All events of a store of one booking or two, in the order of the log. */
export const hostileStore: fc.Arbitrary<StoredEvent[]> = fc
  .array(fc.tuple(spoken, damage, fc.nat()), { minLength: 1, maxLength: 2 })
  .map((bookings) => bookings.flatMap(([said, how, where], index) => damaged(recorded(`b${index}`, said), how, where)))

/** A history as it is read back: fields that were not given are not there. */
function recorded(bookingId: string, said: readonly Statement[]): StoredEvent[] {
  return streamsOf(bookingId, said).map((event) => ({ ...event, data: JSON.parse(JSON.stringify(event.data)) }))
}

/** Takes the things out one by one, each time the one that the next number points at; without numbers the order stays. */
function shuffle<T>(things: readonly T[], numbers: readonly number[]): T[] {
  const left = [...things]
  return things.map((_, index) => left.splice((numbers[index % numbers.length] ?? 0) % left.length, 1)[0] as T)
}

function pick(fields: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => names.includes(name)))
}
