// An event on its way through a group, and the consumer that holds it.
import type { Revision } from '../../log/revision.js'
import type { ConsumerState } from './group-steps.js'

/** An event on its way. */
export interface Item<Event> {
  readonly ticket: number
  readonly event: Event
  /** Its number in the source; undefined where it comes from the parked ones. */
  readonly number: number | undefined
  readonly parkedAt: Revision | undefined
  retryCount: number
  consumer: MutableConsumer<Event> | undefined
  deadlineMs: number
}

export interface MutableConsumer<Event> extends ConsumerState {
  held: boolean
  given: number
  inFlightBytes: number
  readonly holds: Set<Item<Event>>
}

/** A consumer is held until it is said to be ready. */
export function newConsumer<Event>(id: string, slots: number): MutableConsumer<Event> {
  const holds = new Set<Item<Event>>()
  return {
    id,
    slots,
    held: true,
    given: 0,
    inFlightBytes: 0,
    holds,
    get inFlight() {
      return holds.size
    },
  }
}

/** Events of the source go in its order; parked ones after them. */
export function comesBefore<Event>(item: Item<Event>, other: Item<Event>): boolean {
  const replayed = item.parkedAt !== undefined
  if (replayed !== (other.parkedAt !== undefined)) return !replayed
  return item.ticket < other.ticket
}
