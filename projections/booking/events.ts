// The events of a booking's two streams, as schemas. What they refuse (a broken amount, a newer schema) is no event of ours: the
// engine reports it as unknown-event and nothing is repaired on its booking.
import { z } from 'zod'
import type { DecodedEvent } from '../../src/engine/projection.js'
import { msOfRfc3339 } from '../../src/log/rfc3339.js'
import { isTime, parseTicks, type Ticks } from '../../src/log/ticks.js'

/** Ids become keys of plain data, where `__proto__` would not be kept. */
const id = z
  .string()
  .min(1)
  .refine((text) => text !== '__proto__', 'expected an id')

const time = z.string().refine(isTime, 'expected an RFC 3339 time')
const origin = z.enum(['LIVE', 'REPAIR', 'IMPORT'])

/** Integer minor units with an ISO 4217 code. Beyond 2^53 - 1 a parser may have rounded: refused. */
export const amountSchema = z.object({
  amountMinor: z.int().min(0),
  currency: z.string().regex(/^[A-Z]{3}$/, 'expected an ISO 4217 code'),
})

const passengers = z
  .array(z.object({ passengerId: id, type: z.enum(['ADT', 'CHD', 'INF']), accompaniedBy: id.optional() }))
  .min(1)
  .refine((list) => areDistinct(list.map(({ passengerId }) => passengerId)), 'expected each passenger once')

const segments = z
  .array(z.object({ segmentId: id, carrier: z.string(), flightNumber: z.string(), departsAt: time }))
  .min(1)
  .refine((list) => areDistinct(list.map(({ segmentId }) => segmentId)), 'expected each segment once')

/** Any letter case, and a space or dash for the underscore, as ticketing systems write them. */
const couponStatus = z.preprocess(
  (text) => (typeof text === 'string' ? text.toUpperCase().replace(/[ -]/g, '_') : text),
  z.enum(['OPEN', 'AIRPORT_CONTROL', 'CHECKED_IN', 'LIFTED', 'FLOWN', 'EXCHANGED', 'REFUNDED', 'VOID', 'SUSPENDED']),
)

/** More coupons, or numbers beyond 4, are for the rule conjunction-broken to find, not for the schema to refuse. */
export const couponsSchema = z.array(z.object({ couponNumber: z.int().min(1), segmentId: id, status: couponStatus }))

const orderVersion = z.int().min(0)
const authorisation = event({ paymentId: id, amount: amountSchema })
const capture = event({ paymentId: id, captureId: id, pspReference: id, amount: amountSchema })
const captureOutcome = event({ captureId: id, code: z.string() })
const refund = event({ refundId: id, captureId: id, amount: amountSchema })
const dispute = event({ disputeId: id, captureId: id, amount: amountSchema })
const review = event({ reason: z.string() })
const documentEnd = event({ ticketNumber: id, refundId: id.optional() })
const seat = event({ passengerId: id, segmentId: id, seat: z.string() })

function event<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.object({ bookingId: id, occurredAt: time, schemaVersion: z.literal(1).optional(), ...shape })
}

function areDistinct(ids: readonly string[]): boolean {
  return new Set(ids).size === ids.length
}

/** Types that stand for another type. */
export const ALIASES = { PaymentConfirmed: 'PaymentCaptured' } as const

const paymentSchemas = {
  PaymentRequested: event({
    recordLocator: z.string().optional(),
    orderVersion,
    due: amountSchema,
    passengers,
    segments,
    ticketingTimeLimit: time.optional(),
    fareGuaranteedUntil: time.optional(),
  }),
  PaymentAuthorised: authorisation,
  AuthorisationExpired: authorisation,
  AuthorisationVoided: authorisation,
  PaymentCaptured: capture,
  CaptureFailed: captureOutcome,
  CaptureReversed: captureOutcome,
  RefundRequested: refund,
  RefundSucceeded: refund,
  RefundFailed: refund,
  DisputeOpened: dispute,
  DisputeWon: dispute,
  DisputeLost: dispute,
  PaymentReviewHeld: review,
  PaymentReviewCleared: review,
  OrderAmended: event({
    orderVersion,
    due: amountSchema.optional(),
    passengers: passengers.optional(),
    segments: segments.optional(),
    reason: z.string().optional(),
  }),
  OrderCancelled: event({ orderVersion, reason: z.string().optional() }),
}

const ticketSchemas = {
  TicketIssueRequested: event({
    attemptId: id,
    passengerIds: z.array(id).min(1),
    origin: origin.optional(),
    key: z.string().optional(),
    occurrence: z.string().optional(),
  }),
  TicketIssueFailed: event({
    attemptId: id,
    passengerIds: z.array(id).min(1),
    code: z.string(),
    retryable: z.boolean(),
    origin: origin.optional(),
  }),
  TicketIssued: event({
    ticketNumber: id,
    documentType: z.enum(['TKT', 'EMDA', 'EMDS']),
    conjunctionNumbers: z.array(id).optional(),
    passengerId: id,
    orderVersion,
    coupons: couponsSchema,
    total: amountSchema.optional(),
    issuedAt: time,
    origin,
    attemptId: id.optional(),
  }),
  TicketVoided: documentEnd,
  TicketRefunded: documentEnd,
  TicketExchanged: event({ oldTicketNumber: id, newTicketNumber: id }),
  CouponStatusChanged: event({ ticketNumber: id, couponNumber: z.int().min(1), from: couponStatus, to: couponStatus }),
  SeatAllocated: seat,
  SeatReleased: seat,
}

/** Schemas by event type, aliases among them. */
export const schemas = { ...paymentSchemas, PaymentConfirmed: capture, ...ticketSchemas }

/** The types a state knows: no aliases. */
export type FactType = keyof typeof paymentSchemas | keyof typeof ticketSchemas
export type DataOf<Type extends FactType> = z.infer<(typeof schemas)[Type]>
export type BookingEvent<Type extends FactType = FactType> = DecodedEvent<Type, DataOf<Type>>

/** The stream in which a type belongs, by its category. */
export function categoryOfType(type: FactType): 'payment' | 'ticket' {
  return Object.hasOwn(ticketSchemas, type) ? 'ticket' : 'payment'
}

/** Types of the payment stream. */
export const PAYMENT_TYPES = Object.keys(paymentSchemas) as readonly (keyof typeof paymentSchemas)[]

export type Amount = z.infer<typeof amountSchema>
export type Passenger = z.infer<typeof passengers>[number]
export type Segment = z.infer<typeof segments>[number]
export type Coupon = z.infer<typeof couponsSchema>[number]

/** When an event happened, by its own word. */
export function occurredAt({ data }: DecodedEvent): Ticks | undefined {
  return parseTicks((data as { occurredAt: string }).occurredAt)
}

/** Milliseconds since the Unix epoch of a time that passed its schema. */
export function msOf(time: string): number {
  return msOfRfc3339(time)
}
