// The rule across bookings: a document number belongs to one passenger of one booking, for ever.
import type { KeyUse, RuleHead, SharedKeyRule } from '../../src/engine/projection.js'
import { proof } from './evidence.js'
import { type Booking, type Fact, type FactData, factsOf } from './state.js'

type Issued = Fact<FactData<'TicketIssued'>>

/** The rule under the given head. Two passengers of one booking under one number are found by it as well. */
export function ticketNumberReused(head: RuleHead): SharedKeyRule<Booking> {
  return { ...head, keys: numbersUsed }
}

/**
 * Each number once for each passenger it was issued to, void documents among them: first those that have a document of their own, then
 * those that only another document of the conjunction names.
 */
function* numbersUsed(booking: Booking): Iterable<KeyUse> {
  const all = factsOf(booking, 'TicketIssued').flatMap((issued) => [
    issued,
    ...((booking.conflicts[`TicketIssued ${issued.data.ticketNumber}`] ?? []) as Issued[]),
  ])
  const seen = new Set<string>()
  const once = function* (number: string, use: Issued): Iterable<KeyUse> {
    const { passengerId } = use.data
    const pair = JSON.stringify([number, passengerId])
    if (seen.has(pair)) return
    seen.add(pair)
    yield { key: number, ...proof(use, { occurrence: number, detail: { passengerId } }) }
  }
  for (const use of all) yield* once(use.data.ticketNumber, use)
  for (const use of all) for (const number of use.data.conjunctionNumbers ?? []) yield* once(number, use)
}
