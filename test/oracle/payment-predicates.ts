// What the oracle asks of payments, where a row of the table needs more than a line.
import { isDeepStrictEqual } from 'node:util'
import { type Amount, businessIdOf, type Fact, factsOf, type History } from './booking-events.js'
import type { Case } from './case.js'
import { capturesOf, isReversed, pendingRefunds, succeededRefunds, sum } from './money.js'

export function isPaidTwice({ history, order }: Case): boolean {
  if (order === undefined) return false
  const refunds = succeededRefunds(history)
  const whole = capturesOf(history).filter(
    ({ captureId, amount }) =>
      isDeepStrictEqual(amount, order.due) &&
      !isReversed(history, captureId) &&
      !isWhollyRefunded({ captureId, amount }, refunds),
  )
  return whole.some((a) => whole.some((b) => a.pspReference !== b.pspReference))
}

function isWhollyRefunded(
  { captureId, amount }: { captureId: string; amount: Amount },
  refunds: readonly Fact<'RefundSucceeded'>[],
): boolean {
  const ofThis = refunds.filter((refund) => refund.captureId === captureId)
  return ofThis.length > 0 && sum(ofThis, amount.currency) >= BigInt(amount.amountMinor)
}

export function pairsOfOneId({ facts }: History): { readonly isSameContent: boolean }[] {
  const pairs: { isSameContent: boolean }[] = []
  facts.forEach((a, index) => {
    const id = businessIdOf(a.type, a.data)
    if (id === undefined) return
    for (const b of facts.slice(index + 1)) {
      if (a.type !== b.type || businessIdOf(b.type, b.data) !== id) continue
      pairs.push({ isSameContent: isSameContent(a.data, b.data) })
    }
  })
  return pairs
}

/** Who recorded it and when is not what happened; nor is a price that only one of two knows. */
function isSameContent(a: object, b: object): boolean {
  const isPriced = 'total' in a && 'total' in b
  return isDeepStrictEqual(contentOf(a, isPriced), contentOf(b, isPriced))
}

const ASIDE = ['bookingId', 'occurredAt', 'schemaVersion', 'place', 'origin', 'issuedAt', 'occurrence']

function contentOf(fact: object, isPriced: boolean): object {
  const entries = Object.entries(fact).filter(([field]) => !ASIDE.includes(field) && (isPriced || field !== 'total'))
  return Object.fromEntries(entries)
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
    ...factsOf(history, 'CaptureReversed'),
    ...factsOf(history, 'RefundRequested'),
    ...factsOf(history, 'RefundSucceeded'),
    ...factsOf(history, 'RefundFailed'),
    ...factsOf(history, 'DisputeOpened'),
    ...factsOf(history, 'DisputeWon'),
    ...factsOf(history, 'DisputeLost'),
  ]
  return isOverRefunded || named.some((fact) => captures.every(({ captureId }) => captureId !== fact.captureId))
}
