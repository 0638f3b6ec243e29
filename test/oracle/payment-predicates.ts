// What the oracle asks of payments, where a row of the table needs more than a line.
import { isDeepStrictEqual } from 'node:util'
import { businessIdOf, everyFact, type History } from './booking-events.js'
import type { Case } from './case.js'
import { capturesOf, isReversed, pendingRefunds, succeededRefunds, sum } from './money.js'

export function isPaidTwice({ history, order }: Case): boolean {
  if (order === undefined) return false
  const refunds = succeededRefunds(history)
  const whole = capturesOf(history).filter(
    ({ captureId, amount }) =>
      isDeepStrictEqual(amount, order.due) &&
      !isReversed(history, captureId) &&
      refunds.every((refund) => refund.captureId !== captureId),
  )
  return whole.some((a) => whole.some((b) => a.pspReference !== b.pspReference))
}

export function pairsOfOneId({ facts }: History): { readonly isSameContent: boolean }[] {
  const pairs: { isSameContent: boolean }[] = []
  facts.forEach((a, index) => {
    const id = businessIdOf(a.type, a.data)
    if (id === undefined) return
    for (const b of facts.slice(index + 1)) {
      if (a.type !== b.type || businessIdOf(b.type, b.data) !== id) continue
      pairs.push({ isSameContent: isDeepStrictEqual(contentOf(a.data), contentOf(b.data)) })
    }
  })
  return pairs
}

/** The fields beyond the common ones. */
function contentOf({ occurredAt, bookingId, ...content }: { occurredAt: string; bookingId: string }): object {
  return content
}

/** More is given back than came, or it is given back of money that never came. */
export function isImpossible(history: History): boolean {
  const captures = capturesOf(history)
  const refunds = [...succeededRefunds(history), ...pendingRefunds(history)]
  const isOverRefunded = captures.some(({ captureId, amount }) => {
    const ofThis = refunds.filter((refund) => refund.captureId === captureId)
    return sum(ofThis, amount.currency) > BigInt(amount.amountMinor)
  })
  const named = [
    ...everyFact(history, 'CaptureReversed'),
    ...everyFact(history, 'RefundRequested'),
    ...everyFact(history, 'RefundSucceeded'),
    ...everyFact(history, 'RefundFailed'),
    ...everyFact(history, 'DisputeOpened'),
    ...everyFact(history, 'DisputeWon'),
    ...everyFact(history, 'DisputeLost'),
  ]
  return isOverRefunded || named.some((fact) => captures.every(({ captureId }) => captureId !== fact.captureId))
}
