// A small airline for tests of the engine and the repair: bookings of several passengers, a command to an authority, and rules of
// every disposition. Shaped like the real booking projection, and independent of it.
import { z } from 'zod'
import { type DecodedEvent, defineProjection, type EventRef, type Intent, rule } from '../../src/engine/projection.js'

/** The present of all tests of the airline, in milliseconds since the Unix epoch. */
export const NOW = Date.parse('2026-05-02T12:00:00Z')
/** How long an attempt of somebody else is waited for. */
export const ATTEMPT_TIMEOUT_MS = 10 * 60_000

const origin = z.enum(['LIVE', 'REPAIR'])
const events = {
  PaymentCaptured: z.object({ passengers: z.array(z.string()), amountMinor: z.int(), at: z.iso.datetime() }),
  RefundRequested: z.object({ refundId: z.string() }),
  RefundFailed: z.object({ refundId: z.string() }),
  TicketIssueRequested: z.object({ attemptId: z.string(), passengerId: z.string(), origin, at: z.iso.datetime() }),
  TicketIssueFailed: z.object({
    attemptId: z.string(),
    passengerId: z.string(),
    code: z.string(),
    retryable: z.boolean(),
  }),
  TicketIssued: z.object({ ticketNumber: z.string(), passengerId: z.string(), origin }),
}

type Schemas = typeof events
type AirlineEvent = {
  [Type in keyof Schemas]: DecodedEvent<Type, z.infer<Schemas[Type]>>
}[keyof Schemas]

export interface Ticket {
  readonly number: string
  readonly passengerId: string
  readonly origin: 'LIVE' | 'REPAIR'
  readonly issued: EventRef
}

interface TicketAttempt {
  readonly passengerId: string
  readonly at: string
  readonly requested: EventRef
  outcome?: 'issued' | 'failed'
  isTerminal?: boolean
}

export interface Booking {
  readonly id: string
  readonly passengers: string[]
  amountMinor: number
  paidAt?: string
  paid?: EventRef
  readonly refunds: Record<string, EventRef>
  readonly tickets: Ticket[]
  readonly attempts: Record<string, TicketAttempt>
}

function refOf({ id, stream, revision }: EventRef): EventRef {
  return { id, stream, revision }
}

function evolve(booking: Booking, event: AirlineEvent): undefined {
  switch (event.type) {
    case 'PaymentCaptured':
      booking.passengers.push(...event.data.passengers)
      booking.amountMinor += event.data.amountMinor
      booking.paidAt ??= event.data.at
      booking.paid ??= refOf(event)
      return
    case 'RefundRequested':
      booking.refunds[event.data.refundId] = refOf(event)
      return
    case 'RefundFailed':
      delete booking.refunds[event.data.refundId]
      return
    case 'TicketIssueRequested':
      booking.attempts[event.data.attemptId] = {
        passengerId: event.data.passengerId,
        at: event.data.at,
        requested: refOf(event),
      }
      return
    case 'TicketIssueFailed':
      closeAttempt(booking, event.data.attemptId, 'failed', !event.data.retryable)
      return
    case 'TicketIssued':
      noteTicket(booking, event)
  }
}

function closeAttempt(booking: Booking, id: string, outcome: 'issued' | 'failed', isTerminal = false): void {
  const attempt = booking.attempts[id]
  if (attempt) Object.assign(attempt, { outcome, isTerminal })
}

function noteTicket(booking: Booking, event: Extract<AirlineEvent, { type: 'TicketIssued' }>): void {
  const { ticketNumber: number, passengerId, origin: from } = event.data
  if (!booking.tickets.some((ticket) => ticket.number === number && ticket.passengerId === passengerId)) {
    booking.tickets.push({ number, passengerId, origin: from, issued: refOf(event) })
  }
  for (const [id, attempt] of Object.entries(booking.attempts)) {
    if (attempt.passengerId === passengerId && attempt.outcome === undefined) closeAttempt(booking, id, 'issued')
  }
}

function ticketsOf(booking: Booking, passenger: string): Ticket[] {
  return booking.tickets.filter(({ passengerId }) => passengerId === passenger)
}

function attemptsOf(booking: Booking, passenger: string): TicketAttempt[] {
  return Object.values(booking.attempts).filter(({ passengerId }) => passengerId === passenger)
}

function isInFlight({ at, outcome }: TicketAttempt, now: number): boolean {
  return outcome === undefined && now - Date.parse(at) < ATTEMPT_TIMEOUT_MS
}

function isOverdue(attempt: TicketAttempt, now: number): boolean {
  return attempt.outcome === undefined && !isInFlight(attempt, now)
}

function isMissing(booking: Booking, passenger: string): boolean {
  return ticketsOf(booking, passenger).length === 0
}

const fundedBy = ({ paid }: Booking): EventRef => paid as EventRef

const eachPassenger = (booking: Booking) => booking.passengers

export const airline = defineProjection<Booking, AirlineEvent>({
  name: 'airline',
  version: '1',
  categories: ['payment', 'ticket'],
  events,
  policy: { attemptTimeoutMs: ATTEMPT_TIMEOUT_MS },
  initial: (id) => ({ id, passengers: [], amountMinor: 0, refunds: {}, tickets: [], attempts: {} }),
  evolve,
  rules: [
    rule<Booking, string>({
      id: 'paid-not-ticketed',
      title: 'A passenger is paid for and has no ticket.',
      severity: 1,
      disposition: 'repair',
      each: eachPassenger,
      when: {
        'nothing issued': (booking, _, passenger) => isMissing(booking, passenger),
        'no attempt in flight': (booking, { now }, passenger) =>
          !attemptsOf(booking, passenger).some((attempt) => isInFlight(attempt, now)),
      },
      evidence: (booking, passenger) => ({
        opened: fundedBy(booking),
        occurrence: passenger,
        ...(booking.paidAt !== undefined && { since: booking.paidAt }),
        detail: { passenger },
      }),
    }),
    rule<Booking, EventRef>({
      id: 'refund-pending',
      title: 'A refund was requested and has not failed.',
      severity: 2,
      disposition: 'never',
      each: (booking) => Object.values(booking.refunds),
      when: { requested: () => true },
      evidence: (_, requested) => ({ opened: requested, occurrence: requested.id }),
    }),
    rule<Booking, TicketAttempt>({
      id: 'attempt-unknown',
      title: 'An attempt has had no outcome for too long.',
      severity: 1,
      disposition: 'person',
      each: (booking) => Object.values(booking.attempts),
      when: { overdue: (_, { now }, attempt) => isOverdue(attempt, now) },
      evidence: (_, attempt) => ({ opened: attempt.requested, occurrence: attempt.passengerId }),
    }),
    rule<Booking, string>({
      id: 'issue-failed',
      title: 'The last attempt failed for good.',
      severity: 1,
      disposition: 'person',
      each: eachPassenger,
      when: {
        'nothing issued': (booking, _, passenger) => isMissing(booking, passenger),
        'failed for good': (booking, _, passenger) => attemptsOf(booking, passenger).at(-1)?.isTerminal === true,
      },
      evidence: (booking, passenger) => ({ opened: fundedBy(booking), occurrence: passenger }),
    }),
    rule<Booking, string>({
      id: 'repair-collision',
      title: 'A passenger has a ticket of a repair and a live one.',
      severity: 1,
      disposition: 'never',
      opensCase: true,
      stopsCampaign: true,
      each: eachPassenger,
      when: {
        'both origins': (booking, _, passenger) =>
          new Set(ticketsOf(booking, passenger).map(({ origin: from }) => from)).size === 2,
      },
      evidence: (booking, passenger) => ({ opened: fundedBy(booking), occurrence: passenger }),
    }),
    rule<Booking, string>({
      id: 'duplicate-ticket',
      title: 'A passenger has two tickets of one origin.',
      severity: 1,
      disposition: 'never',
      opensCase: true,
      each: eachPassenger,
      when: {
        'two of one origin': (booking, _, passenger) => {
          const origins = ticketsOf(booking, passenger).map(({ origin: from }) => from)
          return origins.length > new Set(origins).size
        },
      },
      evidence: (booking, passenger) => ({ opened: fundedBy(booking), occurrence: passenger }),
    }),
  ],
  sharedKeys: [
    {
      id: 'ticket-number-reused',
      title: 'One number on two bookings.',
      severity: 1,
      disposition: 'never',
      opensCase: true,
      keys: (booking) =>
        booking.tickets.map(({ number, issued }) => ({ key: number, opened: issued, occurrence: number })),
    },
  ],
  compensate: (booking, findings) =>
    booking.passengers.flatMap((passenger): Intent[] => {
      const answers = findings.filter(({ occurrence }) => occurrence === passenger).map(({ id }) => id)
      if (answers.length === 0) return []
      const failures = attemptsOf(booking, passenger).filter(({ isTerminal }) => isTerminal === true).length
      return [
        {
          occurrence: `${passenger}/${failures}`,
          answers,
          category: 'ticket',
          command: { bookingId: booking.id, passengerId: passenger },
          value: { currency: 'EUR', amountMinor: booking.amountMinor },
        },
      ]
    }),
  settlement: {
    claim: (intent, attempt) => ({
      type: 'TicketIssueRequested',
      data: {
        attemptId: attempt.id,
        passengerId: passengerOf(intent),
        origin: 'REPAIR',
        at: attempt.at,
        key: attempt.key,
      },
    }),
    issued: (intent, attempt, answer) =>
      typeof answer.ticketNumber === 'string'
        ? [
            {
              type: 'TicketIssued',
              data: {
                ticketNumber: answer.ticketNumber,
                passengerId: passengerOf(intent),
                origin: 'REPAIR',
                attemptId: attempt.id,
              },
            },
          ]
        : undefined,
    failed: (intent, attempt, { code, retryable }) => [
      {
        type: 'TicketIssueFailed',
        data: { attemptId: attempt.id, passengerId: passengerOf(intent), code, retryable },
      },
    ],
    isRecorded: (booking, intent, { ticketNumber }) =>
      ticketsOf(booking, passengerOf(intent)).some(({ number }) => number === ticketNumber),
    isUnderWay: (booking, intent, { now }) =>
      attemptsOf(booking, passengerOf(intent)).some((attempt) => isInFlight(attempt, now)),
  },
})

/** The passenger that an intent of the airline is for. */
export function passengerOf({ command }: Intent): string {
  return String(command?.passengerId)
}
