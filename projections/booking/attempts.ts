// Attempts to issue: which are answered, and which failed for good. Each is looked at for one passenger at a time, in the order
// of the ticket stream.
import { inStreamOrder } from './documents.js'
import { type Booking, type Fact, type FactData, factsOf } from './state.js'

/** An attempt, as far as one passenger is concerned. */
export interface PassengerAttempt {
  readonly passengerId: string
  readonly requested: Fact<FactData<'TicketIssueRequested'>>
  /** Neither its failure is recorded, nor a ticket of the passenger behind it. */
  readonly isOpen: boolean
}

export type FailedAttempt = Fact<FactData<'TicketIssueFailed'>>

/** A passenger's last failure. */
export interface LastFailure {
  readonly passengerId: string
  readonly failed: FailedAttempt
  /** A ticket of the passenger stands behind it. */
  readonly isIssuedSince: boolean
}

export interface Attempts {
  readonly all: readonly PassengerAttempt[]
  readonly lastFailures: readonly LastFailure[]
  /** How many attempts failed for good, by passenger. */
  readonly failures: ReadonlyMap<string, number>
}

export function attemptsOf(booking: Booking): Attempts {
  const failed = byPassenger(factsOf(booking, 'TicketIssueFailed'))
  const requested = byPassenger(factsOf(booking, 'TicketIssueRequested'))
  const issued = lastTicketRevisions(booking)
  const isIssuedAfter = (passengerId: string, { event }: Fact) => (issued.get(passengerId) ?? -1) > event.revision
  return {
    all: [...requested].flatMap(([passengerId, requests]) => {
      const ended = new Set(failed.get(passengerId)?.map(({ data }) => data.attemptId))
      const isOpen = (request: PassengerAttempt['requested']) =>
        !ended.has(request.data.attemptId) && !isIssuedAfter(passengerId, request)
      return requests.map((request) => ({ passengerId, requested: request, isOpen: isOpen(request) }))
    }),
    lastFailures: [...failed].map(([passengerId, failures]) => {
      const last = failures.at(-1) as FailedAttempt
      return { passengerId, failed: last, isIssuedSince: isIssuedAfter(passengerId, last) }
    }),
    failures: new Map([...failed].map(([passengerId, failures]) => [passengerId, failures.filter(isTerminal).length])),
  }
}

function isTerminal({ data }: FailedAttempt): boolean {
  return !data.retryable
}

function byPassenger<T extends Fact<{ readonly passengerIds: readonly string[] }>>(
  facts: readonly T[],
): Map<string, T[]> {
  const found = new Map<string, T[]>()
  for (const fact of inStreamOrder(facts)) {
    for (const passengerId of new Set(fact.data.passengerIds)) {
      const known = found.get(passengerId)
      if (known) known.push(fact)
      else found.set(passengerId, [fact])
    }
  }
  return found
}

/** Where in the stream each passenger's last ticket stands. */
function lastTicketRevisions(booking: Booking): Map<string, number> {
  const last = new Map<string, number>()
  for (const { data, event } of factsOf(booking, 'TicketIssued')) {
    if (data.documentType !== 'TKT') continue
    last.set(data.passengerId, Math.max(event.revision, last.get(data.passengerId) ?? -1))
  }
  return last
}

/**
 * Names the work of issuing a passenger's ticket, for the idempotency key: the same whichever rule, campaign or time asks
 * for it; another one once an attempt has failed for good, which ended the earlier work. A failure that may be tried again
 * ends nothing: under another key the authority could issue a second ticket.
 */
export function occurrenceOf({ failures }: Attempts, passengerId: string): string {
  return JSON.stringify([passengerId, 'TKT', failures.get(passengerId) ?? 0])
}

/** Whether an attempt is a repair's own claim of work that is still the passenger's: asking again settles it. */
export function isOwnClaim(attempts: Attempts, { passengerId, requested }: PassengerAttempt): boolean {
  const { origin, occurrence } = requested.data
  return origin === 'REPAIR' && occurrence === occurrenceOf(attempts, passengerId)
}
