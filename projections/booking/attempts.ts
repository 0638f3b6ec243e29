// Attempts to issue: which are answered, and which failed for good. Each is looked at for one passenger at a time.
import { inStreamOrder } from './documents.js'
import { type Booking, type Fact, type FactData, factsOf } from './state.js'

/** An attempt, as far as one passenger is concerned. */
export interface PassengerAttempt {
  readonly passengerId: string
  readonly requested: Fact<FactData<'TicketIssueRequested'>>
}

export type FailedAttempt = Fact<FactData<'TicketIssueFailed'>>

/** All attempts in the order of the stream, once for each of their passengers. */
export function attemptsOf(booking: Booking): PassengerAttempt[] {
  return inStreamOrder(factsOf(booking, 'TicketIssueRequested')).flatMap((requested) =>
    [...new Set(requested.data.passengerIds)].map((passengerId) => ({ passengerId, requested })),
  )
}

/** Whether its failure is recorded, or a ticket of the passenger after it. */
export function isAnswered(booking: Booking, { passengerId, requested }: PassengerAttempt): boolean {
  const { attemptId } = requested.data
  return (
    failuresOf(booking, passengerId).some(({ data }) => data.attemptId === attemptId) ||
    wasIssuedAfter(booking, requested, passengerId)
  )
}

/** Whether the stream has a ticket of the passenger behind `fact`. */
export function wasIssuedAfter(booking: Booking, fact: Fact, passengerId: string): boolean {
  return factsOf(booking, 'TicketIssued').some(
    ({ data, event }) =>
      data.passengerId === passengerId && data.documentType === 'TKT' && event.revision > fact.event.revision,
  )
}

/** A passenger's failures, in the order of the stream. Each ended its attempt. */
export function failuresOf(booking: Booking, passengerId: string): FailedAttempt[] {
  return inStreamOrder(factsOf(booking, 'TicketIssueFailed')).filter(({ data }) =>
    data.passengerIds.includes(passengerId),
  )
}

/** Passengers that ever had a failure, each with the last one. */
export function lastFailuresOf(booking: Booking): { passengerId: string; failed: FailedAttempt }[] {
  const last = new Map<string, FailedAttempt>()
  for (const failed of inStreamOrder(factsOf(booking, 'TicketIssueFailed'))) {
    for (const passengerId of failed.data.passengerIds) last.set(passengerId, failed)
  }
  return [...last].map(([passengerId, failed]) => ({ passengerId, failed }))
}

/**
 * Names the work of issuing a passenger's ticket, for the idempotency key: the same whichever rule, campaign or time asks
 * for it; another one once an attempt has failed, which ended the earlier work.
 */
export function occurrenceOf(booking: Booking, passengerId: string): string {
  return JSON.stringify([passengerId, 'TKT', failuresOf(booking, passengerId).length])
}

/** Whether an attempt is a repair's own claim of work that is still the passenger's: asking again settles it. */
export function isOwnClaim(booking: Booking, { passengerId, requested }: PassengerAttempt): boolean {
  const { origin, occurrence } = requested.data
  return origin === 'REPAIR' && occurrence === occurrenceOf(booking, passengerId)
}
