// What can happen to a booking's payment and its order, step by step. Each step lets time pass first.
import type { BookingScript, Capture } from './booking-script.js'
import { type Amount, DAY_MS, HOUR_MS, MINUTE_MS, type Order } from './order.js'

const SECOND_MS = 1_000

/** `heardAt`: when the log hears of it, where that is later. */
export function request(b: BookingScript, { heardAt = b.at }: { heardAt?: number } = {}): void {
  const { version: orderVersion, ...order } = b.order
  const recordLocator = b.random.chance(0.7) ? { recordLocator: locatorOf(b) } : {}
  b.payment('PaymentRequested', { ...recordLocator, orderVersion, ...order }, { at: heardAt })
}

function locatorOf({ random }: BookingScript): string {
  return Array.from({ length: 6 }, () => 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'[random.between(0, 31)]).join('')
}

/** Returns the payment's id. */
export function authorise(b: BookingScript): string {
  b.wait(20 * SECOND_MS, 3 * MINUTE_MS)
  const paymentId = b.newId('pay')
  b.payment('PaymentAuthorised', { paymentId, amount: b.order.due })
  return paymentId
}

export function endAuthorisation(
  b: BookingScript,
  type: 'AuthorisationExpired' | 'AuthorisationVoided',
  paymentId: string,
): void {
  b.wait(1 * HOUR_MS, 2 * DAY_MS)
  b.payment(type, { paymentId, amount: b.order.due })
}

/** Money is captured: the order's due where nothing else is said. */
export function capture(b: BookingScript, amount: Partial<Amount> = {}): Capture {
  b.wait(30 * SECOND_MS, 15 * MINUTE_MS)
  const captured = { captureId: b.newId('cap'), ...b.order.due, ...amount }
  const { captureId, amountMinor, currency } = captured
  b.payment(b.random.chance(0.2) ? 'PaymentConfirmed' : 'PaymentCaptured', {
    paymentId: b.newId('pay'),
    captureId,
    pspReference: b.newId('psp'),
    amount: { amountMinor, currency },
  })
  b.captures.push(captured)
  noteInRecord(b, { currency, captured: amountMinor })
  return captured
}

/** The external record knows one currency: that of the first capture. */
function noteInRecord(b: BookingScript, by: { currency: string; captured?: number; refunded?: number }): void {
  const { currency } = by
  const record = b.paymentRecord ?? { bookingId: b.subject, capturedMinor: 0, refundedMinor: 0, currency }
  b.paymentRecord = record
  if (record.currency !== currency) return
  b.paymentRecord = {
    ...record,
    capturedMinor: record.capturedMinor + (by.captured ?? 0),
    refundedMinor: record.refundedMinor + (by.refunded ?? 0),
  }
}

/** The whole of what is due, in one capture, with or without an authorisation before. */
export function pay(b: BookingScript): Capture {
  if (b.random.chance(0.6)) authorise(b)
  return capture(b)
}

/** A new order, paid in full. */
export function requestAndPay(b: BookingScript): Capture {
  request(b)
  return pay(b)
}

/** A new order, paid in two parts that add up. */
export function requestAndPayInParts(b: BookingScript): void {
  request(b)
  const { amountMinor } = b.order.due
  const first = b.random.between(1, amountMinor - 1)
  capture(b, { amountMinor: first })
  capture(b, { amountMinor: amountMinor - first })
}

/** A part of an amount: neither nothing nor all of it. */
export function partOf(b: BookingScript, amountMinor: number): number {
  return b.random.between(1, amountMinor - 1)
}

export function failCapture(b: BookingScript): void {
  b.wait(30 * SECOND_MS, 5 * MINUTE_MS)
  b.payment('CaptureFailed', { captureId: b.newId('cap'), code: 'INSUFFICIENT_FUNDS' })
}

export function reverse(b: BookingScript, { captureId, amountMinor, currency }: Capture): void {
  b.wait(1 * HOUR_MS, 1 * DAY_MS)
  b.payment('CaptureReversed', { captureId, code: 'CHARGED_BACK' })
  if (b.captures.some((known) => known.captureId === captureId)) noteInRecord(b, { currency, captured: -amountMinor })
}

export interface Refund {
  readonly refundId: string
  readonly captureId: string
  readonly amount: Amount
}

/** A refund of a capture is asked for: all of it where no amount is given. */
export function requestRefund(b: BookingScript, from: Capture, amountMinor = from.amountMinor): Refund {
  b.wait(1 * HOUR_MS, 3 * DAY_MS)
  const amount = { amountMinor, currency: from.currency }
  const refund = { refundId: b.newId('ref'), captureId: from.captureId, amount }
  b.payment('RefundRequested', refund)
  return refund
}

export function endRefund(b: BookingScript, type: 'RefundSucceeded' | 'RefundFailed', refund: Refund): void {
  b.wait(2 * MINUTE_MS, 1 * DAY_MS)
  b.payment(type, refund)
  if (type === 'RefundSucceeded')
    noteInRecord(b, { currency: refund.amount.currency, refunded: refund.amount.amountMinor })
}

/** A refund asked for and paid out. */
export function refund(b: BookingScript, from: Capture, amountMinor = from.amountMinor): Refund {
  const requested = requestRefund(b, from, amountMinor)
  endRefund(b, 'RefundSucceeded', requested)
  return requested
}

/** A dispute is opened about a capture (all of it where no amount is given), and where an end is given, decided. */
export function dispute(
  b: BookingScript,
  about: Capture,
  { amountMinor = about.amountMinor, end }: { amountMinor?: number; end?: 'DisputeWon' | 'DisputeLost' } = {},
): void {
  b.wait(1 * HOUR_MS, 2 * DAY_MS)
  const { captureId, currency } = about
  const data = { disputeId: b.newId('dis'), captureId, amount: { amountMinor, currency } }
  b.payment('DisputeOpened', data)
  if (!end) return
  b.wait(1 * HOUR_MS, 2 * DAY_MS)
  b.payment(end, data)
}

export function holdForReview(b: BookingScript): void {
  b.wait(1 * SECOND_MS, 5 * MINUTE_MS)
  b.payment('PaymentReviewHeld', { reason: 'velocity check' })
}

export function clearReview(b: BookingScript): void {
  b.wait(10 * MINUTE_MS, 4 * HOUR_MS)
  b.payment('PaymentReviewCleared', { reason: 'customer known' })
}

/** The order changes; what is not given stays as it was, and is left out of the event. */
export function amend(b: BookingScript, changes: Partial<Pick<Order, 'due' | 'passengers' | 'segments'>>): void {
  b.wait(1 * HOUR_MS, 2 * DAY_MS)
  Object.assign(b.order, changes)
  b.order.version += 1
  const reason = b.random.chance(0.5) ? { reason: 'customer request' } : {}
  b.payment('OrderAmended', { orderVersion: b.order.version, ...changes, ...reason })
}

export function cancel(b: BookingScript): void {
  b.wait(1 * HOUR_MS, 2 * DAY_MS)
  b.order.version += 1
  b.payment('OrderCancelled', { orderVersion: b.order.version, reason: 'customer request' })
}
