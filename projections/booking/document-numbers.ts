// The rule across bookings: a document number belongs to one passenger of one booking, for ever.
import type { KeyUse, RuleHead, SharedKeyRule } from '../../src/engine/projection.js'
import { proof } from './evidence.js'
import { type Booking, type Fact, type FactData, factsOf } from './state.js'

type Issued = Fact<FactData<'TicketIssued'>>

/** The rule under the given head. Two passengers of one booking under one number are found by it as well. */
export function ticketNumberReused(head: RuleHead): SharedKeyRule<Booking> {
  return { ...head, keys: numbersUsed }
}

/** Each number once for each passenger it was issued to, void documents among them. */
function* numbersUsed(booking: Booking): Iterable<KeyUse> {
  for (const issued of factsOf(booking, 'TicketIssued')) {
    const { ticketNumber } = issued.data
    const others = (booking.conflicts[`TicketIssued ${ticketNumber}`] ?? []) as Issued[]
    const passengers = new Set<string>()
    for (const use of [issued, ...others]) {
      const { passengerId } = use.data
      if (passengers.has(passengerId)) continue
      passengers.add(passengerId)
      yield { key: ticketNumber, ...proof(use, { occurrence: ticketNumber, detail: { passengerId } }) }
    }
  }
}
