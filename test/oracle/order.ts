// The order at its latest version, for the oracle.
import {
  type Amount,
  type Fact,
  factsOf,
  type History,
  type Passenger,
  type Segment,
  timeOf,
} from './booking-events.js'

/** What the customer is owed and owes. Times are milliseconds since the Unix epoch. */
export interface Order {
  readonly due: Amount
  readonly passengers: readonly Passenger[]
  readonly segments: readonly Segment[]
  readonly ticketingTimeLimit: number | undefined
  readonly fareGuaranteedUntil: number | undefined
  readonly isCancelled: boolean
  /** When the latest version was made. */
  readonly since: number
}

/** The order as its highest version says; undefined where no payment was ever requested. */
export function orderOf(history: History): Order | undefined {
  let order: Order | undefined
  for (const version of versionsOf(history)) order = orderAfter(order, version)
  return order
}

type Version =
  | { readonly kind: 'requested'; readonly fact: Fact<'PaymentRequested'> }
  | { readonly kind: 'amended'; readonly fact: Fact<'OrderAmended'> }
  | { readonly kind: 'cancelled'; readonly fact: Fact<'OrderCancelled'> }

/** By version; within one version a request is followed by its amendment and the cancellation has the last word. */
function versionsOf(history: History): Version[] {
  const versions: Version[] = [
    ...factsOf(history, 'PaymentRequested').map((fact) => ({ kind: 'requested', fact }) as const),
    ...factsOf(history, 'OrderAmended').map((fact) => ({ kind: 'amended', fact }) as const),
    ...factsOf(history, 'OrderCancelled').map((fact) => ({ kind: 'cancelled', fact }) as const),
  ]
  return versions.toSorted((a, b) => a.fact.orderVersion - b.fact.orderVersion)
}

function orderAfter(order: Order | undefined, { kind, fact }: Version): Order | undefined {
  if (kind === 'requested') {
    return {
      due: fact.due,
      passengers: fact.passengers,
      segments: fact.segments,
      // A limit that is not said again is not lifted.
      ticketingTimeLimit: momentOf(fact.ticketingTimeLimit) ?? order?.ticketingTimeLimit,
      fareGuaranteedUntil: momentOf(fact.fareGuaranteedUntil) ?? order?.fareGuaranteedUntil,
      isCancelled: false,
      since: timeOf(fact),
    }
  }
  return (
    order && {
      ...order,
      due: fact.due ?? order.due,
      passengers: fact.passengers ?? order.passengers,
      segments: fact.segments ?? order.segments,
      isCancelled: kind === 'cancelled',
      since: timeOf(fact),
    }
  )
}

function momentOf(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Date.parse(time)
}
