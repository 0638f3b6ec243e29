// The state of one booking: the facts that its two streams tell, each kept once under its business id. It is a set: the order in
// which payments arrived leaves no trace, and a second delivery only leaves a note. Plain data throughout.
import type { EventRef } from '../../src/engine/projection.js'
import type { DataOf, FactType } from './events.js'

/** What a fact keeps of its event's data: the rest stands beside it. */
export type FactData<Type extends FactType> = Omit<DataOf<Type>, 'bookingId' | 'occurredAt' | 'schemaVersion'>

/** One event that counts. */
export interface Fact<Data = unknown> {
  /** Its business id: what makes it the same fact when it comes again. */
  readonly id: string
  readonly event: EventRef
  /** When it happened: its `occurredAt`, in milliseconds since the Unix epoch. */
  readonly at: number
  readonly data: Data
}

/**
 * Facts by event type, in order of their business ids. Lists, because ids as keys of objects cost several times the memory; a type
 * that never came has none.
 */
export type Facts = { [Type in FactType]?: Fact<FactData<Type>>[] }

/** An event that came again with the same content. */
export interface Repeat {
  readonly type: FactType
  readonly first: EventRef
  readonly again: Fact<null>
}

export interface Booking {
  readonly bookingId: string
  readonly facts: Facts
  /** By `type id`. */
  readonly repeats: Record<string, Repeat>
  /** Events of a business id that is taken by other content, each content once; by `type id`. */
  readonly conflicts: Record<string, Fact<unknown>[]>
  /** Events that name another booking, or stand in the wrong stream; by event id. They are not folded. */
  readonly misplaced: Record<string, Fact<{ readonly type: FactType }>>
}

export function initial(bookingId: string): Booking {
  return { bookingId, facts: {}, repeats: {}, conflicts: {}, misplaced: {} }
}

/** Where a seat of a passenger on a segment is kept. */
export function seatKey(passengerId: string, segmentId: string): string {
  return JSON.stringify([passengerId, segmentId])
}

/** Where the state of a coupon is kept. */
export function couponKey(ticketNumber: string, couponNumber: number): string {
  return `${couponNumber} ${ticketNumber}`
}

/** All facts of a type, in order of their business ids. */
export function factsOf<Type extends FactType>({ facts }: Booking, type: Type): readonly Fact<FactData<Type>>[] {
  return (facts[type] as Fact<FactData<Type>>[] | undefined) ?? []
}

/** The fact of a type under a business id. */
export function factOf<Type extends FactType>(
  booking: Booking,
  type: Type,
  id: string,
): Fact<FactData<Type>> | undefined {
  const facts = factsOf(booking, type)
  const fact = facts[placeOf(facts, id)]
  return fact?.id === id ? fact : undefined
}

/** Keeps a fact in its place, instead of the one that was there under its id. */
export function putFact<Type extends FactType>({ facts }: Booking, type: Type, fact: Fact<FactData<Type>>): void {
  const ofType = (facts[type] ?? []) as Fact<FactData<Type>>[]
  const place = placeOf(ofType, fact.id)
  ofType.splice(place, ofType[place]?.id === fact.id ? 1 : 0, fact)
  Object.assign(facts, { [type]: ofType })
}

/** Where an id stands among facts, or would stand: the first place whose id is not before it. */
function placeOf(facts: readonly Fact[], id: string): number {
  let from = 0
  let to = facts.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((facts[middle] as Fact).id < id) from = middle + 1
    else to = middle
  }
  return from
}

/** Orders facts by when they happened, equal times by event id: the same whichever came first. */
export function compareTimes(a: Fact, b: Fact): number {
  if (a.at !== b.at) return a.at - b.at
  return a.event.id < b.event.id ? -1 : 1
}

/** The latest of some facts. */
export function latestOf<T extends Fact>(facts: Iterable<T>): T | undefined {
  let latest: T | undefined
  for (const fact of facts) if (!latest || compareTimes(fact, latest) > 0) latest = fact
  return latest
}
