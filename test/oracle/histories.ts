// Hand-made histories of one booking: a statement is a type and its own fields, and everything around it is filled in.

import { v5 } from 'uuid'
import type { StoredEvent } from './booking-events.js'

/** One thing said of a booking, `minute` minutes after the booking began. */
export interface Statement {
  readonly type: string
  readonly minute: number
  readonly fields: Readonly<Record<string, unknown>>
}

/** When each booking begins. */
export const BEGINNING = Date.UTC(2026, 2, 2, 10)

const NAMESPACE = '7a6f3c0e-95b1-4f0a-9a57-3f0f3b0d2c11'
const TICKET_EVENT = /^(?:Ticket|Coupon|Seat)/

export function atMinute(minute: number): string {
  return new Date(BEGINNING + minute * 60_000).toISOString()
}

export function say(minute: number, type: string, fields: Readonly<Record<string, unknown>> = {}): Statement {
  return { type, minute, fields }
}

/** The two streams of a booking that was spoken of so, in this order. */
export function streamsOf(bookingId: string, statements: readonly Statement[]): StoredEvent[] {
  const heads = new Map<string, number>()
  return statements.map(({ type, minute, fields }, index) => {
    const stream = `${TICKET_EVENT.test(type) ? 'ticket' : 'payment'}-${bookingId}`
    const revision = heads.get(stream) ?? 0
    heads.set(stream, revision + 1)
    return {
      stream,
      revision,
      id: v5(`${bookingId}/${index}`, NAMESPACE),
      type,
      data: { bookingId, occurredAt: atMinute(minute), ...fields },
      metadata: undefined,
      created: undefined,
    }
  })
}

export function euro(amountMinor: number): { amountMinor: number; currency: string } {
  return { amountMinor, currency: 'EUR' }
}

export const ADULT = { passengerId: 'ada', type: 'ADT' }
export const INFANT = { passengerId: 'ivy', type: 'INF', accompaniedBy: 'ada' }

/** The order at its first version: two passengers, 300 euro, a flight in ten days. */
export function requested(fields: Readonly<Record<string, unknown>> = {}): Statement {
  return say(0, 'PaymentRequested', {
    orderVersion: 1,
    due: euro(30_000),
    passengers: [ADULT, INFANT],
    segments: [{ segmentId: 's1', carrier: 'MG', flightNumber: '12', departsAt: atMinute(14_400) }],
    ...fields,
  })
}

export function captured(fields: Readonly<Record<string, unknown>> = {}): Statement {
  return say(1, 'PaymentCaptured', {
    paymentId: 'p1',
    captureId: 'c1',
    pspReference: 'psp1',
    amount: euro(30_000),
    ...fields,
  })
}

export function issued(
  passengerId: string,
  ticketNumber: string,
  fields: Readonly<Record<string, unknown>> = {},
): Statement {
  return say(5, 'TicketIssued', {
    ticketNumber,
    documentType: 'TKT',
    conjunctionNumbers: [],
    passengerId,
    orderVersion: 1,
    coupons: [{ couponNumber: 1, segmentId: 's1', status: 'open' }],
    total: euro(15_000),
    issuedAt: atMinute(5),
    origin: 'LIVE',
    ...fields,
  })
}
