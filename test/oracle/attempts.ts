// Attempts to issue, for the oracle: which have no outcome, and which of those are a repair's own that it may take up again.
import { type Fact, factsOf, type History } from './booking-events.js'
import { isTicketedAfter } from './documents.js'

/** An attempt as far as one of its passengers is concerned. */
export interface OpenAttempt {
  readonly passengerId: string
  readonly requested: Fact<'TicketIssueRequested'>
}

/** Attempts of which, for this passenger, neither a failure nor a ticket is known. */
export function openAttempts(history: History): OpenAttempt[] {
  const failures = factsOf(history, 'TicketIssueFailed')
  return factsOf(history, 'TicketIssueRequested').flatMap((requested) =>
    requested.passengerIds
      .filter(
        (passengerId) =>
          !failures.some(
            (failure) => failure.attemptId === requested.attemptId && failure.passengerIds.includes(passengerId),
          ) && !isTicketedAfter(history, passengerId, requested.place),
      )
      .map((passengerId) => ({ passengerId, requested })),
  )
}

/** A repair's claim of the work that is still to be done: it says which, and no final failure has ended that work. */
export function isOwnClaim(history: History, { passengerId, requested }: OpenAttempt): boolean {
  const ended = factsOf(history, 'TicketIssueFailed').filter(
    (failure) => !failure.retryable && failure.passengerIds.includes(passengerId),
  )
  return requested.origin === 'REPAIR' && requested.occurrence === JSON.stringify([passengerId, 'TKT', ended.length])
}
