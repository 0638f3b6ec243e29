// What the airline may say of a booking, as the domain's two tables of events list it, and how a stored event is read by the oracle.
// Written apart from the product, which is never imported here.
import { z } from 'zod'
import { parseTicks } from '../../src/log/ticks.js'

/** One event as it stands in a store, with its JSON parsed; `data` is undefined where the bytes are no JSON. */
export interface StoredEvent {
  readonly stream: string
  readonly revision: number
  readonly id: string
  readonly type: string
  readonly data: unknown
  readonly metadata: unknown
  /** When the store took it, RFC 3339. */
  readonly created: string | undefined
}

const text = z.string().min(1)
const time = z.string().refine((value) => parseTicks(value) !== undefined, 'expected an RFC 3339 time')
const version = z.number().refine(Number.isSafeInteger, 'expected a whole number')
// Numbers above 2^53 have been rounded by the parser: such an amount is not known.
const amount = z.object({
  amountMinor: z.number().refine((value) => Number.isSafeInteger(value) && value >= 0, 'expected whole minor units'),
  currency: z.string().regex(/^[A-Z]{3}$/),
})
const passenger = z.object({
  passengerId: text,
  type: z.enum(['ADT', 'CHD', 'INF']),
  accompaniedBy: text.optional(),
})
const segment = z.object({ segmentId: text, carrier: text, flightNumber: text, departsAt: time })
const coupon = z.object({ couponNumber: version, segmentId: text, status: text })

const said = { bookingId: text, occurredAt: time }
const authorisation = z.object({ ...said, paymentId: text, amount })
const capture = z.object({ ...said, paymentId: text, captureId: text, pspReference: text, amount })
const captureEnd = z.object({ ...said, captureId: text, code: text })
const refund = z.object({ ...said, refundId: text, captureId: text, amount })
const dispute = z.object({ ...said, disputeId: text, captureId: text, amount })
const review = z.object({ ...said, reason: text })
const change = z.object({
  ...said,
  orderVersion: version,
  passengers: z.array(passenger).optional(),
  segments: z.array(segment).optional(),
  due: amount.optional(),
  reason: text.optional(),
})
const documentEnd = z.object({ ...said, ticketNumber: text, refundId: text.optional() })
const seat = z.object({ ...said, passengerId: text, segmentId: text, seat: text })

const PAYMENT_SCHEMAS = {
  PaymentRequested: z.object({
    ...said,
    recordLocator: text.optional(),
    orderVersion: version,
    due: amount,
    passengers: z.array(passenger),
    segments: z.array(segment),
    ticketingTimeLimit: time.optional(),
    fareGuaranteedUntil: time.optional(),
  }),
  PaymentAuthorised: authorisation,
  AuthorisationExpired: authorisation,
  AuthorisationVoided: authorisation,
  PaymentCaptured: capture,
  CaptureFailed: captureEnd,
  CaptureReversed: captureEnd,
  RefundRequested: refund,
  RefundSucceeded: refund,
  RefundFailed: refund,
  DisputeOpened: dispute,
  DisputeWon: dispute,
  DisputeLost: dispute,
  PaymentReviewHeld: review,
  PaymentReviewCleared: review,
  OrderAmended: change,
  OrderCancelled: change,
}

const TICKET_SCHEMAS = {
  TicketIssueRequested: z.object({ ...said, attemptId: text, passengerIds: z.array(text) }),
  TicketIssueFailed: z.object({
    ...said,
    attemptId: text,
    passengerIds: z.array(text).optional(),
    code: text,
    retryable: z.boolean(),
  }),
  TicketIssued: z.object({
    ...said,
    ticketNumber: text,
    documentType: z.enum(['TKT', 'EMDA', 'EMDS']),
    conjunctionNumbers: z.array(text).optional(),
    passengerId: text,
    orderVersion: version,
    coupons: z.array(coupon),
    total: amount.optional(),
    issuedAt: time,
    origin: z.enum(['LIVE', 'REPAIR', 'IMPORT']),
  }),
  TicketVoided: documentEnd,
  TicketRefunded: documentEnd,
  TicketExchanged: z.object({ ...said, oldTicketNumber: text, newTicketNumber: text }),
  CouponStatusChanged: z.object({ ...said, ticketNumber: text, couponNumber: version, from: text, to: text }),
  SeatAllocated: seat,
  SeatReleased: seat,
}

const SCHEMAS = { ...PAYMENT_SCHEMAS, ...TICKET_SCHEMAS }

/** The types of both tables, an alias under its main name. */
export type FactType = keyof typeof SCHEMAS
/** The data of one type. */
export type Fact<T extends FactType> = z.infer<(typeof SCHEMAS)[T]>
export type Amount = z.infer<typeof amount>
export type Passenger = z.infer<typeof passenger>
export type Segment = z.infer<typeof segment>

/** All that was said of one booking: what could be read, in order of payment stream, ticket stream; and whether all could be. */
export interface History {
  readonly facts: readonly { readonly type: FactType; readonly data: Fact<FactType> }[]
  readonly isWhollyDecoded: boolean
}

/** Reads the events of one booking, which are given in the order of each stream. */
export function readHistory(events: readonly StoredEvent[]): History {
  const payments = events.filter(({ stream }) => stream.startsWith('payment-'))
  const tickets = events.filter(({ stream }) => stream.startsWith('ticket-'))
  const read = [
    ...payments.map((event) => readFact(event, PAYMENT_SCHEMAS)),
    ...tickets.map((event) => readFact(event, TICKET_SCHEMAS)),
  ]
  return {
    facts: read.filter((fact) => fact !== undefined),
    isWhollyDecoded: !read.includes(undefined),
  }
}

function readFact(event: StoredEvent, schemas: Partial<typeof SCHEMAS>): History['facts'][number] | undefined {
  const type = (event.type === 'PaymentConfirmed' ? 'PaymentCaptured' : event.type) as FactType
  const schema: z.ZodType<Fact<FactType>> | undefined = Object.hasOwn(schemas, type) ? schemas[type] : undefined
  const parsed = schema?.safeParse(event.data)
  if (!parsed?.success || isOfNewerSchema(event)) return undefined
  const subject = event.stream.slice(event.stream.indexOf('-') + 1)
  return parsed.data.bookingId === subject ? { type, data: parsed.data } : undefined
}

function isOfNewerSchema({ data, metadata }: StoredEvent): boolean {
  return [data, metadata].some((part) => {
    if (typeof part !== 'object' || part === null || !('schemaVersion' in part)) return false
    return part.schemaVersion !== 1
  })
}

/** Every statement of one type, again and again where it was said again. */
export function everyFact<T extends FactType>(history: History, type: T): Fact<T>[] {
  return history.facts.filter((fact) => fact.type === type).map((fact) => fact.data as Fact<T>)
}

/** The statements of one type, each business id once: what was said first of it. */
export function factsOf<T extends FactType>(history: History, type: T): Fact<T>[] {
  const every = everyFact(history, type)
  return every.filter((fact, index) => {
    const id = businessIdOf(type, fact)
    return id === undefined || every.findIndex((other) => businessIdOf(type, other) === id) === index
  })
}

/** What names the thing that an event is about; undefined for events that may rightly come again. */
export function businessIdOf(type: FactType, fact: Fact<FactType>): string | undefined {
  const field = BUSINESS_ID[type]
  return field === undefined ? undefined : String((fact as Record<string, unknown>)[field])
}

const BUSINESS_ID: Readonly<Partial<Record<FactType, string>>> = {
  PaymentRequested: 'orderVersion',
  OrderAmended: 'orderVersion',
  OrderCancelled: 'orderVersion',
  PaymentAuthorised: 'paymentId',
  AuthorisationExpired: 'paymentId',
  AuthorisationVoided: 'paymentId',
  PaymentCaptured: 'captureId',
  CaptureFailed: 'captureId',
  CaptureReversed: 'captureId',
  RefundRequested: 'refundId',
  RefundSucceeded: 'refundId',
  RefundFailed: 'refundId',
  DisputeOpened: 'disputeId',
  DisputeWon: 'disputeId',
  DisputeLost: 'disputeId',
  TicketIssueRequested: 'attemptId',
  TicketIssueFailed: 'attemptId',
  TicketIssued: 'ticketNumber',
  TicketVoided: 'ticketNumber',
  TicketRefunded: 'ticketNumber',
  TicketExchanged: 'oldTicketNumber',
}

/** The time at which a fact happened, in milliseconds since the Unix epoch. */
export function timeOf(fact: { readonly occurredAt: string }): number {
  return Date.parse(fact.occurredAt)
}
