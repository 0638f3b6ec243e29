// What the product says of a store, in the oracle's form. Asked from outside: the replay with the booking projection, nothing beside it.
import { booking } from '../../projections/booking/booking.js'
import { replay } from '../../src/engine/replay.js'
import type { EventReader } from '../../src/log/event-store.js'
import type { Verdict } from './airline-oracle.js'

/** The product's verdicts by booking; bookings with nothing wrong have none. */
export async function scan(store: EventReader, now: Date): Promise<Map<string, Verdict>> {
  const { findings, compensations } = await replay(store, booking, { now: now.getTime() })
  const verdicts = new Map<string, Verdict>()
  for (const { subject, rule } of findings) {
    const rules = new Set(verdicts.get(subject)?.rules).add(rule)
    verdicts.set(subject, { rules: [...rules].toSorted(), mayBeRepaired: false, repairablePassengers: [] })
  }
  for (const { subject, intents } of compensations) {
    const passengers = intents.map(({ command }) => String(command?.passengerId)).toSorted()
    const rules = verdicts.get(subject)?.rules ?? []
    verdicts.set(subject, { rules, mayBeRepaired: passengers.length > 0, repairablePassengers: passengers })
  }
  return verdicts
}

/** A verdict as a line; undefined reads as a booking with nothing wrong. */
export function formatVerdict(verdict: Verdict | undefined): string {
  const { rules, mayBeRepaired, repairablePassengers } = verdict ?? NOTHING_WRONG
  const repair = mayBeRepaired ? `may be repaired: ${repairablePassengers.toSorted().join(' ')}` : 'not to be repaired'
  return `${rules.toSorted().join(' ')}; ${repair}`
}

const NOTHING_WRONG: Verdict = { rules: [], mayBeRepaired: false, repairablePassengers: [] }
