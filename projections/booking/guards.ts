// The guards: a finding may be repaired by the machine only when ALL of them hold. That the history is whole and wholly decoded is
// held by the engine, whose findings forbid every repair.
import type { RuleContext } from '../../src/engine/projection.js'
import { isOwnClaim } from './attempts.js'
import type { Document } from './documents.js'
import { msOf, type Segment } from './events.js'
import { isConfigured, PAYMENT_RECORD, recordTold, TICKET_AUTHORITY, ticketsTold } from './lookups.js'
import { sumsIn } from './money.js'
import { isOpen } from './order.js'
import { policy } from './policy.js'
import { type Booking, factOf } from './state.js'
import { compareFreeToDue, type Terms, termsOf } from './terms.js'

type Guard = (terms: Terms, context: RuleContext, booking: Booking) => boolean

/** Guards of the booking as a whole, by the names that a domain expert knows them by. */
export const GUARDS: Readonly<Record<string, Guard>> = {
  'free = due in one currency': (terms) => compareFreeToDue(terms) === 'equal' && terms.currencies.length === 1,
  'the order is open at its current version': ({ order }) => isOpen(order),
  'no dispute is open or lost': ({ money }) => money.disputes.length === 0,
  'no review hold': (_, __, booking) => !isHeld(booking),
  'no refund is pending': ({ money }) => money.pending.length === 0,
  'before the ticketing time limit, with a margin': ({ order }, { now }) =>
    isBefore(now, order?.ticketingTimeLimit, policy.limitMarginMs),
  'before the end of the fare guarantee, with a margin': ({ order }, { now }) =>
    isBefore(now, order?.fareGuaranteedUntil, policy.limitMarginMs),
  'before the first departure, with a margin': ({ order }, { now }) =>
    order !== undefined && isBeforeDeparture(now, order.segments),
  'no travel is in progress': ({ documents }) => !documents.some(isUsed),
  'past the grace period': (terms, { now }) => isPastGrace(terms, now),
  'the payment record agrees, where one is configured': (terms, context) => agreesWithRecord(terms, context),
  'the ticket authority can tell, where one is configured': (_, context) =>
    !isConfigured(context, TICKET_AUTHORITY) || ticketsTold(context) !== undefined,
}

/** Whether the booking as a whole may be repaired. */
export function allGuardsHold(booking: Booking, context: RuleContext): boolean {
  const terms = termsOf(booking)
  return Object.values(GUARDS).every((holds) => holds(terms, context, booking))
}

/** The guards that do not hold, waiting ones too, by their names. */
export function unmetGuards(booking: Booking, context: RuleContext): string[] {
  const terms = termsOf(booking)
  const guards = [...Object.entries(GUARDS), ...Object.entries(WAITING_GUARDS)]
  return guards.filter(([, holds]) => !holds(terms, context, booking)).map(([name]) => name)
}

/** Guards that only wait: what a repair has begun itself may be finished as soon as they hold again. */
export const WAITING_GUARDS: Readonly<Record<string, Guard>> = {
  'no attempt in flight': (_, context, booking) => !isAttemptInFlight(booking, context),
}

/** Whether nothing has to be waited for. */
export function allWaitingGuardsHold(booking: Booking, context: RuleContext): boolean {
  const terms = termsOf(booking)
  return Object.values(WAITING_GUARDS).every((holds) => holds(terms, context, booking))
}

/**
 * Whether somebody else may be about to issue, to whichever passenger: who tickets a family one by one comes to the next one next. A
 * repair's own claim of the same work is nobody else's.
 */
export function isAttemptInFlight(booking: Booking, { now }: RuleContext): boolean {
  const { attempts } = termsOf(booking)
  return attempts.all.some(
    (attempt) =>
      attempt.isOpen && !isOwnClaim(attempts, attempt) && now < attempt.requested.at + policy.attemptTimeoutMs,
  )
}

const IN_USE: ReadonlySet<string> = new Set(['AIRPORT_CONTROL', 'CHECKED_IN', 'LIFTED', 'FLOWN'])

/** Whether somebody is travelling on a document, or about to. */
function isUsed({ coupons }: Document): boolean {
  return coupons.some(({ status }) => IN_USE.has(status))
}

/** Held, and not cleared since. */
export function isHeld(booking: Booking): boolean {
  const held = factOf(booking, 'PaymentReviewHeld', 'review')
  const cleared = factOf(booking, 'PaymentReviewCleared', 'review')
  return held !== undefined && (cleared === undefined || held.at >= cleared.at)
}

/** Whether the latest payment event is old enough for a ticket to count as missing. */
export function isPastGrace({ latestPayment }: Terms, now: number): boolean {
  return latestPayment !== undefined && now >= latestPayment.at + policy.gracePeriodMs
}

/** Whether a limit is over, or the first departure within its margin. */
export function isTimeOver({ order }: Terms, now: number): boolean {
  if (!order) return false
  return (
    !isBefore(now, order.ticketingTimeLimit, 0) ||
    !isBefore(now, order.fareGuaranteedUntil, 0) ||
    !isBeforeDeparture(now, order.segments)
  )
}

/** Whether the payment provider's record, where one is configured, says the same as the stream. */
export function agreesWithRecord({ money }: Terms, context: RuleContext): boolean {
  if (!isConfigured(context, PAYMENT_RECORD)) return true
  const record = recordTold(context)
  if (record === undefined) return false
  if (record === 'none') return money.captures.length === 0
  if ([...money.byCurrency.keys()].some((currency) => currency !== record.currency)) return false
  const { captured, reversed, refunded } = sumsIn(money, record.currency)
  return captured - reversed === BigInt(record.capturedMinor) && refunded === BigInt(record.refundedMinor)
}

/** Strictly before `limit - margin`; always where there is no limit. */
function isBefore(now: number, limit: string | undefined, marginMs: number): boolean {
  return limit === undefined || now < msOf(limit) - marginMs
}

function isBeforeDeparture(now: number, segments: readonly Segment[]): boolean {
  return segments.every(({ departsAt }) => isBefore(now, departsAt, policy.departureMarginMs))
}
