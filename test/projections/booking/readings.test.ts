// The readings of docs/booking.md, one by one: where the rules could be understood in two ways, this is how they are.
import { describe, expect, it } from 'vitest'
import { booking } from '../../../projections/booking/booking.js'
import { Fold } from '../../../src/engine/fold.js'
import type { JsonObject } from '../../../src/engine/json.js'
import { judgeSubject } from '../../../src/engine/judge-part.js'
import type { Projection } from '../../../src/engine/projection.js'
import {
  adult,
  attempt,
  authorised,
  captured,
  contextOf,
  coupons,
  dispute,
  ended,
  eur,
  failed,
  infant,
  issued,
  judge,
  LATER,
  payment,
  recordedOf,
  refund,
  requested,
  rulesFound,
  type Scene,
  SUBJECT,
  segment,
  type Told,
  ticket,
  time,
} from './history.js'

const paid = [requested(), captured()]
const fine = [...paid, issued()]
const found = (told: readonly Told[], more: Omit<Scene, 'told'> = {}) => rulesFound({ told, ...more })
const amended = (minute: number, fields: JsonObject) => payment('OrderAmended', minute, { orderVersion: 2, ...fields })
const coupon = (minute: number, from: string, to: string) =>
  ticket('CouponStatusChanged', minute, { ticketNumber: '1250000000001', couponNumber: 1, from, to })

describe('the same event twice', () => {
  it('PaymentConfirmed is PaymentCaptured under another name', () => {
    const confirmed = { ...captured(), type: 'PaymentConfirmed' }
    expect(found([requested(), confirmed, issued()])).toEqual([])
    expect(found([...paid, confirmed, issued()])).toEqual(['duplicate-event'])
  })

  it('who recorded it and when is no content', () => {
    const late = issued('p1', { origin: 'REPAIR', issuedAt: time(50), occurredAt: time(50), attemptId: 'a7' })
    expect(found([...fine, late])).toEqual(['duplicate-event'])
  })

  it('a price that only one delivery tells is no difference, another price is', () => {
    const { total, ...withoutTotal } = issued().data
    expect(total).toBeDefined()
    expect(found([...fine, ticket('TicketIssued', 10, withoutTotal)])).toEqual(['duplicate-event'])
    expect(found([...fine, issued('p1', { total: eur(1) })])).toEqual(['conflicting-duplicate'])
  })

  it('a conflicting event that came twice conflicts once', () => {
    const other = captured({ amount: eur(100) })
    const { findings } = judge({ told: [...paid, other, other, issued()] })
    expect(findings.map(({ rule }) => rule).sort()).toEqual(['conflicting-duplicate', 'duplicate-event'])
  })

  it('thousands of contents under one id are one finding', () => {
    const others = Array.from({ length: 3000 }, (_, index) => captured({ amount: eur(index) }))
    const { findings } = judge({ told: [...fine, ...others] })
    expect(findings.map(({ rule }) => rule)).toEqual(['conflicting-duplicate'])
  })

  it('one id in two types is no repetition', () => {
    expect(found([...fine, refund('Requested', 20), refund('Failed', 21)])).toEqual([])
  })

  it('one attempt may fail for its passengers one by one', () => {
    const two = requested({ passengers: [adult('p1'), adult('p2')] })
    const told = [two, captured(), attempt({ passengerIds: ['p1', 'p2'] }), failed(), failed({ passengerIds: ['p2'] })]
    expect(found(told)).toEqual(['paid-not-ticketed'])
  })
})

describe('reviews, seats and coupons: the latest time wins', () => {
  const held = (minute: number) => payment('PaymentReviewHeld', minute, { reason: 'fraud' })
  const cleared = (minute: number) => payment('PaymentReviewCleared', minute, { reason: 'fine' })

  it.each([
    ['a hold that arrives after its clearing', [cleared(7), held(6)], []],
    ['held again', [held(6), cleared(7), held(8)], ['review-hold']],
    ['held and cleared at one time', [held(6), cleared(6)], ['review-hold']],
    ['cleared, never held', [cleared(6)], []],
  ])('%s', (_, events, expected) => {
    expect(found([...paid, ...events, issued()])).toEqual(expected)
  })

  it('a seat is held by its last allocation', () => {
    const seat = (type: string, minute: number) =>
      ticket(type, minute, { passengerId: 'p1', segmentId: 's1', seat: '1A' })
    expect(found([requested(), seat('SeatReleased', 7), seat('SeatAllocated', 6)])).toEqual([])
    expect(found([requested(), seat('SeatReleased', 7), seat('SeatAllocated', 7)])).toEqual([])
    expect(found([requested(), seat('SeatReleased', 7), seat('SeatAllocated', 8)])).toEqual(['seat-without-ticket'])
  })

  it('a coupon is where its last change left it, also where two changes have one time', () => {
    const refunded = [...fine, refund('Succeeded', 19), ended('TicketRefunded')]
    expect(found([...refunded, coupon(21, 'OPEN', 'REFUNDED'), coupon(20, 'FLOWN', 'OPEN')])).toEqual([])
    expect(found([...refunded, coupon(21, 'OPEN', 'SUSPENDED'), coupon(21, 'SUSPENDED', 'REFUNDED')])).toEqual([])
    expect(found([...refunded, coupon(21, 'SUSPENDED', 'REFUNDED'), coupon(21, 'OPEN', 'SUSPENDED')])).toEqual([])
    expect(found([...refunded, coupon(21, 'REFUNDED', 'OPEN')])).toEqual(['refunded-still-open'])
  })

  it('coupon states may be written as people write them', () => {
    expect(
      found([...fine, coupon(20, 'open', 'Airport control'), coupon(21, 'airport-control', 'checked in')]),
    ).toEqual([])
    expect(found([...fine, coupon(20, 'OPEN', 'GONE')])).toEqual(['unknown-event'])
  })
})

describe('the order', () => {
  it('an amendment changes what it names and keeps the rest, whenever it arrives', () => {
    const drift = amended(3, { segments: [segment('s2')] })
    expect(found([requested(), captured(), drift, issued()])).toEqual(['itinerary-drift'])
    expect(found([drift, captured(), requested(), issued()])).toEqual(['itinerary-drift'])
    const second = payment('OrderAmended', 4, { orderVersion: 3, segments: [segment('s1')] })
    expect(found([second, requested(), captured(), drift, issued()])).toEqual([])
  })

  it('a passenger who was added misses a ticket after the grace of the amendment', () => {
    const told = [...fine, amended(100, { passengers: [adult('p1'), adult('p2')] })]
    expect(found(told, { now: 114 })).toEqual([])
    expect(found(told, { now: 115 })).toEqual(['partly-ticketed'])
  })

  it('where all passengers are others now, nothing was issued to any of them', () => {
    const told = [...fine, ended('TicketVoided'), amended(100, { passengers: [adult('p2')] })]
    expect(found(told)).toEqual(['paid-not-ticketed'])
  })

  it('a later amendment opens a cancelled order again', () => {
    const cancelled = payment('OrderCancelled', 20, { orderVersion: 1 })
    expect(found([...fine, cancelled])).toEqual(['cancelled-still-paid'])
    expect(found([...fine, cancelled, amended(30, {})])).toEqual([])
  })

  it('an amendment alone is no order', () => {
    expect(
      found([amended(0, { due: eur(20000), passengers: [adult('p1')], segments: [segment('s1')] }), captured()]),
    ).toEqual(['order-unknown'])
  })
})

describe('money', () => {
  it('nothing captured is not paid, even where nothing is due', () => {
    expect(found([requested({ due: eur(0) })])).toEqual([])
    expect(found([requested({ due: eur(0) }), captured({ amount: eur(0) })])).toEqual(['paid-not-ticketed'])
  })

  it('a reversal takes back the whole capture', () => {
    const reversed = payment('CaptureReversed', 20, { captureId: 'c1', code: 'X' })
    expect(found([...fine, reversed])).toEqual(['ticketed-not-funded'])
    expect(found([...fine, captured({ captureId: 'c2', pspReference: 'psp2' }), reversed])).toEqual([])
  })

  it('succeeded outweighs failed, and lost outweighs won, in any order', () => {
    expect(found([...fine, refund('Succeeded', 20), refund('Failed', 21), ended('TicketVoided')])).toEqual([])
    expect(found([...fine, dispute('Lost', 20), dispute('Opened', 19), dispute('Won', 21)])).toEqual(['dispute'])
    expect(found([...fine, dispute('Won', 20)])).toEqual([])
  })

  it('a capture that was wholly refunded is no duplicate any more', () => {
    const twice = [...fine, captured({ captureId: 'c2', pspReference: 'psp2' })]
    expect(found([...twice, refund('Succeeded', 20, { amount: eur(19999) })])).toEqual([
      'duplicate-payment',
      'overpaid',
    ])
    expect(found([...twice, refund('Succeeded', 20)])).toEqual([])
  })

  it('free = due is asked in the currency of due alone', () => {
    expect(found([...paid, captured({ captureId: 'c2', amount: eur(1, 'USD') })])).toEqual([
      'mixed-currency',
      'paid-not-ticketed',
    ])
  })

  it.each([
    ['due of an earlier version', [amended(1, { due: eur(20000, 'USD'), orderVersion: 0 })]],
    ['authorised', [authorised({ amount: eur(1, 'USD') })]],
    ['refunded', [refund('Failed', 20, { amount: eur(1, 'USD') })]],
    ['disputed', [dispute('Won', 20, { amount: eur(1, 'USD') })]],
  ])('another currency counts wherever it is: %s', (_, events) => {
    expect(found([...fine, ...events])).toContain('mixed-currency')
  })

  it('refunds add up over what is pending and what succeeded', () => {
    const half = (refundId: string, step: string, minor: number) => refund(step, 20, { refundId, amount: eur(minor) })
    const told = [...fine, half('r1', 'Succeeded', 10000), half('r2', 'Requested', 10000)]
    expect(found(told)).not.toContain('impossible-order')
    expect(found([...told, half('r3', 'Requested', 1)])).toContain('impossible-order')
  })

  it('refunds of one capture are not added up across currencies', () => {
    const part = (refundId: string, currency: string) =>
      refund('Succeeded', 20, { refundId, amount: eur(15000, currency) })
    expect(found([...fine, part('r1', 'EUR'), part('r2', 'EUR')])).toContain('impossible-order')
    const mixed = found([...fine, part('r1', 'EUR'), part('r2', 'USD')])
    expect(mixed).not.toContain('impossible-order')
    expect(mixed).toContain('mixed-currency')
  })

  it('an event of another booking, or in the other stream, is told and not folded', () => {
    const foreign = issued('p1', { bookingId: 'b2' })
    expect(found([...paid, foreign])).toEqual(['impossible-order', 'paid-not-ticketed'])
    const astray: Told = { ...issued(), category: 'payment' }
    expect(found([...paid, astray])).toEqual(['impossible-order', 'paid-not-ticketed'])
  })

  it('sums beyond safe integers are added up exactly', () => {
    const huge = Number.MAX_SAFE_INTEGER
    const captures = [1, 2, 3].map((n) => captured({ captureId: `c${n}`, pspReference: `psp${n}`, amount: eur(huge) }))
    const { findings } = judge({ told: [requested({ due: eur(huge) }), ...captures, issued()] })
    const overpaid = findings.find(({ rule }) => rule === 'overpaid')
    expect(overpaid?.detail).toMatchObject({ dueMinor: huge, freeMinor: String(3n * BigInt(huge)) })
  })
})

describe('tickets', () => {
  it('an EMD is no ticket', () => {
    expect(found([...paid, issued('p1', { documentType: 'EMDA' })])).toEqual(['paid-not-ticketed'])
    const emd = issued('p1', { documentType: 'EMDS', ticketNumber: '1250000000002' })
    expect(found([...fine, emd])).toEqual([])
  })

  it('a passenger whose ticket is no longer active is not missing', () => {
    expect(found([...fine, ended('TicketRefunded'), coupon(20, 'OPEN', 'REFUNDED')])).toEqual([])
  })

  it('an infant whose adult is not named is only partly-ticketed', () => {
    const { accompaniedBy, ...alone } = infant('p2', 'p1')
    expect(accompaniedBy).toBe('p1')
    expect(found([requested({ passengers: [adult('p1'), alone] }), captured(), issued()])).toEqual(['partly-ticketed'])
  })

  it.each([
    ['the fare guarantee is over', { fareGuaranteedUntil: time(LATER) }],
    ['the departure is within the margin', { segments: [segment('s2'), segment('s1', time(LATER + 1440))] }],
  ])('it is too late where %s', (_, fields) => {
    expect(found([requested(fields), captured()])).toEqual(['paid-not-ticketed', 'time-limit-passed'])
  })

  it("within a limit's margin nothing else is found", () => {
    expect(found([requested({ ticketingTimeLimit: time(LATER + 1) }), captured()])).toEqual(['paid-not-ticketed'])
  })

  it('a booking that owes no ticket may pass its limits', () => {
    expect(found([requested({ ticketingTimeLimit: time(20) }), captured(), issued()])).toEqual([])
    expect(found([requested({ ticketingTimeLimit: time(20) })])).toEqual([])
  })

  it('a ticket for an order that nobody told of, without payment', () => {
    expect(found([issued()])).toEqual(['ticket-without-payment'])
  })

  it.each([
    ['its own number listed or not', { conjunctionNumbers: ['1250000000002'] }, []],
    ['five documents', { conjunctionNumbers: [2, 3, 4, 5].map((n) => `125000000000${n}`) }, ['conjunction-broken']],
    ['a number that is none', { conjunctionNumbers: ['125000000000X'] }, ['conjunction-broken']],
    ['five coupons', { coupons: coupons('s1', 's1', 's1', 's1', 's1') }, ['conjunction-broken']],
    ['coupon 5', { coupons: [{ couponNumber: 5, segmentId: 's1', status: 'OPEN' }] }, ['conjunction-broken']],
  ])('a conjunction with %s', (_, fields, expected) => {
    expect(found([...paid, issued('p1', fields)])).toEqual(expected)
  })

  it('the tickets of a passenger are held against the itinerary together', () => {
    const order = requested({ segments: [segment('s1'), segment('s2')] })
    const second = issued('p1', { ticketNumber: '1250000000002', coupons: coupons('s2') })
    expect(found([order, captured(), issued()])).toEqual(['itinerary-drift'])
    expect(found([order, captured(), issued(), second])).toEqual([])
  })

  it('two tickets of one passenger for two segments are no duplicates', () => {
    const second = issued('p1', { ticketNumber: '1250000000002' })
    expect(found([...fine, second])).toEqual(['duplicate-ticket'])
    expect(found([...fine, second, ended('TicketVoided')])).toEqual([])
  })
})

describe('attempts', () => {
  const two = [requested({ passengers: [adult('p1'), adult('p2')] }), captured()]

  it('one for two passengers is open for the one who got no ticket', () => {
    const told = [...two, attempt({ passengerIds: ['p1', 'p2'] }), issued()]
    const { findings } = judge({ told })
    expect(findings.filter(({ rule }) => rule === 'attempt-unknown').map(({ occurrence }) => occurrence)).toEqual([
      'p2',
    ])
  })

  it('a ticket from before it answers nothing', () => {
    expect(found([...paid, issued(), attempt()])).toEqual(['attempt-unknown'])
  })

  it('the last failure counts', () => {
    const told = [...paid, attempt(), failed({ retryable: false })]
    const again = [attempt({ attemptId: 'a2' }), failed({ attemptId: 'a2', retryable: true })]
    expect(found(told)).toContain('issue-failed')
    expect(found([...told, ...again])).toEqual(['paid-not-ticketed'])
  })

  it.each([
    ['null', null],
    ['another shape', { tickets: 'many' }],
  ])('an authority that answers %s cannot tell', (_, answer) => {
    expect(found([...paid, attempt()], { lookups: { 'ticket-authority': answer } })).toContain('attempt-unknown')
  })
})

describe('the payment record', () => {
  const record = (fields: JsonObject) => ({
    'payment-record': { capturedMinor: 20000, refundedMinor: 0, currency: 'EUR', ...fields },
  })

  it.each([
    ['another sum captured', fine, record({ capturedMinor: 1 }), true],
    ['another currency', fine, record({ currency: 'USD' }), true],
    ['no record of a captured booking', fine, { 'payment-record': null }, true],
    ['no record where nothing was captured', [requested()], { 'payment-record': null }, false],
    ['another shape', fine, { 'payment-record': { sum: 1 } }, true],
    [
      'captures without the reversed ones',
      [...fine, payment('CaptureReversed', 9, { captureId: 'c1', code: 'X' })],
      record({ capturedMinor: 0 }),
      false,
    ],
  ])('%s', (_, told, lookups, expected) => {
    expect(found(told, { lookups }).includes('payment-record-disagrees')).toBe(expected)
  })
})

describe('one number', () => {
  const other = (fields: JsonObject = {}): Told[] =>
    [requested(), captured(), issued('p1', fields)].map((told) => ({
      ...told,
      subject: 'b2',
      data: { ...told.data, bookingId: 'b2' },
    }))

  it('on two bookings is found on each of them', () => {
    expect(found([...fine, ...other()])).toEqual(['ticket-number-reused'])
    expect(found([...fine, ...other({ ticketNumber: '1250000000002' })])).toEqual([])
  })

  it('counts where only another document of its conjunction names it', () => {
    const conjunct = other({ ticketNumber: '1250000000002', conjunctionNumbers: ['1250000000001'] })
    expect(found([...fine, ...conjunct])).toEqual(['ticket-number-reused'])
  })

  it('may be named by all documents of one conjunction', () => {
    const both = ['1250000000001', '1250000000002']
    const order = requested({ segments: [segment('s1'), segment('s2')] })
    const documents = both.map((ticketNumber, index) =>
      issued('p1', { ticketNumber, conjunctionNumbers: both, coupons: coupons(`s${index + 1}`) }),
    )
    expect(found([order, captured(), ...documents])).toEqual([])
  })

  it('on two passengers of one booking is found as well', () => {
    const told = [requested({ passengers: [adult('p1'), adult('p2')] }), captured(), issued(), issued('p2')]
    expect(found(told)).toEqual([
      'conflicting-duplicate',
      'partly-ticketed',
      'ticket-number-reused',
      'ticket-number-reused',
    ])
    expect(judge({ told }).intents).toEqual([])
  })
})

describe('rules of the engine', () => {
  it('a newer schema, an unknown type and a history with a hole forbid every repair', () => {
    const newer = captured({ captureId: 'c2', schemaVersion: 2 })
    expect(found([...paid, newer])).toEqual(['paid-not-ticketed', 'unknown-event'])
    expect(found([...paid, captured({ captureId: 'c1', schemaVersion: 1 })])).toEqual([
      'duplicate-event',
      'paid-not-ticketed',
    ])
    expect(found([...paid, payment('PaymentForgotten', 9, {})])).toEqual(['paid-not-ticketed', 'unknown-event'])
    expect(judge({ told: [...paid, newer] }).intents).toEqual([])
  })

  it('a stream whose first event is not its first is no whole history', () => {
    const fold = new Fold(booking)
    for (const event of recordedOf(paid)) fold.add({ ...event, revision: event.revision + 1 })
    const folded = fold.subjects.get(SUBJECT)
    const findings = folded ? judgeSubject(folded, booking as Projection, contextOf({ told: paid })) : []
    expect(findings.map(({ rule }) => rule).sort()).toEqual(['history-incomplete', 'paid-not-ticketed'])
  })

  it.each([
    ['a passenger twice', { passengers: [adult('p1'), adult('p1')] }],
    ['a segment twice', { segments: [segment('s1'), segment('s1')] }],
    ['an id that plain data cannot keep', { passengers: [adult('__proto__')] }],
  ])('an order with %s cannot be read', (_, fields) => {
    expect(found([requested(fields)])).toEqual(['unknown-event'])
  })
})

it('ids that objects have by themselves are ids like others', () => {
  const told = [
    requested(),
    captured({ captureId: 'constructor' }),
    refund('Failed', 20, { captureId: 'toString' }),
    issued(),
  ]
  expect(found(told)).toEqual(['impossible-order'])
})

it('a finding that closes and opens again is another one', () => {
  const told = [...paid, refund('Requested', 20, { amount: eur(100) }), refund('Failed', 30, { amount: eur(100) })]
  const idAfter = (count: number) =>
    judge({ told: told.slice(0, count) }).findings.find(({ rule }) => rule === 'paid-not-ticketed')?.id
  expect(idAfter(2)).toBeDefined()
  expect(idAfter(3)).toBeUndefined()
  expect(idAfter(4)).toBeDefined()
  expect(idAfter(4)).not.toBe(idAfter(2))
})
