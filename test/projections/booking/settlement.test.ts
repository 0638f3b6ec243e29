// Settling: what the authority answers becomes events, and an answer that makes no sense becomes nothing.
import { describe, expect, it } from 'vitest'
import { settlement } from '../../../projections/booking/settlement.js'
import type { Booking } from '../../../projections/booking/state.js'
import type { JsonObject } from '../../../src/engine/json.js'
import type { Draft, Intent } from '../../../src/engine/projection.js'
import {
  captured,
  ended,
  issued,
  judge,
  LATER,
  requested,
  rulesFound,
  SUBJECT,
  segment,
  type Told,
  time,
} from './history.js'

const scene = { told: [requested(), captured()] }
const [intent] = judge(scene).intents as [Intent]
const attempt = { id: 'try-1', key: 'key-1', at: time(LATER) }
const answer: JsonObject = {
  ticketNumber: '8880000000001',
  documentType: 'TKT',
  bookingId: SUBJECT,
  passengerId: 'p1',
  issuedAt: time(LATER + 1),
}
const told = (drafts: readonly Draft[]): Told[] => drafts.map((draft) => ({ ...draft, category: 'ticket' }))

it('the claim names the passenger, the key and the work, and is no finding', () => {
  const claim = settlement.claim(intent, attempt)
  expect(claim).toEqual({
    type: 'TicketIssueRequested',
    data: {
      bookingId: SUBJECT,
      occurredAt: attempt.at,
      attemptId: 'try-1',
      passengerIds: ['p1'],
      origin: 'REPAIR',
      key: 'key-1',
      occurrence: intent.occurrence,
    },
  })
  expect(rulesFound({ told: [...scene.told, ...told([claim])] })).toEqual(['paid-not-ticketed'])
})

it('the ticket that was answered makes the booking good', () => {
  const drafts = settlement.issued(intent, attempt, { ...answer, total: { amountMinor: 20000, currency: 'EUR' } })
  expect(drafts).toMatchObject([
    {
      type: 'TicketIssued',
      data: {
        ticketNumber: '8880000000001',
        occurredAt: time(LATER + 1),
        origin: 'REPAIR',
        attemptId: 'try-1',
        conjunctionNumbers: [],
        total: { amountMinor: 20000, currency: 'EUR' },
      },
    },
  ])
  const events = [settlement.claim(intent, attempt), ...(drafts ?? [])]
  expect(rulesFound({ told: [...scene.told, ...told(events)] })).toEqual([])
})

it('a failure closes the claim; one that cannot be retried is for a person', () => {
  const claim = settlement.claim(intent, attempt)
  const outcome = (retryable: boolean) =>
    settlement.failed(intent, attempt, { code: 'abandoned', message: 'no longer funded', retryable })
  const found = (retryable: boolean) =>
    rulesFound({ told: [...scene.told, ...told([claim, ...outcome(retryable)])], now: LATER + 60 })
  expect(found(true)).toEqual(['paid-not-ticketed'])
  expect(found(false)).toEqual(['issue-failed', 'paid-not-ticketed'])
})

it('five segments take two documents with consecutive numbers', () => {
  const segments = ['s1', 's2', 's3', 's4', 's5'].map((id) => segment(id))
  const long = { told: [requested({ segments }), captured()] }
  const [first] = judge(long).intents as [Intent]
  expect(settlement.issued(first, attempt, answer)).toBeUndefined()
  const drafts = settlement.issued(first, attempt, { ...answer, conjunctionNumbers: ['8880000000002'] })
  expect(drafts?.map(({ data }) => data.ticketNumber)).toEqual(['8880000000001', '8880000000002'])
  expect(rulesFound({ told: [...long.told, ...told(drafts ?? [])] })).toEqual([])
})

it('coupons that the authority lists are recorded as it lists them', () => {
  const coupons = [{ couponNumber: 1, segmentId: 's7', status: 'open' }]
  const drafts = settlement.issued(intent, attempt, { ...answer, coupons })
  expect(drafts?.[0]?.data.coupons).toEqual([{ couponNumber: 1, segmentId: 's7', status: 'OPEN' }])
  expect(rulesFound({ told: [...scene.told, ...told(drafts ?? [])] })).toEqual(['itinerary-drift'])
})

it('a ticket counts as recorded where the stream tells of its number for this passenger, whoever recorded it', () => {
  const live = (fields: JsonObject) => issued('p1', { ticketNumber: '8880000000001', ...fields })
  const isRecorded = (...events: readonly Told[]) =>
    settlement.isRecorded?.(judge({ told: [...scene.told, ...events] }).folded?.state as Booking, intent, answer)
  expect(isRecorded(live({}))).toBe(true)
  expect(isRecorded(live({}), ended('TicketVoided', { ticketNumber: '8880000000001' }))).toBe(true)
  expect(isRecorded()).toBe(false)
  expect(isRecorded(live({ ticketNumber: '8880000000002' }))).toBe(false)
  expect(isRecorded(live({ passengerId: 'p2' }))).toBe(false)
})

describe('an answer makes no sense', () => {
  it.each([
    ['without a number', { ticketNumber: undefined }],
    ['with a number of 12 digits', { ticketNumber: '888000000001' }],
    ['for another passenger', { passengerId: 'p2' }],
    ['for another booking', { bookingId: 'b2' }],
    ['with another kind of document', { documentType: 'EMDA' }],
    ['with a time that is none', { issuedAt: 'yesterday' }],
    ['with more documents than the segments need', { conjunctionNumbers: ['8880000000002'] }],
    ['with broken coupons', { coupons: [{ couponNumber: 0, segmentId: 's1', status: 'OPEN' }] }],
    ['with a broken price', { total: { amountMinor: -1, currency: 'EUR' } }],
    ['with a price in no currency', { total: { amountMinor: 1, currency: 'euro' } }],
  ])('%s', (_, fields) => {
    expect(settlement.issued(intent, attempt, { ...answer, ...fields })).toBeUndefined()
  })
})
