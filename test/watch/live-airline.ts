// The small airline as a live watch needs it, and random histories of it: late events and early ones, refusals, shared numbers, unreadable
// events, deleted and truncated streams.
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type { Projection } from '../../src/engine/projection.js'
import { jsonEvent, NO_BYTES } from '../../src/log/event.js'
import type { EventStore } from '../../src/log/event-store.js'
import { metadataStreamOf } from '../../src/log/stream.js'
import { ATTEMPT_TIMEOUT_MS, airline, type Booking, NOW } from '../controls/airline.js'

export { NOW }
export const MINUTE_MS = 60_000

/** The airline with the moments at which its rules look at the clock: the time-outs of open attempts. */
export const liveAirline: Projection = {
  ...airline,
  live: {
    *deadlines(state: unknown) {
      for (const { at, outcome } of Object.values((state as Booking).attempts)) {
        if (outcome === undefined) yield Date.parse(at) + ATTEMPT_TIMEOUT_MS
      }
    },
    flow: { from: ['PaymentCaptured'], to: ['TicketIssued'] },
    valueAtStake: (state: unknown) => ({ currency: 'EUR', amountMinor: (state as Booking).amountMinor }),
    page: (_state: unknown, { rule }) => (rule === 'duplicate-ticket' ? 'two tickets' : undefined),
  },
}

/** One thing that happens to the log. */
export interface Happening {
  readonly subject: string
  readonly category: 'payment' | 'ticket'
  readonly what: 'event' | 'metadata' | 'delete' | 'tombstone'
  readonly type: string
  readonly data: object
}

const minutes = fc.integer({ min: -20, max: 25 }).map((minute) => new Date(NOW + minute * MINUTE_MS).toISOString())
const passengerId = fc.constantFrom('p1', 'p2')
const attemptId = fc.constantFrom('a1', 'a2', 'a3')
const origin = fc.constantFrom('LIVE', 'LIVE', 'REPAIR')
const refundId = fc.constantFrom('r1', 'r2')

const payments = fc.oneof(
  {
    weight: 4,
    arbitrary: told('PaymentCaptured', {
      passengers: fc.subarray(['p1', 'p2'], { minLength: 1 }),
      amountMinor: fc.constant(100),
      at: minutes,
    }),
  },
  told('RefundRequested', { refundId }),
  told('RefundFailed', { refundId }),
)
const tickets = fc.oneof(
  { weight: 3, arbitrary: told('TicketIssueRequested', { attemptId, passengerId, origin, at: minutes }) },
  told('TicketIssueFailed', { attemptId, passengerId, code: fc.constant('X'), retryable: fc.boolean() }),
  { weight: 3, arbitrary: told('TicketIssued', { ticketNumber: fc.constantFrom('1', '2', '3'), passengerId, origin }) },
  told('Strange', {}),
)

function told(
  type: string,
  data: Record<string, fc.Arbitrary<unknown>>,
): fc.Arbitrary<Pick<Happening, 'type' | 'data'>> {
  return fc.record(data).map((fields) => ({ type, data: fields }))
}

const subject = fc.constantFrom('b1', 'b1', 'b2', 'b3')
const limits = fc.constantFrom({}, { $tb: 1 }, { $maxCount: 1 }, { owner: 'x' })

/** Anything that may happen; one time in ten to a stream rather than in it. */
export const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 10, arbitrary: fc.tuple(subject, payments).map(([s, event]) => make(s, 'payment', 'event', event)) },
  { weight: 10, arbitrary: fc.tuple(subject, tickets).map(([s, event]) => make(s, 'ticket', 'event', event)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        subject,
        fc.constantFrom('payment', 'ticket'),
        fc.constantFrom('metadata', 'metadata', 'delete', 'tombstone'),
        limits,
      )
      .map(([s, category, what, data]) =>
        make(s, category as 'payment', what as 'metadata', { type: '$metadata', data }),
      ),
  },
)

function make(
  subject: string,
  category: Happening['category'],
  what: Happening['what'],
  { type, data }: { type: string; data: object },
): Happening {
  return { subject, category, what, type, data }
}

/** Lets it happen; what the store refuses (a stream that is deleted already) does not happen. */
export async function happen(store: EventStore, { subject, category, what, type, data }: Happening): Promise<void> {
  const stream = `${category}-${subject}`
  if (what === 'delete') await store.deleteStream(stream, 'any')
  else if (what === 'tombstone') await store.tombstone(stream, 'any')
  else {
    const event = { ...jsonEvent({ id: randomUUID(), type, data }), metadata: NO_BYTES }
    await store.append(what === 'metadata' ? metadataStreamOf(stream) : stream, [event], 'any')
  }
}
