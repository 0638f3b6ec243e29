// An archetype: one way in which a booking can go, with what a scan must find on it. The tables of them (archetypes/) are the
// generator's whole knowledge of right and wrong.
import type { BookingScript } from './booking-script.js'
import type { Expectation, LookupName, Outline } from './operation.js'
import type { Shape } from './order.js'
import type { RuleId } from './rule-ids.js'

export interface Archetype {
  /** A sentence for people; unique. */
  readonly name: string
  readonly shape: Shape
  readonly rules: readonly RuleId[]
  readonly repairable: boolean
  /** What is found instead where this lookup is configured. */
  readonly withLookup?: { readonly lookup: LookupName; readonly rules: readonly RuleId[]; readonly repairable: boolean }
  /** It takes two bookings, one after the other, of this same archetype. */
  readonly isPair?: boolean
  readonly play: (b: BookingScript) => void
}

type Play = Archetype['play']

/** Nothing is to be found, however much it may look like it. */
export function fine(name: string, play: Play, shape: Shape = {}): Archetype {
  return { name, shape, rules: [], repairable: false, play }
}

/** These rules, and nothing that a machine may repair. */
export function found(name: string, rules: readonly RuleId[], play: Play, shape: Shape = {}): Archetype {
  return { name, shape, rules, repairable: false, play }
}

/** These rules, and a machine may give a ticket to all passengers who never had one. */
export function owed(name: string, rules: readonly RuleId[], play: Play, shape: Shape = {}): Archetype {
  return { name, shape, rules, repairable: true, play }
}

/** An archetype that a lookup shows in another light. */
export function asked(
  archetype: Archetype,
  lookup: LookupName,
  rules: readonly RuleId[],
  { repairable = false }: { repairable?: boolean } = {},
): Archetype {
  return { ...archetype, withLookup: { lookup, rules, repairable } }
}

/** What is expected of a booking that has been played through. */
export function outlineOf(archetype: Archetype, b: BookingScript): Outline {
  const { name, withLookup } = archetype
  const { subject, knownTickets, paymentRecord } = b
  return {
    subject,
    archetype: name,
    expected: expectationOf(archetype, b),
    ...(withLookup && { withLookup: { lookup: withLookup.lookup, ...expectationOf(withLookup, b) } }),
    knownTickets,
    paymentRecord,
  }
}

function expectationOf(
  { rules, repairable }: { rules: readonly RuleId[]; repairable: boolean },
  b: BookingScript,
): Expectation {
  return { rules: [...rules].sort(), repairable, missingPassengers: repairable ? b.neverTicketed() : [] }
}
