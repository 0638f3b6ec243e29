// What may be asked outside of the log: the ticket authority's list of a booking's tickets, and the payment provider's record.
import { z } from 'zod'
import type { RuleContext } from '../../src/engine/projection.js'

/** Names under which the caller gives the answers. */
export const TICKET_AUTHORITY = 'ticket-authority'
export const PAYMENT_RECORD = 'payment-record'

/** What is asked: for all tickets of a booking, and for its payments. */
export const lookups = {
  [TICKET_AUTHORITY]: (bookingId: string) => ({ bookingId }),
  [PAYMENT_RECORD]: (bookingId: string) => ({ bookingId }),
}

const ticketsAnswer = z.object({
  tickets: z.array(z.object({ ticketNumber: z.string().min(1), passengerId: z.string().min(1), status: z.string() })),
})

const recordAnswer = z.object({
  capturedMinor: z.int().min(0),
  refundedMinor: z.int().min(0),
  currency: z.string(),
})

export type AuthorityTicket = z.infer<typeof ticketsAnswer>['tickets'][number]
export type PaymentRecord = z.infer<typeof recordAnswer>

/** The authority's tickets of the booking; undefined where it was not asked, or cannot tell (null, or another shape). */
export function ticketsTold({ lookups }: RuleContext): readonly AuthorityTicket[] | undefined {
  const parsed = ticketsAnswer.safeParse(lookups[TICKET_AUTHORITY])
  return parsed.success ? parsed.data.tickets : undefined
}

/** Whether a lookup is configured, whatever it answered. */
export function isConfigured({ lookups }: RuleContext, name: string): boolean {
  return Object.hasOwn(lookups, name)
}

/** The provider's record: `none` where it has none of the booking, undefined where its answer makes no sense. */
export function recordTold({ lookups }: RuleContext): PaymentRecord | 'none' | undefined {
  if (lookups[PAYMENT_RECORD] === null) return 'none'
  const parsed = recordAnswer.safeParse(lookups[PAYMENT_RECORD])
  return parsed.success ? parsed.data : undefined
}
