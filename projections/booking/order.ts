// What was ordered, as it now stands: all versions of the order laid over each other in ascending number, whenever they came.
import type { Amount, Passenger, Segment } from './events.js'
import { type Booking, type Fact, type FactData, factsOf, latestOf } from './state.js'

export interface Order {
  readonly version: number
  readonly due: Amount
  readonly passengers: readonly Passenger[]
  readonly segments: readonly Segment[]
  /** RFC 3339, as the order says them; undefined where it sets none. */
  readonly ticketingTimeLimit: string | undefined
  readonly fareGuaranteedUntil: string | undefined
  /** The event of the latest version. */
  readonly setBy: Fact
  /** The cancellation of this version, or of a later one that is not there. */
  readonly cancelledBy: Fact | undefined
}

type Version = Fact<FactData<'PaymentRequested'>> | Fact<FactData<'OrderAmended'>>

/** The order; undefined where no PaymentRequested is known, whatever amendments say. */
export function orderOf(booking: Booking): Order | undefined {
  const requests = factsOf(booking, 'PaymentRequested')
  if (requests.length === 0) return undefined
  const versions: Version[] = [...requests, ...factsOf(booking, 'OrderAmended')]
  // The sort is stable: an amendment is laid over a request of the same version.
  if (versions.length > 1) versions.sort((a, b) => a.data.orderVersion - b.data.orderVersion)
  const setBy = versions.at(-1) as Version
  const version = setBy.data.orderVersion
  const cancellations = factsOf(booking, 'OrderCancelled').filter(({ data }) => data.orderVersion >= version)
  return { ...layOver(versions), version, setBy, cancelledBy: latestOf(cancellations) }
}

type Terms = Omit<Order, 'version' | 'setBy' | 'cancelledBy'>

function layOver(versions: readonly Version[]): Terms {
  const fields: (keyof Terms)[] = ['due', 'passengers', 'segments', 'ticketingTimeLimit', 'fareGuaranteedUntil']
  const [only] = versions
  if (only && versions.length === 1) return termsIn(only.data as FactData<'PaymentRequested'>)
  const terms: Record<string, unknown> = {}
  for (const { data } of versions) {
    for (const field of fields) {
      const value = (data as Partial<Terms>)[field]
      if (value !== undefined) terms[field] = value
    }
  }
  // Among the versions is a request, which has every field that a version must have.
  return terms as unknown as Terms
}

function termsIn(request: FactData<'PaymentRequested'>): Terms {
  const { due, passengers, segments, ticketingTimeLimit, fareGuaranteedUntil } = request
  return { due, passengers, segments, ticketingTimeLimit, fareGuaranteedUntil }
}

/** Whether the order can be served: known, and not cancelled at its latest version. */
export function isOpen(order: Order | undefined): order is Order {
  return order !== undefined && order.cancelledBy === undefined
}
