// Compensations: one intent a passenger, none unless every guard holds; what settles them answers the findings and raises none.
import { describe, expect, it } from 'vitest'
import { allGuardsHold, GUARDS, isAttemptInFlight } from '../../../projections/booking/guards.js'
import { policy } from '../../../projections/booking/policy.js'
import { settlement } from '../../../projections/booking/settlement.js'
import type { Booking } from '../../../projections/booking/state.js'
import { termsOf } from '../../../projections/booking/terms.js'
import type { Intent } from '../../../src/engine/projection.js'
import {
  adult,
  attempt,
  captured,
  contextOf,
  dispute,
  eur,
  failed,
  infant,
  issued,
  judge,
  LATER,
  msAt,
  payment,
  refund,
  requested,
  rulesFound,
  type Scene,
  SUBJECT,
  segment,
  time,
} from './history.js'
import { answered, at, type Change, changed, plus } from './near-miss.js'

const family: Scene = {
  told: [requested({ passengers: [adult('p1'), adult('p2'), infant('p3', 'p1')] }), captured()],
}
const minutes = (ms: number) => ms / 60_000
const record = (capturedMinor: number) => ({
  'payment-record': { capturedMinor, refundedMinor: 0, currency: 'EUR' },
})

describe('guards', () => {
  it('all hold on a booking that is simply paid and not ticketed', () => {
    expect(guardsFailing(family)).toEqual([])
    expect(judge(family).intents).toHaveLength(3)
  })

  const limit = LATER + minutes(policy.limitMarginMs)
  const departure = LATER + minutes(policy.departureMarginMs)
  const spoilers: Record<string, Change> = {
    'free = due in one currency': changed('PaymentCaptured', 'amount', eur(20001)),
    'the order is open at its current version': plus(payment('OrderCancelled', 6, { orderVersion: 1 })),
    'no dispute is open or lost': plus(dispute('Lost', 6, { amount: eur(0) })),
    'no review hold': plus(payment('PaymentReviewHeld', 6, { reason: 'fraud' })),
    'no refund is pending': plus(refund('Requested', 6, { amount: eur(0) })),
    'before the ticketing time limit, with a margin': changed('PaymentRequested', 'ticketingTimeLimit', time(limit)),
    'before the end of the fare guarantee, with a margin': changed(
      'PaymentRequested',
      'fareGuaranteedUntil',
      time(limit),
    ),
    'before the first departure, with a margin': changed('PaymentRequested', 'segments', [
      segment('s2'),
      segment('s1', time(departure)),
    ]),
    'no travel is in progress': plus(
      issued('p1', { coupons: [{ couponNumber: 1, segmentId: 's1', status: 'CHECKED_IN' }] }),
    ),
    'past the grace period': at(5 + minutes(policy.gracePeriodMs) - 1),
    'the payment record agrees, where one is configured': answered(record(19999)),
    'the ticket authority can tell, where one is configured': answered({ 'ticket-authority': null }),
  }

  it.each(Object.keys(GUARDS))('only this fails, and nothing is repaired: %s', (guard) => {
    const scene = spoilers[guard]?.(family) as Scene
    expect(guardsFailing(scene)).toEqual([guard])
    expect(judge(scene).intents).toEqual([])
    expect(allGuardsHold(bookingOf(scene), contextOf(scene))).toBe(false)
  })

  it('hold at the very edge of each margin', () => {
    const fields = {
      ticketingTimeLimit: time(limit + 1),
      fareGuaranteedUntil: time(limit + 1),
      segments: [segment('s1', time(departure + 1))],
    }
    expect(guardsFailing({ told: [requested(fields), captured()] })).toEqual([])
    expect(guardsFailing({ told: family.told, now: 5 + minutes(policy.gracePeriodMs) })).toEqual([])
    expect(
      guardsFailing({ told: family.told, lookups: { ...record(20000), 'ticket-authority': { tickets: [] } } }),
    ).toEqual([])
  })

  it('a second currency alone keeps the machine away', () => {
    const scene = { told: [...family.told, captured({ captureId: 'c2', amount: eur(0, 'USD') })] }
    expect(guardsFailing(scene)).toEqual(['free = due in one currency'])
  })

  it('an order without limits has none to be before', () => {
    const { told } = family
    const { ticketingTimeLimit, fareGuaranteedUntil, ...data } = told[0]?.data ?? {}
    expect(ticketingTimeLimit).toBe(fareGuaranteedUntil)
    expect(guardsFailing({ told: told.with(0, payment('PaymentRequested', 0, data)) })).toEqual([])
  })
})

describe('an attempt in flight', () => {
  const live = attempt({ occurredAt: time(LATER - 9), passengerIds: ['p2'] })

  it('holds the whole booking, whomever it names, and is told as under way', () => {
    const scene = { ...family, told: [...family.told, live] }
    expect(judge(scene).intents).toEqual([])
    for (const intent of judge(family).intents) {
      expect(settlement.isUnderWay(bookingOf(scene), intent, contextOf(scene))).toBe(true)
      expect(settlement.isUnderWay(bookingOf(family), intent, contextOf(family))).toBe(false)
    }
  })

  it('past its time-out is a case for a person, unless the authority can tell', () => {
    const scene = { ...family, told: [...family.told, live], now: LATER + 1 }
    expect(rulesFound(scene)).toContain('attempt-unknown')
    expect(judge(scene).intents).toEqual([])
    const told = { ...scene, lookups: { 'ticket-authority': { tickets: [] } } }
    expect(passengersOf(judge(told).intents)).toEqual(['p1', 'p2', 'p3'])
  })

  it('of a repair holds nobody as long as its work is the same, and is taken up again after any time', () => {
    const [first] = judge(family).intents as [Intent]
    const claim = settlement.claim(first, { id: 'try-1', key: 'key-1', at: time(LATER) })
    const scene = { ...family, told: [...family.told, { ...claim, category: 'ticket' as const }], now: LATER + 60 }
    expect(judge(scene).intents).toEqual(judge({ ...family, now: LATER + 60 }).intents)
    expect(rulesFound(scene)).toEqual(['paid-not-ticketed'])
  })

  it('of a repair that can no longer be taken up is a case for a person', () => {
    const [first] = judge(family).intents as [Intent]
    const claim = settlement.claim(first, { id: 'try-1', key: 'key-1', at: time(LATER) })
    const told = [...family.told, { ...claim, category: 'ticket' as const }, refund('Succeeded', LATER)]
    expect(rulesFound({ told, now: LATER + 60 })).toEqual(['attempt-unknown'])
  })

  it("of a repair for other work holds like anybody else's", () => {
    const other = attempt({ occurredAt: time(LATER), origin: 'REPAIR', occurrence: '["p1","TKT",7]' })
    expect(judge({ ...family, told: [...family.told, other] }).intents).toEqual([])
  })
})

describe('intents', () => {
  it('one a passenger, answering all that the ticket makes good', () => {
    const scene = { told: [...family.told, issued()] }
    const { findings, intents } = judge(scene)
    const named = (answers: readonly string[]) =>
      findings.filter(({ id }) => answers.includes(id)).map(({ rule, occurrence }) => `${rule} ${occurrence}`)
    expect(intents.map(({ answers }) => named(answers).sort())).toEqual([
      ['partly-ticketed p2'],
      ['infant-not-ticketed p3', 'partly-ticketed p3'],
    ])
  })

  it('say what is asked for, and nothing that depends on the time of asking', () => {
    const [first] = judge(family).intents
    expect(first).toMatchObject({
      occurrence: '["p1","TKT",0]',
      category: 'ticket',
      command: { bookingId: SUBJECT, passengerId: 'p1', documentType: 'TKT', orderVersion: 1, due: eur(20000) },
    })
    expect(judge({ ...family, now: LATER + 100 }).intents).toEqual(judge(family).intents)
  })

  it('bear the whole of due between them', () => {
    const values = judge(family).intents.map(({ value }) => value)
    expect(values).toEqual([eur(6668), eur(6666), eur(6666)])
  })

  it('are other work once an attempt has failed for good, for the passengers it named', () => {
    const ended = failed({ passengerIds: ['p2'], retryable: false })
    const busy = failed({ attemptId: 'a2', passengerIds: ['p2', 'p3'] })
    const told = [...family.told, attempt({ passengerIds: ['p1', 'p2'] }), ended, busy]
    const lookups = { 'ticket-authority': { tickets: [] } }
    const occurrences = judge({ told, lookups }).intents.map(({ occurrence }) => occurrence)
    expect(occurrences).toEqual(['["p1","TKT",0]', '["p2","TKT",1]', '["p3","TKT",0]'])
  })

  it('are the same work after a failure that may be tried again', () => {
    const told = [...family.told, failed({ attemptId: 'a1' }), failed({ attemptId: 'a2' })]
    expect(judge({ told }).intents.map(({ occurrence }) => occurrence)).toEqual(
      judge(family).intents.map(({ occurrence }) => occurrence),
    )
  })

  it('of a half repaired family keep their work', () => {
    const before = judge(family).intents
    const after = judge({ told: [...family.told, issued()] }).intents
    expect(after.map(({ occurrence }) => occurrence)).toEqual(before.slice(1).map(({ occurrence }) => occurrence))
    expect(after.map(({ command }) => command)).toEqual(before.slice(1).map(({ command }) => command))
  })

  it('answer a lost ticket of a missing passenger, and leave that of a stranger', () => {
    const tickets = ['p1', 'p9'].map((passengerId, index) => ({
      ticketNumber: `125000000000${index}`,
      passengerId,
      status: 'active',
    }))
    const { findings, intents } = judge({
      told: [requested(), captured()],
      lookups: { 'ticket-authority': { tickets } },
    })
    const lost = findings.filter(({ rule }) => rule === 'ticket-event-lost')
    expect(lost).toHaveLength(2)
    const own = lost.find(({ occurrence }) => occurrence === '1250000000000')
    const stranger = lost.find(({ occurrence }) => occurrence === '1250000000001')
    expect(intents).toHaveLength(1)
    expect(intents[0]?.answers).toContain(own?.id)
    expect(intents[0]?.answers).not.toContain(stranger?.id)
  })
})

function guardsFailing(scene: Scene): string[] {
  const booking = bookingOf(scene)
  return Object.entries(GUARDS)
    .filter(([, holds]) => !holds(termsOf(booking), contextOf(scene), booking))
    .map(([name]) => name)
}

function bookingOf(scene: Scene): Booking {
  return judge(scene).folded?.state as Booking
}

function passengersOf(intents: readonly Intent[]): unknown[] {
  return intents.map(({ command }) => command?.passengerId)
}

it('an attempt is in flight until its time-out, and no longer', () => {
  const scene = { told: [...family.told, attempt()] }
  const untilMs = msAt(8) + policy.attemptTimeoutMs
  const inFlight = (now: number) => isAttemptInFlight(bookingOf(scene), { now, lookups: {} })
  expect([inFlight(untilMs - 1), inFlight(untilMs)]).toEqual([true, false])
})
