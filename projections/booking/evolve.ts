// One event becomes a fact, or a note that it came again. Which field is a type's business id, and what is content, is said here.
import type { DecodedEvent, EventRef } from '../../src/engine/projection.js'
import { ALIASES, categoryOfType, type DataOf, type FactType, msOf } from './events.js'
import { type Booking, couponKey, type Fact, type FactData, factOf, putFact, seatKey } from './state.js'
import { forgetTerms } from './terms.js'

type Identities = { [Type in FactType]: (data: FactData<Type>) => string }

const byPayment = ({ paymentId }: { paymentId: string }) => paymentId
const byCapture = ({ captureId }: { captureId: string }) => captureId
const byRefund = ({ refundId }: { refundId: string }) => refundId
const byDispute = ({ disputeId }: { disputeId: string }) => disputeId
const byVersion = ({ orderVersion }: { orderVersion: number }) => String(orderVersion)
const byNumber = ({ ticketNumber }: { ticketNumber: string }) => ticketNumber
const bySeat = ({ passengerId, segmentId }: { passengerId: string; segmentId: string }) =>
  seatKey(passengerId, segmentId)

/** The business id of each type's events. */
const IDENTITIES: Identities = {
  PaymentRequested: byVersion,
  PaymentAuthorised: byPayment,
  AuthorisationExpired: byPayment,
  AuthorisationVoided: byPayment,
  PaymentCaptured: byCapture,
  CaptureFailed: byCapture,
  CaptureReversed: byCapture,
  RefundRequested: byRefund,
  RefundSucceeded: byRefund,
  RefundFailed: byRefund,
  DisputeOpened: byDispute,
  DisputeWon: byDispute,
  DisputeLost: byDispute,
  PaymentReviewHeld: () => 'review',
  PaymentReviewCleared: () => 'review',
  OrderAmended: byVersion,
  OrderCancelled: byVersion,
  TicketIssueRequested: ({ attemptId }) => attemptId,
  TicketIssueFailed: ({ attemptId, passengerIds }) => JSON.stringify([attemptId, ...[...passengerIds].sort()]),
  TicketIssued: byNumber,
  TicketVoided: byNumber,
  TicketRefunded: byNumber,
  TicketExchanged: ({ oldTicketNumber }) => oldTicketNumber,
  CouponStatusChanged: ({ ticketNumber, couponNumber }) => couponKey(ticketNumber, couponNumber),
  SeatAllocated: bySeat,
  SeatReleased: bySeat,
}

/** Types without a business id of their own: of several under one key the latest `occurredAt` counts. */
const LATEST_COUNTS: ReadonlySet<FactType> = new Set<FactType>([
  'PaymentReviewHeld',
  'PaymentReviewCleared',
  'CouponStatusChanged',
  'SeatAllocated',
  'SeatReleased',
])

/** Takes an event into the state, in place. The engine hands on only events that passed the schema of their type. */
export function evolve(booking: Booking, event: DecodedEvent): undefined {
  const type = (Object.hasOwn(ALIASES, event.type) ? ALIASES[event.type as Alias] : event.type) as FactType
  const { bookingId, occurredAt, schemaVersion, ...content } = event.data as DataOf<FactType>
  const fact = { id: identify(type, content), event: refOf(event), at: msOf(occurredAt), data: content }
  if (bookingId !== booking.bookingId || event.category !== categoryOfType(type)) {
    booking.misplaced[event.id] = { ...fact, data: { type } }
  } else if (LATEST_COUNTS.has(type)) {
    keepLatest(booking, type, fact)
  } else {
    keepFirst(booking, type, fact)
  }
}

type Alias = keyof typeof ALIASES
type Content = FactData<FactType>

function keepFirst(booking: Booking, type: FactType, fact: Fact<Content>): void {
  const known = factOf(booking, type, fact.id)
  if (!known) put(booking, type, fact)
  else noteRepeat(booking, `${type} ${fact.id}`, { type, known, fact })
}

/** So many contents under one id are kept; more of them would prove nothing new. */
const CONFLICTS_MAX = 16

function noteRepeat(booking: Booking, key: string, about: { type: FactType; known: Fact; fact: Fact<Content> }): void {
  const { type, known, fact } = about
  const conflicts = booking.conflicts[key] ?? []
  const first = [known, ...conflicts].find((other) => isSameContent(other.data, fact.data))
  if (!first && conflicts.length < CONFLICTS_MAX) booking.conflicts[key] = [...conflicts, fact]
  else if (first) booking.repeats[key] ??= { type, first: first.event, again: { ...fact, data: null } }
}

function keepLatest(booking: Booking, type: FactType, fact: Fact<Content>): void {
  const known = factOf(booking, type, fact.id)
  if (!known || fact.at > known.at || (fact.at === known.at && goesOn(type, known.data, fact.data))) {
    put(booking, type, fact)
  }
}

type CouponChange = FactData<'CouponStatusChanged'>

/** Of coupon changes at one time, the one that goes on from the other is the later. */
function goesOn(type: FactType, known: Content, next: Content): boolean {
  if (type !== 'CouponStatusChanged') return false
  const { from, to } = next as CouponChange
  return from === (known as CouponChange).to && from !== to
}

function put(booking: Booking, type: FactType, fact: Fact<Content>): void {
  putFact(booking, type, fact)
  forgetTerms(booking)
}

function identify(type: FactType, data: Content): string {
  return (IDENTITIES[type] as (data: Content) => string)(data)
}

/** Says who recorded it and when, not what happened. */
const NO_CONTENT: ReadonlySet<string> = new Set(['origin', 'issuedAt', 'key', 'occurrence'])

function isSameContent(a: unknown, b: unknown): boolean {
  const [left, right] = [contentOf(a, b), contentOf(b, a)]
  return JSON.stringify(left) === JSON.stringify(right)
}

/** What of an event's data is compared: in the order of its schema, so that equal content is equal text. */
function contentOf(data: unknown, other: unknown): [string, unknown][] {
  const isTicket = Object.hasOwn(data as object, 'ticketNumber')
  return Object.entries(data as object).filter(([field, value]) => {
    if (value === undefined || NO_CONTENT.has(field)) return false
    // A repair records what the authority told: it may lack the price, and names another attempt.
    return !isTicket || !(field === 'attemptId' || (field === 'total' && !Object.hasOwn(other as object, 'total')))
  })
}

function refOf({ id, stream, revision }: DecodedEvent): EventRef {
  return { id, stream, revision }
}
