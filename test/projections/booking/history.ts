// Histories of bookings for tests: what happened, minute by minute, told through the real decoding, fold and detection.

import { booking } from '../../../projections/booking/booking.js'
import type { Booking } from '../../../projections/booking/state.js'
import { compensateSubject, detectSharedKeys } from '../../../src/engine/detect.js'
import type { Finding } from '../../../src/engine/finding.js'
import { Fold, type FoldedSubject } from '../../../src/engine/fold.js'
import type { JsonObject, JsonValue } from '../../../src/engine/json.js'
import { judgeSubject } from '../../../src/engine/judge-part.js'
import type { Intent, Projection, RuleContext } from '../../../src/engine/projection.js'
import { jsonEvent, type RecordedEvent } from '../../../src/log/event.js'

/** One event, before it stands in a stream. */
export interface Told {
  readonly type: string
  readonly category: 'payment' | 'ticket'
  readonly data: JsonObject
  /** Default the booking of the history. */
  readonly subject?: string
}

const DAY_ZERO = Date.parse('2026-05-01T00:00:00Z')

/** RFC 3339 of a minute of the history. */
export function time(minute: number): string {
  return new Date(DAY_ZERO + minute * 60_000).toISOString()
}

/** `now` of a minute of the history. */
export function msAt(minute: number): number {
  return DAY_ZERO + minute * 60_000
}

export const SUBJECT = 'b1'
/** Past every grace period and time-out of the histories here, before every limit. */
export const LATER = 720
const DAY = 1440

export const eur = (amountMinor: JsonValue, currency = 'EUR') => ({ amountMinor, currency })

export function payment(type: string, minute: number, fields: JsonObject): Told {
  return { type, category: 'payment', data: { bookingId: SUBJECT, occurredAt: time(minute), ...fields } }
}

export function ticket(type: string, minute: number, fields: JsonObject): Told {
  return { type, category: 'ticket', data: { bookingId: SUBJECT, occurredAt: time(minute), ...fields } }
}

export const adult = (passengerId: string): JsonObject => ({ passengerId, type: 'ADT' })
export const infant = (passengerId: string, accompaniedBy: string): JsonObject => ({
  passengerId,
  type: 'INF',
  accompaniedBy,
})
export const segment = (segmentId: string, departsAt = time(40 * DAY)): JsonObject => ({
  segmentId,
  carrier: 'XX',
  flightNumber: '123',
  departsAt,
})

/** Version 1: one adult, one segment, 200 EUR due, a limit in ten days and the departure in forty. */
export const requested = (fields: JsonObject = {}) =>
  payment('PaymentRequested', 0, {
    orderVersion: 1,
    due: eur(20000),
    passengers: [adult('p1')],
    segments: [segment('s1')],
    ticketingTimeLimit: time(10 * DAY),
    fareGuaranteedUntil: time(10 * DAY),
    ...fields,
  })

export const captured = (fields: JsonObject = {}) =>
  payment('PaymentCaptured', 5, {
    paymentId: 'pay1',
    captureId: 'c1',
    pspReference: 'psp1',
    amount: eur(20000),
    ...fields,
  })

export const authorised = (fields: JsonObject = {}) =>
  payment('PaymentAuthorised', 4, { paymentId: 'pay1', amount: eur(20000), ...fields })

/** `step`: Requested, Succeeded or Failed. */
export const refund = (step: string, minute: number, fields: JsonObject = {}) =>
  payment(`Refund${step}`, minute, { refundId: 'r1', captureId: 'c1', amount: eur(20000), ...fields })

/** `step`: Opened, Won or Lost. */
export const dispute = (step: string, minute: number, fields: JsonObject = {}) =>
  payment(`Dispute${step}`, minute, { disputeId: 'd1', captureId: 'c1', amount: eur(20000), ...fields })

export const coupons = (...segmentIds: string[]): JsonValue =>
  segmentIds.map((segmentId, index) => ({ couponNumber: index + 1, segmentId, status: 'OPEN' }))

/** The ticket of a passenger over `s1`, numbered 1250000000 and two digits. */
export const issued = (passengerId = 'p1', fields: JsonObject = {}) =>
  ticket('TicketIssued', 10, {
    ticketNumber: '1250000000001',
    documentType: 'TKT',
    conjunctionNumbers: [],
    passengerId,
    orderVersion: 1,
    coupons: coupons('s1'),
    total: eur(20000),
    issuedAt: time(10),
    origin: 'LIVE',
    ...fields,
  })

export const attempt = (fields: JsonObject = {}) =>
  ticket('TicketIssueRequested', 8, { attemptId: 'a1', passengerIds: ['p1'], origin: 'LIVE', ...fields })

export const failed = (fields: JsonObject = {}) =>
  ticket('TicketIssueFailed', 9, {
    attemptId: 'a1',
    passengerIds: ['p1'],
    code: 'NO-STOCK',
    retryable: true,
    origin: 'LIVE',
    ...fields,
  })

/** A document's end: TicketVoided or TicketRefunded. */
export const ended = (type: string, fields: JsonObject = {}) =>
  ticket(type, 20, { ticketNumber: '1250000000001', ...fields })

/** A history with the circumstances under which it is judged. */
export interface Scene {
  readonly told: readonly Told[]
  /** Minute of the history; default {@link LATER}. */
  readonly now?: number
  readonly lookups?: Readonly<Record<string, JsonValue>>
}

/** The events of a history as a log has them: places by their order, ids by their content's place. */
export function recordedOf(told: readonly Told[], offset = 0): RecordedEvent[] {
  const revisions = new Map<string, number>()
  return told.map(({ type, category, data, subject = SUBJECT }, index) => {
    const stream = `${category}-${subject}`
    const revision = revisions.get(stream) ?? 0
    revisions.set(stream, revision + 1)
    const place = BigInt(offset + index + 1)
    const id = `00000000-0000-4000-8000-${String(place).padStart(12, '0')}`
    const { contentType, data: bytes, metadata } = jsonEvent({ id, type, data })
    const position = { commit: place, prepare: place }
    return { id, stream, type, revision, contentType, data: bytes, metadata, created: undefined, position }
  })
}

export function foldEvents(events: readonly RecordedEvent[]): Fold<Booking> {
  const fold = new Fold<Booking>(booking)
  for (const event of events) fold.add(event)
  return fold
}

export function contextOf({ now = LATER, lookups = {} }: Scene): RuleContext {
  return { now: msAt(now), lookups }
}

/** What a scene comes to under a projection. */
export interface Judged {
  readonly findings: readonly Finding[]
  readonly intents: readonly Intent[]
  readonly folded: FoldedSubject<Booking> | undefined
}

/** Judges the booking {@link SUBJECT} of a scene, rules across bookings included. */
export function judge(scene: Scene, projection: Projection<Booking> = booking): Judged {
  const { subjects } = foldEvents(recordedOf(scene.told))
  const folded = subjects.get(SUBJECT)
  if (!folded) return { findings: [], intents: [], folded }
  const plain = projection as Projection
  const shared = detectSharedKeys(subjects.values(), plain).get(SUBJECT)
  const findings = judgeSubject(folded, plain, contextOf(scene), shared)
  return { findings, intents: compensateSubject(folded, findings, plain, contextOf(scene)), folded }
}

/** The rules found on a scene, sorted, once for each finding. */
export function rulesFound(scene: Scene, projection?: Projection<Booking>): string[] {
  return judge(scene, projection)
    .findings.map(({ rule }) => rule)
    .sort()
}
