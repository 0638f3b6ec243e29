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

// An id is more than nothing, and no name that JavaScript has taken.
const text = z.string().refine((value) => value !== '' && value !== '__proto__', 'expected an id')
const time = z.string().refine((value) => parseTicks(value) !== undefined, 'expected an RFC 3339 time')
const version = z.int().min(0)
const couponNumber = z.int().min(1)
// Numbers above 2^53 have been rounded by the parser: such an amount is not known.
const amount = z.object({
  amountMinor: z.int().min(0),
  currency: z.string().regex(/^[A-Z]{3}$/),
})
const passenger = z.object({
  passengerId: text,
  type: z.enum(['ADT', 'CHD', 'INF']),
  accompaniedBy: text.optional(),
})
const segment = z.object({ segmentId: text, carrier: text, flightNumber: text, departsAt: time })
// Nobody travels, or nowhere, or one of them twice: that is no order.
const passengers = z.array(passenger).refine((list) => areOnceEach(list.map(({ passengerId }) => passengerId)))
const segments = z.array(segment).refine((list) => areOnceEach(list.map(({ segmentId }) => segmentId)))
const STATUSES = 'open, airport control, checked in, lifted, flown, exchanged, refunded, void, suspended'.split(', ')
const status = z
  .string()
  .transform((value) => value.toLowerCase().replaceAll(/[_-]/g, ' '))
  .refine((value) => STATUSES.includes(value))
const coupon = z.object({ couponNumber, segmentId: text, status })

const said = { bookingId: text, occurredAt: time, schemaVersion: z.literal(1).optional() }
const authorisation = z.object({ ...said, paymentId: text, amount })
const capture = z.object({ ...said, paymentId: text, captureId: text, pspReference: text, amount })
const captureEnd = z.object({ ...said, captureId: text, code: text })
const refund = z.object({ ...said, refundId: text, captureId: text, amount })
const dispute = z.object({ ...said, disputeId: text, captureId: text, amount })
const review = z.object({ ...said, reason: text })
const change = z.object({
  ...said,
  orderVersion: version,
  passengers: passengers.optional(),
  segments: segments.optional(),
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
    passengers,
    segments,
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
  TicketIssueRequested: z.object({
    ...said,
    attemptId: text,
    passengerIds: z.array(text).min(1),
    origin: z.enum(['LIVE', 'REPAIR', 'IMPORT']).optional(),
    occurrence: z.string().optional(),
  }),
  TicketIssueFailed: z.object({
    ...said,
    attemptId: text,
    passengerIds: z.array(text).min(1),
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
  CouponStatusChanged: z.object({ ...said, ticketNumber: text, couponNumber, from: status, to: status }),
  SeatAllocated: seat,
  SeatReleased: seat,
}

const SCHEMAS = { ...PAYMENT_SCHEMAS, ...TICKET_SCHEMAS }

function areOnceEach(ids: readonly string[]): boolean {
  return ids.length > 0 && ids.every((id, index) => ids.indexOf(id) === index)
}

/** The types of both tables, an alias under its main name. */
export type FactType = keyof typeof SCHEMAS
/** The data of one type, and where the event stands in its stream. */
export type Fact<T extends FactType> = z.infer<(typeof SCHEMAS)[T]> & { readonly place: number }
export type Amount = z.infer<typeof amount>
export type Passenger = z.infer<typeof passenger>
export type Segment = z.infer<typeof segment>

type TypedFact<T extends FactType = FactType> = { readonly type: T; readonly data: Fact<T> }

/** All that was said of one booking: what could be read, in order of payment stream, ticket stream; and what was not as it should be. */
export interface History {
  readonly facts: readonly TypedFact[]
  /** Each event is of a known type and shape. */
  readonly isWhollyDecoded: boolean
  /** An event names another booking than its stream, or stands in the other stream; it is not among the facts. */
  readonly hasStrayEvent: boolean
}

/** Reads the events of one booking, which are given in the order of each stream. */
export function readHistory(events: readonly StoredEvent[]): History {
  const inOrder = [
    ...events.filter(({ stream }) => stream.startsWith('payment-')),
    ...events.filter(({ stream }) => stream.startsWith('ticket-')),
  ]
  const read = inOrder.map((event) => ({ event, fact: readFact(event) }))
  const known = read.filter((one): one is { event: StoredEvent; fact: TypedFact } => one.fact !== undefined)
  const atHome = known.filter(({ event, fact }) => isAtHome(event, fact))
  return {
    facts: atHome.map(({ fact }) => fact),
    isWhollyDecoded: known.length === read.length,
    hasStrayEvent: atHome.length < known.length,
  }
}

function readFact({ type: name, data, revision }: StoredEvent): TypedFact | undefined {
  const type = (name === 'PaymentConfirmed' ? 'PaymentCaptured' : name) as FactType
  if (!Object.hasOwn(SCHEMAS, type)) return undefined
  const schema: z.ZodType<z.infer<(typeof SCHEMAS)[FactType]>> = SCHEMAS[type]
  const parsed = schema.safeParse(data)
  return parsed.success ? { type, data: { ...parsed.data, place: revision } } : undefined
}

function isAtHome({ stream }: StoredEvent, { type, data }: TypedFact): boolean {
  return stream === `${Object.hasOwn(PAYMENT_SCHEMAS, type) ? 'payment' : 'ticket'}-${data.bookingId}`
}

/** Every statement of one type, again and again where it was said again. */
export function everyFact<T extends FactType>(history: History, type: T): Fact<T>[] {
  const ofType = history.facts.filter((fact): fact is TypedFact<T> => fact.type === type)
  return ofType.map(({ data }) => data)
}

/** The statements of one type, each business id once: what was said first of it. */
export function factsOf<T extends FactType>(history: History, type: T): Fact<T>[] {
  const every = everyFact(history, type)
  return every.filter((fact, index) => {
    const id = businessIdOf(type, fact)
    return id === undefined || every.findIndex((other) => businessIdOf(type, other) === id) === index
  })
}

/** What was said of the payment, of all types, each business id once. */
export function paymentFactsOf(history: History): Fact<keyof typeof PAYMENT_SCHEMAS>[] {
  const types = Object.keys(PAYMENT_SCHEMAS) as (keyof typeof PAYMENT_SCHEMAS)[]
  return types.flatMap((type) => factsOf(history, type))
}

/** What names the thing that an event is about; undefined for events that may rightly come again. */
export function businessIdOf(type: FactType, fact: Fact<FactType>): string | undefined {
  const field = BUSINESS_ID[type]
  if (field === undefined) return undefined
  const { [field]: id, passengerIds } = fact as Record<string, unknown>
  // An attempt for several passengers may fail for each by itself.
  return type === 'TicketIssueFailed' ? `${id} ${(passengerIds as string[]).toSorted()}` : String(id)
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
