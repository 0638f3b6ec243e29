// What the live watch asks of a booking beyond the rules: when a rule may say something else though nothing happens, how long
// ticketing took, what is at stake, and for what somebody must be woken.
import type { FindingRef, LiveView, RuleContext } from '../../src/engine/projection.js'
import { msOf } from './events.js'
import type { Order } from './order.js'
import { policy } from './policy.js'
import { type Booking, factsOf } from './state.js'
import { type Terms, termsOf } from './terms.js'

/** Findings that are about a ticket that is owed. */
const OWED = new Set(['paid-not-ticketed', 'partly-ticketed', 'infant-not-ticketed', 'time-limit-passed'])
/** Findings after which every further minute may make another passenger's ticket wrong. */
const AT_ONCE = new Set(['repair-collision', 'duplicate-ticket'])

export const live: LiveView<Booking> = {
  deadlines,
  flow: { from: ['PaymentCaptured', 'PaymentConfirmed'], to: ['TicketIssued'] },
  tookMs,
  valueAtStake: (booking) => termsOf(booking).order?.due,
  lostAt,
  page,
}

/** Time matters only while something is missing or an attempt is open: then grace, time-outs, and the limits with their margins. */
function* deadlines(booking: Booking): Iterable<number> {
  const terms = termsOf(booking)
  const open = terms.attempts.all.filter(({ isOpen }) => isOpen)
  for (const { requested } of open) yield requested.at + policy.attemptTimeoutMs
  if (terms.missing.length === 0 && open.length === 0) return
  if (terms.latestPayment) yield terms.latestPayment.at + policy.gracePeriodMs
  if (terms.order) yield* limitsOf(terms.order)
}

/** The first of the margins before which the machine must have issued. */
function lostAt(booking: Booking): number | undefined {
  const { order } = termsOf(booking)
  const ends = order ? marginsOf(order) : []
  return ends.length === 0 ? undefined : Math.min(...ends)
}

function marginsOf({ ticketingTimeLimit, fareGuaranteedUntil, segments }: Order): number[] {
  const limits = [ticketingTimeLimit, fareGuaranteedUntil].filter((limit) => limit !== undefined)
  return [
    ...limits.map((limit) => msOf(limit) - policy.limitMarginMs),
    ...segments.map(({ departsAt }) => msOf(departsAt) - policy.departureMarginMs),
  ]
}

function* limitsOf(order: Order): Iterable<number> {
  yield* marginsOf(order)
  for (const limit of [order.ticketingTimeLimit, order.fareGuaranteedUntil]) if (limit !== undefined) yield msOf(limit)
}

/** From the latest capture before it to the ticket. */
function tookMs(booking: Booking, eventId: string): number | undefined {
  const ticket = factsOf(booking, 'TicketIssued').find(({ event }) => event.id === eventId)
  if (!ticket) return undefined
  const captured = factsOf(booking, 'PaymentCaptured').filter(({ at }) => at <= ticket.at)
  return captured.length === 0 ? undefined : ticket.at - Math.max(...captured.map(({ at }) => at))
}

function page(booking: Booking, { rule }: FindingRef, { now }: RuleContext): string | undefined {
  if (AT_ONCE.has(rule)) return rule
  return OWED.has(rule) ? urgencyOf(termsOf(booking), now) : undefined
}

function urgencyOf({ order }: Terms, now: number): string | undefined {
  if (!order) return undefined
  const { segments, ticketingTimeLimit, fareGuaranteedUntil } = order
  if (segments.some(({ departsAt }) => now >= msOf(departsAt) - policy.departureMarginMs)) return 'departure is near'
  const limits = [ticketingTimeLimit, fareGuaranteedUntil].filter((limit) => limit !== undefined)
  return limits.some((limit) => now >= msOf(limit) - policy.limitMarginMs) ? 'the time limit is near' : undefined
}
