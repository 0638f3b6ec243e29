// The money of a booking, added up per currency and never across. Sums are bigints: amounts are safe integers, sums of them need not be.
import type { Amount } from './events.js'
import { type Booking, type Fact, type FactData, factOf, factsOf } from './state.js'

export type Capture = Fact<FactData<'PaymentCaptured'>>
export type Refund = Fact<FactData<'RefundRequested'>>
export type Dispute = Fact<FactData<'DisputeOpened'>>

/** What was moved in one currency, in its minor units. */
export interface Sums {
  /** All captures. */
  captured: bigint
  reversed: bigint
  refunded: bigint
  /** Disputes open or lost. */
  disputed: bigint
  /** Refunds requested, without outcome. */
  pending: bigint
}

export interface Money {
  readonly captures: readonly Capture[]
  /** Captures whose money is still there: not reversed, and not wholly refunded. */
  readonly standing: readonly Capture[]
  readonly reversals: readonly Fact<FactData<'CaptureReversed'>>[]
  readonly refunded: readonly Refund[]
  readonly pending: readonly Refund[]
  /** Disputes open or lost, each by the event that opened it where that is known. */
  readonly disputes: readonly Dispute[]
  /** Refunds pending and succeeded by captureId, in the capture's own currency. */
  readonly claimed: ReadonlyMap<string, bigint>
  readonly byCurrency: ReadonlyMap<string, Sums>
}

export function moneyOf(booking: Booking): Money {
  const captures = factsOf(booking, 'PaymentCaptured')
  const reversals = factsOf(booking, 'CaptureReversed')
  const refunded = factsOf(booking, 'RefundSucceeded')
  const pending = factsOf(booking, 'RefundRequested').filter(({ data }) => !isSettled(booking, data.refundId))
  const disputes = disputesOf(booking)
  const isReversed = ({ data }: Capture) => factOf(booking, 'CaptureReversed', data.captureId) !== undefined
  const reversed = captures.filter(isReversed)
  const refundedBy = sumByCapture(booking, refunded)
  return {
    captures,
    standing: captures.filter((capture) => !isReversed(capture) && !isRefunded(capture, refundedBy)),
    reversals,
    refunded,
    pending,
    disputes: disputes.map(({ shown }) => shown),
    claimed: sumByCapture(booking, [...refunded, ...pending]),
    byCurrency: addUp({ captured: captures, reversed, refunded, disputed: disputes.map(({ sum }) => sum), pending }),
  }
}

const NOTHING: Readonly<Sums> = { captured: 0n, reversed: 0n, refunded: 0n, disputed: 0n, pending: 0n }

/** The sums in a currency; zeros where nothing moved in it. */
export function sumsIn({ byCurrency }: Money, currency: string): Readonly<Sums> {
  return byCurrency.get(currency) ?? NOTHING
}

/** What was taken and is not given back. */
export function netOf({ captured, refunded, disputed, reversed }: Sums): bigint {
  return captured - refunded - disputed - reversed
}

/** What is there for tickets: net without what is about to be given back. */
export function freeOf(sums: Sums): bigint {
  return netOf(sums) - sums.pending
}

type Moved = Fact<{ readonly amount: Amount }>

function addUp(moved: Record<keyof Sums, readonly Moved[]>): Map<string, Sums> {
  const byCurrency = new Map<string, Sums>()
  for (const kind of Object.keys(moved) as (keyof Sums)[]) {
    for (const { data } of moved[kind]) {
      const { currency, amountMinor } = data.amount
      const sums = byCurrency.get(currency) ?? { ...NOTHING }
      sums[kind] += BigInt(amountMinor)
      byCurrency.set(currency, sums)
    }
  }
  return byCurrency
}

function isSettled(booking: Booking, refundId: string): boolean {
  return [factOf(booking, 'RefundSucceeded', refundId), factOf(booking, 'RefundFailed', refundId)].some(Boolean)
}

/** Lost outweighs won, whichever came first. Of a lost dispute the loss says how much; it is shown by its opening. */
function disputesOf(booking: Booking): { sum: Dispute; shown: Dispute }[] {
  const lost = factsOf(booking, 'DisputeLost')
  const open = factsOf(booking, 'DisputeOpened').filter(
    ({ data }) => !factOf(booking, 'DisputeWon', data.disputeId) && !factOf(booking, 'DisputeLost', data.disputeId),
  )
  return [
    ...lost.map((sum) => ({ sum, shown: factOf(booking, 'DisputeOpened', sum.data.disputeId) ?? sum })),
    ...open.map((sum) => ({ sum, shown: sum })),
  ]
}

function isRefunded({ data }: Capture, refundedBy: ReadonlyMap<string, bigint>): boolean {
  const refunded = refundedBy.get(data.captureId)
  return refunded !== undefined && refunded >= BigInt(data.amount.amountMinor)
}

/** A refund in another currency than its capture is not compared with it: mixed-currency tells of it. */
function sumByCapture(booking: Booking, refunds: readonly Refund[]): Map<string, bigint> {
  const sums = new Map<string, bigint>()
  for (const { data } of refunds) {
    const capture = factOf(booking, 'PaymentCaptured', data.captureId)
    if (capture?.data.amount.currency !== data.amount.currency) continue
    sums.set(data.captureId, (sums.get(data.captureId) ?? 0n) + BigInt(data.amount.amountMinor))
  }
  return sums
}
