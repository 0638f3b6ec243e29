// For each inconsistency of the ticket stream: a booking that has it, all that is found on it, and near misses, each of which fails
// one condition of the rule and no other.
import {
  adult,
  attempt,
  captured,
  coupons,
  ended,
  failed,
  infant,
  issued,
  LATER,
  requested,
  segment,
  ticket,
} from './history.js'
import { answered, at, changed, plus, without } from './near-miss.js'
import type { Case } from './payment-cases.js'

const paid = [requested(), captured()]
const paidForTwo = [requested({ passengers: [adult('p1'), adult('p2')] }), captured()]
const second = (fields = {}) => issued('p1', { ticketNumber: '1250000000002', ...fields })
const seat = (type: string, minute: number) => ticket(type, minute, { passengerId: 'p1', segmentId: 's1', seat: '12A' })
const tellsOf = (status: string) => ({
  'ticket-authority': { tickets: [{ ticketNumber: '1250000000009', passengerId: 'p1', status }] },
})

export const ticketCases: readonly Case[] = [
  {
    rule: 'partly-ticketed',
    scene: { told: [...paidForTwo, issued()] },
    nearMisses: {
      'the ticket is missing': plus(issued('p2', { ticketNumber: '1250000000002' })),
      'another was issued': without('TicketIssued'),
      'past grace': at(5 + 14),
    },
  },
  {
    rule: 'infant-not-ticketed',
    scene: { told: [requested({ passengers: [adult('p1'), infant('p2', 'p1')] }), captured(), issued()] },
    found: ['infant-not-ticketed', 'partly-ticketed'],
    nearMisses: {
      'an infant': changed('PaymentRequested', 'passengers', [
        adult('p1'),
        { passengerId: 'p2', type: 'CHD', accompaniedBy: 'p1' },
      ]),
      'its ticket is missing': plus(issued('p2', { ticketNumber: '1250000000002' })),
      'its adult is ticketed': without('TicketIssued'),
      'past grace': at(5 + 14),
    },
  },
  {
    rule: 'ticket-event-lost',
    scene: { told: paid, lookups: tellsOf('active') },
    found: ['paid-not-ticketed', 'ticket-event-lost'],
    nearMisses: {
      'the authority has it, active': answered(tellsOf('void')),
      'no TicketIssued has its number': plus(issued('p1', { ticketNumber: '1250000000009' })),
    },
  },
  {
    rule: 'issue-failed',
    scene: { told: [...paid, attempt(), failed({ retryable: false })] },
    found: ['issue-failed', 'paid-not-ticketed'],
    nearMisses: {
      'the last failure is not retryable': changed('TicketIssueFailed', 'retryable', true),
      'no ticket since': plus(issued()),
    },
  },
  {
    rule: 'refunded-still-open',
    scene: { told: [...paid, issued(), ended('TicketRefunded')] },
    nearMisses: {
      refunded: without('TicketRefunded'),
      'a coupon still open': plus(
        ticket('CouponStatusChanged', 20, {
          ticketNumber: '1250000000001',
          couponNumber: 1,
          from: 'OPEN',
          to: 'REFUNDED',
        }),
      ),
    },
  },
  {
    rule: 'exchange-broken',
    scene: {
      told: [
        ...paid,
        issued(),
        ticket('TicketExchanged', 20, { oldTicketNumber: '1250000000001', newTicketNumber: '1250000000002' }),
      ],
    },
    nearMisses: { 'old exchanged, new absent': plus(second()) },
  },
  {
    rule: 'duplicate-ticket',
    scene: { told: [...paid, second(), issued()] },
    nearMisses: {
      'two active tickets share a segment, and are no conjunction': changed('TicketIssued', 'conjunctionNumbers', [
        '1250000000001',
      ]),
    },
  },
  {
    rule: 'ticket-number-malformed',
    scene: { told: [...paid, issued('p1', { ticketNumber: '125000000001' })] },
    nearMisses: {
      active: plus(ended('TicketVoided', { ticketNumber: '125000000001' })),
      'not 13 digits': changed('TicketIssued', 'ticketNumber', '1250000000001'),
    },
  },
  {
    rule: 'conjunction-broken',
    scene: { told: [...paid, issued('p1', { conjunctionNumbers: ['1250000000001', '1250000000003'] })] },
    nearMisses: {
      active: plus(ended('TicketVoided')),
      'a gap, or more than 4 documents or coupons': changed('TicketIssued', 'conjunctionNumbers', [
        '1250000000001',
        '1250000000002',
      ]),
    },
  },
  {
    rule: 'itinerary-drift',
    scene: { told: [...paid, issued('p1', { coupons: coupons('s2') })] },
    nearMisses: {
      ticketed: plus(ended('TicketVoided')),
      'coupon segments differ': changed('PaymentRequested', 'segments', [segment('s2')]),
    },
  },
  {
    rule: 'seat-without-ticket',
    scene: { told: [requested(), seat('SeatAllocated', 6)] },
    nearMisses: { 'seat held': plus(seat('SeatReleased', 7)), 'none active': plus(issued()) },
  },
  {
    rule: 'repair-collision',
    scene: { told: [...paid, second({ origin: 'REPAIR' }), issued()], now: LATER },
    found: ['duplicate-ticket', 'repair-collision'],
    nearMisses: { 'a REPAIR and a LIVE ticket, both active': changed('TicketIssued', 'origin', 'LIVE') },
  },
]
