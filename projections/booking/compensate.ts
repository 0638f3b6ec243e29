// What would make a booking good: one ticket for each passenger who misses one, where every guard holds. No number is made up: the
// command asks the ticket authority, and what it answers is recorded.
import type { JsonObject } from '../../src/engine/json.js'
import type { FindingRef, Intent, RuleContext } from '../../src/engine/projection.js'
import { occurrenceOf } from './attempts.js'
import type { Amount } from './events.js'
import { allGuardsHold, allWaitingGuardsHold, isAttemptInFlight } from './guards.js'
import { ticketsTold } from './lookups.js'
import type { Order } from './order.js'
import type { Booking } from './state.js'
import { termsOf } from './terms.js'

/** One intent a passenger, answering all the findings that the passenger's ticket makes good. */
export function compensate(booking: Booking, findings: readonly FindingRef[], context: RuleContext): Intent[] {
  const { order, missing, attempts } = termsOf(booking)
  if (!order || !allGuardsHold(booking, context) || !allWaitingGuardsHold(booking, context)) return []
  return missing
    .map(({ passengerId }) => ({
      occurrence: occurrenceOf(attempts, passengerId),
      answers: findings.filter((finding) => isAbout(finding, passengerId, context)).map(({ id }) => id),
      category: 'ticket',
      command: commandFor(booking, order, passengerId),
      value: shareOf(order, passengerId),
    }))
    .filter(({ answers }) => answers.length > 0)
}

/** Whether somebody else is at the booking's tickets, so that all of its work must wait. */
export function isUnderWay(booking: Booking, _: Intent, context: RuleContext): boolean {
  return isAttemptInFlight(booking, context)
}

function isAbout({ rule, occurrence }: FindingRef, passengerId: string, context: RuleContext): boolean {
  if (rule === 'paid-not-ticketed') return true
  if (rule !== 'ticket-event-lost') return occurrence === passengerId
  const lost = ticketsTold(context)?.find(({ ticketNumber }) => ticketNumber === occurrence)
  return lost?.passengerId === passengerId
}

/** Nothing in it depends on the time of asking: what is approved is what is asked for later. */
function commandFor({ bookingId }: Booking, { version, segments, due }: Order, passengerId: string): JsonObject {
  return {
    bookingId,
    passengerId,
    documentType: 'TKT',
    orderVersion: version,
    segments: segments.map((segment) => ({ ...segment })),
    due: { ...due },
  }
}

/** A passenger's part of due, for limits by value; the first one bears what does not divide. */
function shareOf({ due, passengers }: Order, passengerId: string): Amount {
  const part = Math.floor(due.amountMinor / passengers.length)
  const isFirst = passengers[0]?.passengerId === passengerId
  const amountMinor = isFirst ? due.amountMinor - part * (passengers.length - 1) : part
  return { currency: due.currency, amountMinor }
}
