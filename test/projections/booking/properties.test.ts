// What holds for every history: payments are a set, a second delivery changes nothing, broken amounts are findings, a never-rule keeps the
// machine away, and a settled intent removes what it answers. Each run prints how often each rule was found.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { booking } from '../../../projections/booking/booking.js'
import { evolve } from '../../../projections/booking/evolve.js'
import { settlement } from '../../../projections/booking/settlement.js'
import { type Booking, initial } from '../../../projections/booking/state.js'
import { decode } from '../../../src/engine/decode.js'
import type { Finding } from '../../../src/engine/finding.js'
import type { JsonObject, JsonValue } from '../../../src/engine/json.js'
import type { Intent, Projection } from '../../../src/engine/projection.js'
import type { RecordedEvent } from '../../../src/log/event.js'
import { seedFor } from '../../controls/seed.js'
import { history, paymentEvent, present, scene, ticketEvent } from './arbitrary-history.js'
import {
  adult,
  authorised,
  captured,
  dispute,
  eur,
  infant,
  issued,
  judge,
  LATER,
  recordedOf,
  refund,
  requested,
  rulesFound,
  SUBJECT,
  segment,
  type Told,
  time,
} from './history.js'

const RUNS = 1000

/** Checks a property under a printed seed, and prints how often each rule was found meanwhile. */
function check<T>(name: string, arbitrary: fc.Arbitrary<T>, holds: (value: T, fired: Fired) => void): void {
  const fired = new Fired()
  fc.assert(
    fc.property(arbitrary, (value) => holds(value, fired)),
    { seed: seedFor(name), numRuns: RUNS },
  )
  process.stdout.write(`${name}: found ${fired}\n`)
}

/** How often each rule was found. */
class Fired {
  readonly counts = new Map<string, number>()

  note(findings: readonly Finding[]): void {
    for (const rule of new Set(findings.map((finding) => finding.rule))) {
      this.counts.set(rule, (this.counts.get(rule) ?? 0) + 1)
    }
  }

  toString(): string {
    return [...this.counts]
      .sort((a, b) => b[1] - a[1])
      .map(([rule, count]) => `${rule} ${count}`)
      .join(', ')
  }
}

describe('every history', () => {
  it('is judged without a crash, and finds every rule there is now and then', () => {
    const all = new Fired()
    check('any history', scene, (value, fired) => {
      const { findings } = judge(value)
      fired.note(findings)
      all.note(findings)
      for (const { evidence } of findings) expect(evidence.events.length).toBeGreaterThan(0)
    })
    expect(booking.rules.filter(({ id }) => !all.counts.has(id)).map(({ id }) => id)).toEqual([])
  })

  it('with a finding that says never or is for a person has no compensation', () => {
    const paidScene = scene.map((value) => ({ ...value, told: [requested(), captured(), ...value.told.slice(-2)] }))
    let repaired = 0
    check('never means no repair', paidScene, (value, fired) => {
      const { findings, intents } = judge(value)
      fired.note(findings)
      if (findings.some(({ disposition }) => disposition === 'never' || disposition === 'person'))
        expect(intents).toEqual([])
      repaired += intents.length
    })
    expect(repaired).toBeGreaterThan(0)
  })
})

describe('a state', () => {
  it('is the same whichever way independent events arrive', () => {
    const shuffles = fc
      .uniqueArray(fc.oneof(paymentEvent, ticketEvent), { maxLength: 12, selector: placeOf })
      .chain((told) => {
        const events = recordedOf([requested(), ...told])
        return fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: events.length }))
      })
    check('permuted', shuffles, ([inOrder, permuted]) => {
      expect(fold(permuted)).toEqual(fold(inOrder))
    })
  })

  it('of payments alone leads to the same findings in any order of arrival', () => {
    const shuffles = fc
      .uniqueArray(paymentEvent, { maxLength: 10, selector: placeOf })
      .chain((told) => fc.tuple(fc.constant(told), fc.shuffledSubarray(told, { minLength: told.length }), present))
    check('payments permuted', shuffles, ([told, permuted, now], fired) => {
      const { findings } = judge({ told: [requested(), ...told], now })
      fired.note(findings)
      expect(rulesFound({ told: [requested(), ...permuted], now })).toEqual(findings.map(({ rule }) => rule).sort())
    })
  })

  it('is changed by nothing that comes a second time, but for the note of it', () => {
    const twice = history
      .filter((told) => told.length > 0)
      .chain((told) => fc.tuple(fc.constant(told), fc.subarray(told, { minLength: 1 })))
    check('delivered twice', twice, ([told, again], fired) => {
      const once = judge({ told })
      const both = judge({ told: [...told, ...again] })
      fired.note(both.findings)
      const facts = ({ folded }: typeof once) => [folded?.state.facts, folded?.state.conflicts, folded?.state.misplaced]
      expect(facts(both)).toEqual(facts(once))
      expect(idsBut('duplicate-event', both.findings)).toEqual(idsBut('duplicate-event', once.findings))
    })
  })

  it('is plain data: it comes back from JSON as it went', () => {
    check('plain data', history, (told) => {
      const state = fold(recordedOf(told))
      expect(JSON.parse(JSON.stringify(state))).toEqual(state)
    })
  })
})

describe('an amount that is none', () => {
  const broken = fc.constantFrom<JsonValue>(-1, 0.5, 2 ** 53, -(2 ** 53), 1e300, '20000', null, true)
  const noCurrency = fc.constantFrom<JsonValue>('eur', 'EURO', '', 'E1R', 978, null)
  const amount = fc.oneof(
    broken.map((minor) => eur(minor)),
    noCurrency.map((currency) => ({ amountMinor: 20000, currency })),
    fc.constantFrom<JsonValue>(20000, null, 'EUR 200', []),
  )
  const places = fc.constantFrom<(amount: JsonValue) => Told>(
    (due) => requested({ due }),
    (value) => authorised({ amount: value }),
    (value) => captured({ amount: value }),
    (value) => refund('Succeeded', 20, { amount: value }),
    (value) => dispute('Opened', 20, { amount: value }),
    (total) => issued('p1', { total, ticketNumber: '1250000000009' }),
  )

  it('is a finding that keeps the machine away, wherever it stands', () => {
    check('broken amounts', fc.tuple(places, amount), ([place, value], fired) => {
      const { findings, intents } = judge({ told: [requested({ orderVersion: 0 }), captured(), place(value)] })
      fired.note(findings)
      expect(findings.map(({ rule }) => rule)).toContain('unknown-event')
      expect(intents).toEqual([])
    })
  })

  it('in another currency is mixed-currency, wherever it stands in the payment stream', () => {
    const currency = fc.constantFrom('USD', 'JPY', 'XXX')
    const paymentPlaces = places.filter((place) => place(eur(1)).category === 'payment')
    check('other currencies', fc.tuple(paymentPlaces, currency, fc.nat()), ([place, other, minor], fired) => {
      const told = [requested({ orderVersion: 0 }), captured({ captureId: 'c2' }), place(eur(minor, other))]
      const { findings, intents } = judge({ told })
      fired.note(findings)
      expect(findings.map(({ rule }) => rule)).toContain('mixed-currency')
      expect(intents).toEqual([])
    })
  })
})

describe('settling', () => {
  it('all intents of a booking removes exactly the findings they answer, and raises none', () => {
    const families = fc.record({
      size: fc.integer({ min: 1, max: 4 }),
      infants: fc.integer({ min: 0, max: 2 }),
      legs: fc.integer({ min: 1, max: 9 }),
      ticketed: fc.integer({ min: 0, max: 2 }),
      twice: fc.boolean(),
    })
    check('settled', families, (family, fired) => {
      const told = familyOf(family)
      const before = judge({ told })
      fired.note(before.findings)
      expect(before.intents.length).toBe(
        Math.max(0, family.size + Math.min(family.infants, family.size) - family.ticketed),
      )
      const after = judge({ told: [...told, ...before.intents.flatMap((intent, index) => settled(intent, index))] })
      const answered = new Set(before.intents.flatMap(({ answers }) => answers))
      const left = before.findings.filter(({ id }) => !answered.has(id))
      expect(after.findings.map(({ id }) => id)).toEqual(left.map(({ id }) => id))
      expect(after.intents).toEqual([])
    })
  })
})

/** Under which type and id an event is kept: two of one place are not independent. */
function placeOf({ type, data, category }: Told): string {
  const { occurredAt, bookingId, ...rest } = data
  expect([typeof occurredAt, bookingId]).toEqual(['string', SUBJECT])
  const ids = ['captureId', 'paymentId', 'refundId', 'disputeId', 'attemptId', 'ticketNumber', 'oldTicketNumber']
  const id = ids.map((field) => rest[field]).find((value) => value !== undefined)
  if (type === 'PaymentCaptured' || type === 'PaymentConfirmed') return `capture ${rest.captureId}`
  if (type === 'TicketIssueFailed') return `${type} ${id} ${JSON.stringify(rest.passengerIds)}`
  if (type === 'CouponStatusChanged') return `${type} ${id} ${rest.couponNumber} ${occurredAt}`
  if (type.startsWith('Seat') || type.startsWith('PaymentReview'))
    return `${type} ${rest.passengerId} ${rest.segmentId} ${occurredAt}`
  return `${category} ${type} ${type.startsWith('Refund') ? rest.refundId : type.startsWith('Dispute') ? rest.disputeId : (id ?? rest.orderVersion)}`
}

function fold(events: readonly RecordedEvent[]): Booking {
  const state = initial(SUBJECT)
  for (const event of events) {
    const category = event.stream.split('-')[0] as string
    const decoding = decode(event, { category, subject: SUBJECT }, booking as Projection)
    if (decoding.kind === 'undecodable') throw new Error(decoding.event.why)
    evolve(state, decoding.event)
  }
  return state
}

function idsBut(rule: string, findings: readonly Finding[]): string[] {
  return findings
    .filter((finding) => finding.rule !== rule)
    .map(({ id }) => id)
    .sort()
}

interface Family {
  readonly size: number
  readonly infants: number
  readonly legs: number
  readonly ticketed: number
  readonly twice: boolean
}

const idsOf = (count: number, prefix: string) => Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`)
const numbersOf = (first: number, count: number) =>
  Array.from({ length: count }, (_, index) => String(8880000000000 + first + index))

/** A paid booking of which the first passengers have tickets. */
function familyOf({ size, infants, legs, ticketed, twice }: Family): Told[] {
  const adults = idsOf(size, 'a')
  const all = [...adults.map(adult), ...adults.slice(0, infants).map((id, index) => infant(`i${index + 1}`, id))]
  const segmentIds = idsOf(legs, 's')
  const order = requested({ passengers: all, segments: segmentIds.map((id) => segment(id)) })
  const done = all
    .slice(0, ticketed)
    .flatMap(({ passengerId }, index) =>
      documentsOf(String(passengerId), segmentIds, numbersOf(100 + 10 * index, Math.ceil(legs / 4))),
    )
  return [order, captured(), ...(twice ? [captured()] : []), ...done]
}

function documentsOf(passengerId: string, segmentIds: readonly string[], numbers: readonly string[]): Told[] {
  return numbers.map((ticketNumber, index) => {
    const part = segmentIds.slice(index * 4, index * 4 + 4)
    const coupons = part.map((segmentId, at) => ({ couponNumber: at + 1, segmentId, status: 'OPEN' }))
    return issued(passengerId, { ticketNumber, conjunctionNumbers: [...numbers], coupons })
  })
}

/** The events of an intent that an authority answered with fresh numbers. */
function settled(intent: Intent, index: number): Told[] {
  const { bookingId, passengerId, segments } = intent.command as JsonObject & { segments: readonly JsonValue[] }
  const [ticketNumber, ...conjunctionNumbers] = numbersOf(1000 + 10 * index, Math.ceil(segments.length / 4))
  const answer = {
    ticketNumber,
    documentType: 'TKT',
    bookingId,
    passengerId,
    issuedAt: time(LATER),
    conjunctionNumbers,
  }
  const attempt = { id: `try-${index}`, key: `key-${index}`, at: time(LATER) }
  const drafts = settlement.issued(intent, attempt, answer) ?? []
  return [settlement.claim(intent, attempt), ...drafts].map((draft) => ({ ...draft, category: 'ticket' }))
}
