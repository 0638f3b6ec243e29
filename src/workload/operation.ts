// What a workload consists of: operations on a store in the order of their times, and for each booking an outline of what is wrong with
// it, from the generator's own knowledge.
import { NO_BYTES, type ProposedEvent } from '../log/event.js'
import type { Revision } from '../log/revision.js'
import { SOFT_DELETE_TB } from '../log/stream-metadata.js'
import type { RuleId } from './rule-ids.js'

/** One write to the log. `revision` is where it stands in its stream, from 0 and dense; `at` when, in milliseconds since the Unix epoch. */
export type Operation =
  | {
      readonly kind: 'append'
      readonly stream: string
      readonly revision: Revision
      readonly at: number
      readonly event: ProposedEvent
    }
  /**
   * A stream is deleted softly behind its last event, which stands at `revision`, by an event of its metadata with `id` at
   * `metadataRevision`: see {@link deletionEvent}.
   */
  | {
      readonly kind: 'delete'
      readonly stream: string
      readonly revision: Revision
      readonly at: number
      readonly id: string
      readonly metadataRevision: Revision
    }

/** The event that deletes a stream softly: written as the store itself would, but with an id that the same seed gives again. */
export function deletionEvent({ id }: Extract<Operation, { kind: 'delete' }>): ProposedEvent {
  const data = new TextEncoder().encode(`{"$tb":${SOFT_DELETE_TB}}`)
  return { id, type: '$metadata', contentType: 'application/json', data, metadata: NO_BYTES }
}

/** What a scan should find on one booking, sorted, and what a repair should do about it. */
export interface Expectation {
  readonly rules: readonly RuleId[]
  /** Whether a machine may repair it: something is to be repaired, nothing forbids it, and every guard holds. */
  readonly repairable: boolean
  /** The passengers that a repair must give a ticket, sorted; none where it is not repairable. */
  readonly missingPassengers: readonly string[]
}

/** Who can be asked beside the log. */
export type LookupName = 'ticket-authority' | 'payment-record'

/** What another record says a booking's payments are. */
export interface PaymentRecord {
  readonly bookingId: string
  readonly capturedMinor: number
  readonly refundedMinor: number
  readonly currency: string
}

/** A ticket that the authority issued, as docs/authority.md has it. */
export interface KnownTicket {
  readonly ticketNumber: string
  readonly documentType: string
  readonly bookingId: string
  readonly passengerId: string
  readonly issuedAt: string
}

/** One booking, told when its first operation is near. */
export interface Outline {
  readonly subject: string
  /** The archetype's name, for people. */
  readonly archetype: string
  /** What is expected where nobody beside the log is asked. */
  readonly expected: Expectation
  /** What is expected where `lookup` is configured, for bookings where that makes a difference. */
  readonly withLookup?: Expectation & { readonly lookup: LookupName }
  /** Tickets that the authority has and the log has not. */
  readonly knownTickets: readonly KnownTicket[]
  /** What the external payment record holds; none where nothing was captured, or the record has lost it. */
  readonly paymentRecord: PaymentRecord | undefined
}

export type WorkloadItem = { readonly kind: 'opened'; readonly outline: Outline } | Operation
