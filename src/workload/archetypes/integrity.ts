// Bookings of which the log does not tell everything: events cut off, and events that cannot be read.
import { type Archetype, found } from '../archetype.js'
import type { BookingScript } from '../booking-script.js'
import * as payment from '../payment-steps.js'
import * as ticket from '../ticket-steps.js'
import { ordinary } from './fine.js'

/** The first event of the payment stream is an authorisation: cutting it off leaves everything else as it is. */
function authoriseRequestAndPay(b: BookingScript): void {
  payment.authorise(b)
  b.wait(1_000, 60_000)
  payment.request(b)
  payment.capture(b)
}

/** Paid and ticketed, and one more event in a stream. */
function ticketedAnd(next: (b: BookingScript) => void): (b: BookingScript) => void {
  return (b) => {
    ordinary(b)
    b.wait(1_000, 3_600_000)
    next(b)
  }
}

/** A refund is asked for, of an amount that is none; the text is JSON. */
function badRefund(amount: string): (b: BookingScript) => void {
  return ticketedAnd((b) => {
    const { captureId } = b.captures[0] ?? {}
    const start = JSON.stringify({
      bookingId: b.subject,
      occurredAt: b.timestamp(),
      refundId: b.newId('ref'),
      captureId,
    })
    b.append('payment', b.at, b.rawEvent('RefundRequested', `${start.slice(0, -1)},"amount":${amount}}`))
  })
}

/** Paid, and a ticket event that lacks what tells whose it is. */
function unreadableTicket(fields: object): (b: BookingScript) => void {
  return (b) => {
    payment.requestAndPay(b)
    b.wait(1_000, 60_000)
    b.ticket('TicketIssued', { ticketNumber: b.newTicketNumber(), ...fields })
  }
}

export const INTEGRITY_ARCHETYPES: readonly Archetype[] = [
  found('payment stream truncated, ticketed', ['history-incomplete'], (b) => {
    authoriseRequestAndPay(b)
    ticket.ticketAll(b)
    b.describe('payment', { $tb: 1 })
  }),
  found('payment stream truncated, never ticketed', ['history-incomplete', 'paid-not-ticketed'], (b) => {
    authoriseRequestAndPay(b)
    b.wait(1_000, 60_000)
    b.describe('payment', { $tb: 1 })
  }),
  found(
    'ticket stream keeps its last events only',
    ['history-incomplete'],
    ticketedAnd((b) => b.describe('ticket', { $maxCount: 100 })),
  ),
  found(
    'payment stream keeps young events only',
    ['history-incomplete'],
    ticketedAnd((b) => {
      b.describe('payment', { $maxAge: 10 * 365 * 86_400 })
    }),
  ),
  found('ticket stream deleted', ['history-incomplete', 'paid-not-ticketed'], (b) => {
    payment.requestAndPay(b)
    ticket.failAttempt(b, { retryable: true })
    b.delete('ticket')
  }),

  found(
    'an unknown event in the payment stream',
    ['unknown-event'],
    ticketedAnd((b) => {
      b.payment('LoyaltyPointsRedeemed', { points: 1_200 })
    }),
  ),
  found(
    'an unknown event in the ticket stream',
    ['unknown-event'],
    ticketedAnd((b) => {
      b.ticket('TicketReissuedByAgent', { agent: 'A7' })
    }),
  ),
  found('an unknown event, never ticketed', ['paid-not-ticketed', 'unknown-event'], (b) => {
    payment.requestAndPay(b)
    b.ticket('TicketHandedOver', { passengerIds: ticket.passengersOf(b) })
  }),
  found('a ticket in a newer schema', ['paid-not-ticketed', 'unknown-event'], (b) => {
    payment.requestAndPay(b)
    b.ticket('TicketIssued', { schemaVersion: 2, documents: ticket.passengersOf(b) })
  }),
  found(
    'a refund in a newer schema',
    ['unknown-event'],
    ticketedAnd((b) => {
      const { captureId, ...amount } = b.captures[0] ?? {}
      b.payment('RefundRequested', { schemaVersion: 2, refundId: b.newId('ref'), captureId, amount })
    }),
  ),
  found('a ticket of nobody', ['paid-not-ticketed', 'unknown-event'], unreadableTicket({ documentType: 'TKT' })),
  found(
    'a ticket event that is no JSON',
    ['unknown-event'],
    ticketedAnd((b) => {
      b.append('ticket', b.at, b.rawEvent('TicketVoided', '{"ticketNumber":'))
    }),
  ),
  found('a refund below zero', ['unknown-event'], badRefund('{"amountMinor":-500,"currency":"EUR"}')),
  found('a refund of a fraction', ['unknown-event'], badRefund('{"amountMinor":10.5,"currency":"EUR"}')),
  found(
    'a refund beyond what numbers can hold',
    ['unknown-event'],
    badRefund('{"amountMinor":9007199254740993,"currency":"EUR"}'),
  ),
  found('a refund in no currency', ['unknown-event'], badRefund('{"amountMinor":500,"currency":"euro"}')),
]
