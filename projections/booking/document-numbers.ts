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
function numbersUsed(booking: Booking): KeyUse[] {
  const all = factsOf(booking, 'TicketIssued').flatMap((issued) => [issued, ...conflictsOf(booking, issued)])
  const seen = new Set<string>()
  const uses: KeyUse[] = []
  const note = (number: string, use: Issued) => {
    const { passengerId } = use.data
    // With the length in front no two pairs are one text.
    const pair = `${number.length} ${number} ${passengerId}`
    if (seen.has(pair)) return
    seen.add(pair)
    uses.push({ key: number, ...proof(use, { occurrence: number, detail: { passengerId } }) })
  }
  for (const use of all) note(use.data.ticketNumber, use)
  for (const use of all) for (const number of use.data.conjunctionNumbers ?? []) note(number, use)
  return uses
}

function conflictsOf({ conflicts }: Booking, { data }: Issued): Issued[] {
  // Of most bookings there are none.
  if (Object.keys(conflicts).length === 0) return []
  return (conflicts[`TicketIssued ${data.ticketNumber}`] ?? []) as Issued[]
}
