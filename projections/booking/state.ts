// The state of one booking: the facts that its two streams tell, each kept once under its business id. It is a set: the order in
// which payments arrived leaves no trace, and a second delivery only leaves a note. Plain data throughout.
import type { EventRef } from '../../src/engine/projection.js'
import type { DataOf, FactType } from './events.js'

/** What a fact keeps of its event's data: the rest stands beside it. */
export type FactData<Type extends FactType> = Omit<DataOf<Type>, 'bookingId' | 'occurredAt' | 'schemaVersion'>

/** One event that counts. */
export interface Fact<Data = unknown> {
  readonly event: EventRef
  /** When it happened: its `occurredAt`, in milliseconds since the Unix epoch. */
  readonly at: number
  readonly data: Data
}

/** Facts by event type and business id; a type that never came has no entry. */
export type Facts = { [Type in FactType]?: Record<string, Fact<FactData<Type>>> }

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

/** All facts of a type, in no particular order. */
export function factsOf<Type extends FactType>({ facts }: Booking, type: Type): Fact<FactData<Type>>[] {
  return Object.values(facts[type] ?? {}) as Fact<FactData<Type>>[]
}

/** The fact of a type under a business id. */
export function factOf<Type extends FactType>(
  { facts }: Booking,
  type: Type,
  id: string,
): Fact<FactData<Type>> | undefined {
  const known = facts[type] as Record<string, Fact<FactData<Type>>> | undefined
  return known && Object.hasOwn(known, id) ? known[id] : undefined
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
