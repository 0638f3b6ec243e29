// Events that cannot all be true: more given back than was taken, a capture that nobody knows, an event of another booking.
import { type Booking, type Fact, factOf, factsOf, latestOf } from './state.js'
import { termsOf } from './terms.js'

/** A capture that others name, or a single event, with what is impossible about it. */
export interface Suspect {
  /** The capture's id, or the event's. */
  readonly occurrence: string
  readonly shownBy: Fact
  /** Undefined where all is well. */
  readonly problem: string | undefined
}

type Naming = Fact<{ readonly captureId: string }>

/** Everything that could be impossible. */
export function suspectsOf(booking: Booking): Suspect[] {
  const misplaced = Object.values(booking.misplaced).map((fact) => ({
    occurrence: fact.event.id,
    shownBy: fact,
    problem: 'the event names another booking than its stream, or stands in the wrong stream',
  }))
  const named = [...latestNamings(booking)].map(([captureId, shownBy]) => ({
    occurrence: captureId,
    shownBy,
    problem: problemOf(booking, captureId),
  }))
  return [...misplaced, ...named]
}

/** The latest event that names each capture. */
function latestNamings(booking: Booking): Map<string, Naming> {
  const latest = new Map<string, Naming>()
  for (const naming of namingsOf(booking)) {
    const known = latest.get(naming.data.captureId)
    latest.set(naming.data.captureId, latestOf(known ? [known, naming] : [naming]) as Naming)
  }
  return latest
}

function namingsOf(booking: Booking): Naming[] {
  return [
    ...factsOf(booking, 'CaptureReversed'),
    ...factsOf(booking, 'RefundRequested'),
    ...factsOf(booking, 'RefundSucceeded'),
    ...factsOf(booking, 'RefundFailed'),
    ...factsOf(booking, 'DisputeOpened'),
    ...factsOf(booking, 'DisputeWon'),
    ...factsOf(booking, 'DisputeLost'),
  ]
}

function problemOf(booking: Booking, captureId: string): string | undefined {
  const capture = factOf(booking, 'PaymentCaptured', captureId)
  if (!capture) return 'the capture is unknown'
  const claimed = termsOf(booking).money.claimed.get(captureId) ?? 0n
  return claimed > BigInt(capture.data.amount.amountMinor) ? 'more is refunded than was captured' : undefined
}
