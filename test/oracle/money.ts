// The fold terms of money, for the oracle: captured, net and free, in one currency at a time and in whole minor units.
import { type Amount, type Fact, factsOf, type History } from './booking-events.js'

type Refund = Fact<'RefundRequested'>
type Dispute = Fact<'DisputeOpened'>

/** All money that was captured, each captureId once; also what was reversed later. */
export function capturesOf(history: History): Fact<'PaymentCaptured'>[] {
  return factsOf(history, 'PaymentCaptured')
}

export function isReversed(history: History, captureId: string): boolean {
  return factsOf(history, 'CaptureReversed').some((reversal) => reversal.captureId === captureId)
}

export function succeededRefunds(history: History): Refund[] {
  return factsOf(history, 'RefundSucceeded')
}

/** Requested, not terminal. */
export function pendingRefunds(history: History): Refund[] {
  const ended = [...factsOf(history, 'RefundSucceeded'), ...factsOf(history, 'RefundFailed')]
  return factsOf(history, 'RefundRequested').filter(({ refundId }) => ended.every((end) => end.refundId !== refundId))
}

/** Disputes that keep the money away: lost, or opened and neither won nor lost. */
export function disputesOpenOrLost(history: History): Dispute[] {
  const lost = factsOf(history, 'DisputeLost')
  const ended = [...lost, ...factsOf(history, 'DisputeWon')]
  const open = factsOf(history, 'DisputeOpened').filter(({ disputeId }) =>
    ended.every((end) => end.disputeId !== disputeId),
  )
  return [...lost, ...open]
}

/** captured - refunds succeeded - disputes open or lost - captures reversed. */
export function netIn(history: History, currency: string): bigint {
  const captures = capturesOf(history)
  const reversed = captures.filter(({ captureId }) => isReversed(history, captureId))
  return (
    sum(captures, currency) -
    sum(succeededRefunds(history), currency) -
    sum(disputesOpenOrLost(history), currency) -
    sum(reversed, currency)
  )
}

/** net - refunds pending. */
export function freeIn(history: History, currency: string): bigint {
  return netIn(history, currency) - sum(pendingRefunds(history), currency)
}

/** Minor units of these amounts in one currency; the others are not looked at. */
export function sum(things: readonly { readonly amount: Amount }[], currency: string): bigint {
  let total = 0n
  for (const { amount } of things) if (amount.currency === currency) total += BigInt(amount.amountMinor)
  return total
}
