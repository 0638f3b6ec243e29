// What the live watch asks of a booking: its deadlines, held against judging at any time at all, and what is told of delivery and urgency.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { live } from '../../../projections/booking/live.js'
import type { Booking } from '../../../projections/booking/state.js'
import { canonicalize } from '../../../src/engine/digest.js'
import type { FoldedSubject } from '../../../src/engine/fold.js'
import { seedFor } from '../../controls/seed.js'
import { scene } from './arbitrary-history.js'
import {
  captured,
  issued,
  judge,
  msAt,
  recordedOf,
  requested,
  type Scene,
  segment,
  type Told,
  ticket,
  time,
} from './history.js'

const DAY = 1440
const RUNS = 300

function stateOf(told: readonly Told[]): Booking {
  return (judge({ told }).folded as FoldedSubject<Booking>).state
}

/** Findings with the reasons to wake somebody, as text; minutes may be fractions. */
function saidAt(told: Scene['told'], now: number): string {
  const { findings, folded } = judge({ told, now })
  const context = { now: msAt(now), lookups: {} }
  const pages = findings.map(({ id, rule, occurrence }) =>
    live.page?.((folded as FoldedSubject<Booking>).state, { id, rule, occurrence }, context),
  )
  return canonicalize({ findings, pages: pages.map((page) => page ?? null) })
}

/** Any minute of the histories' first days, or one around a limit or the departure. */
const minutes = fc.oneof(
  fc.integer({ min: -5, max: 150 }),
  fc
    .tuple(fc.constantFrom(10 * DAY, 39 * DAY, 40 * DAY), fc.integer({ min: -130, max: 5 }))
    .map(([day, by]) => day + by),
)

describe('the deadlines of a booking', () => {
  it('are the only moments at which its findings change though nothing happens', () => {
    let changes = 0
    fc.assert(
      fc.property(scene, fc.array(minutes, { minLength: 4, maxLength: 12 }), ({ told }, moments) => {
        const state = judge({ told }).folded?.state
        if (!state) return
        const deadlines = [...live.deadlines(state)]
        const before = -100 * DAY
        for (const moment of moments) {
          const passed = deadlines.filter((deadline) => deadline <= msAt(moment))
          const lastPassed = passed.length === 0 ? before : (Math.max(...passed) - msAt(0)) / 60_000
          expect(saidAt(told, moment)).toBe(saidAt(told, lastPassed))
          if (saidAt(told, moment) !== saidAt(told, before)) changes += 1
        }
      }),
      { seed: seedFor('deadlines of bookings'), numRuns: RUNS },
    )
    process.stdout.write(
      `deadlines of bookings: ${RUNS} histories, ${changes} judgements that time alone had changed\n`,
    )
    expect(changes).toBeGreaterThan(RUNS / 10)
  })

  it('are none once everything is ticketed', () => {
    expect([...live.deadlines(stateOf([requested(), captured(), issued()]))]).toEqual([])
  })

  it('come from the time in the events, not from when they arrived', () => {
    const [grace] = [...live.deadlines(stateOf([requested(), captured()]))]
    expect(grace).toBe(msAt(5 + 15))
  })
})

describe('what is told of delivery', () => {
  it('is the time from the capture to the ticket', () => {
    const told = [requested(), captured(), issued()]
    const [, , ticketEvent] = recordedOf(told)
    expect(live.tookMs?.(stateOf(told), ticketEvent?.id ?? '')).toBe(5 * 60_000)
  })

  it('is nothing for other events, and for a ticket without payment', () => {
    const told = [requested(), issued()]
    const [request, ticketEvent] = recordedOf(told)
    expect(live.tookMs?.(stateOf(told), request?.id ?? '')).toBeUndefined()
    expect(live.tookMs?.(stateOf(told), ticketEvent?.id ?? '')).toBeUndefined()
  })

  it('is when it will be too late: the first limit or departure, less its margin', () => {
    expect(live.lostAt?.(stateOf([requested()]))).toBe(msAt(10 * DAY - 120))
    const soon = requested({ segments: [segment('s1', time(40 * DAY)), segment('s2', time(3 * DAY))] })
    expect(live.lostAt?.(stateOf([soon]))).toBe(msAt(2 * DAY))
    expect(live.lostAt?.(stateOf([captured()]))).toBeUndefined()
  })

  it('is the price of the order as what is at stake', () => {
    expect(live.valueAtStake?.(stateOf([requested()]))).toEqual({ amountMinor: 20_000, currency: 'EUR' })
  })
})

describe('somebody is woken', () => {
  const pageOf = (told: readonly Told[], rule: string, now: number) =>
    live.page?.(stateOf(told), { id: '', rule, occurrence: undefined }, { now: msAt(now), lookups: {} })
  const owed = [requested(), captured()]

  it.each([
    ['not while there is time', 30, undefined],
    ['not a minute before the margin of the limit', 10 * DAY - 121, undefined],
    ['two hours before the limit', 10 * DAY - 120, 'the time limit is near'],
  ])('%s', (_, now, reason) => {
    expect(pageOf(owed, 'paid-not-ticketed', now)).toBe(reason)
  })

  it('a day before the departure', () => {
    const soon = [requested({ segments: [segment('s1', time(2 * DAY))] }), captured()]
    expect(pageOf(soon, 'paid-not-ticketed', DAY - 1)).toBeUndefined()
    expect(pageOf(soon, 'paid-not-ticketed', DAY)).toBe('departure is near')
  })

  it('at once for two tickets of one passenger, never for what is only observed', () => {
    const twice = [...owed, issued(), ticket('SeatAllocated', 11, { passengerId: 'p1', segmentId: 's1', seat: '1A' })]
    expect(pageOf(twice, 'duplicate-ticket', 30)).toBe('duplicate-ticket')
    expect(pageOf(twice, 'repair-collision', 30)).toBe('repair-collision')
    expect(pageOf(twice, 'seat-without-ticket', 10 * DAY)).toBeUndefined()
  })
})
