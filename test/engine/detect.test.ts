// Detection: the engine's own rules, a projection's rules with their items and lookups, keys shared across subjects, and which
// findings let a subject be compensated.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { rulesOf } from '../../src/engine/detect.js'
import { compareBytes, type Finding } from '../../src/engine/finding.js'
import { type DecodedEvent, type Disposition, defineProjection, rule } from '../../src/engine/projection.js'
import { type ReplayOptions, replay } from '../../src/engine/replay.js'
import { readSubject } from '../../src/engine/subject.js'
import type { EventStore } from '../../src/log/event-store.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { airline, NOW } from '../controls/airline.js'
import { write, writeMetadata } from '../controls/log-writer.js'
import { parcels } from '../controls/parcels.js'

const AT = '2026-05-01T10:00:00Z'
const paidFor = (...passengers: string[]) => ({
  type: 'PaymentCaptured',
  data: { passengers, amountMinor: 100, at: AT },
})
const ticket = (ticketNumber: string, passengerId: string, origin = 'LIVE') => ({
  type: 'TicketIssued',
  data: { ticketNumber, passengerId, origin },
})

const scanAirline = (store: EventStore, options: Partial<ReplayOptions> = {}) =>
  replay(store, airline, { now: NOW, ...options })

const told = (findings: readonly Finding[]) =>
  findings.map(({ subject, rule: id, occurrence }) => [subject, id, occurrence].filter(Boolean).join(' '))

describe("the engine's own rules", () => {
  it('come first in the list of all rules', () => {
    expect(rulesOf(airline).map(({ id }) => id)).toEqual([
      'history-incomplete',
      'unknown-event',
      ...airline.rules.map(({ id }) => id),
      'ticket-number-reused',
    ])
  })

  it('find a history that is not whole, opened by the event that shows it, with every reason in the detail', async () => {
    const store = openMemoryStore()
    await write(store, 'payment-1', paidFor('p1'))
    const limit = await writeMetadata(store, 'ticket-1', { $maxCount: 1 })
    await store.tombstone('payment-1', 0)
    const { findings, compensations } = await scanAirline(store)
    const [incomplete, paid] = findings
    expect(incomplete).toMatchObject({
      rule: 'history-incomplete',
      severity: 1,
      disposition: 'never',
      detail: {
        why: [
          { stream: '$$ticket-1', why: '$maxCount keeps the last 1 events only' },
          { stream: 'payment-1', why: 'the stream was deleted for ever' },
        ],
      },
    })
    expect(incomplete?.evidence.events).toEqual([limit])
    expect(paid?.heldBy).toEqual(['history-incomplete'])
    expect(compensations).toEqual([])
  })

  it('find events that cannot be decoded, all of them in one finding, which holds the repair', async () => {
    const store = openMemoryStore()
    const [, second] = await write(store, 'payment-1', paidFor('p1'), { type: 'Mystery' })
    const [third] = await write(store, 'ticket-1', { type: 'TicketIssued', data: 'no JSON' })
    const { findings, compensations } = await scanAirline(store)
    expect(told(findings)).toEqual(['1 paid-not-ticketed p1', '1 unknown-event'])
    expect(findings[1]?.evidence.events).toEqual([second, third])
    expect(findings[1]?.detail).toEqual({
      why: [
        { stream: 'payment-1', revision: 1, type: 'Mystery', why: 'airline knows no event type "Mystery"' },
        { stream: 'ticket-1', revision: 0, type: 'TicketIssued', why: 'its data is not valid JSON in UTF-8' },
      ],
    })
    expect(findings[0]?.heldBy).toEqual(['unknown-event'])
    expect(compensations).toEqual([])
  })
})

describe('what holds a subject', () => {
  it.each<[string, object]>([
    ['refund-pending', { type: 'RefundRequested', data: { refundId: 'r1' } }],
    [
      'attempt-unknown',
      { type: 'TicketIssueRequested', data: { attemptId: 'a', passengerId: 'p2', origin: 'LIVE', at: AT } },
    ],
  ])('%s on one passenger or payment holds every repair of the booking, and of no other', async (holder, event) => {
    const store = openMemoryStore()
    await write(store, 'payment-1', paidFor('p1', 'p2'))
    await write(store, 'payment-2', paidFor('p1'))
    await write(store, holder === 'refund-pending' ? 'payment-1' : 'ticket-1', event as never)
    const { findings, compensations } = await scanAirline(store)
    const repairs = findings.filter(({ disposition }) => disposition === 'repair')
    expect(repairs.map(({ subject, heldBy }) => [subject, heldBy])).toEqual([
      ['1', [holder]],
      ['1', [holder]],
      ['2', undefined],
    ])
    expect(compensations.map(({ subject }) => subject)).toEqual(['2'])
  })
})

describe('a rule with items', () => {
  it('is asked about each, and gives a finding of its own for each that fits', async () => {
    const store = openMemoryStore()
    await write(store, 'payment-1', paidFor('p1', 'p2', 'p3'))
    await write(store, 'ticket-1', ticket('2200000000001', 'p2'))
    const { findings, compensations } = await scanAirline(store)
    expect(told(findings)).toEqual(['1 paid-not-ticketed p1', '1 paid-not-ticketed p3'].toSorted(byId(findings)))
    expect(compensations[0]?.intents.map(({ occurrence }) => occurrence)).toEqual(['p1/0', 'p3/0'])
    expect(compensations[0]?.intents.map(({ answers }) => answers)).toEqual(
      ['p1', 'p3'].map((passenger) => findings.filter((f) => f.occurrence === passenger).map(({ id }) => id)),
    )
  })

  it('without items opens nothing', async () => {
    const store = openMemoryStore()
    await write(store, 'payment-1', paidFor())
    expect((await scanAirline(store)).findings).toEqual([])
  })

  it('opens another finding once the same is true again', async () => {
    const store = openMemoryStore()
    await write(store, 'payment-1', { type: 'RefundRequested', data: { refundId: 'r1' } })
    const [first] = (await scanAirline(store)).findings
    await write(store, 'payment-1', { type: 'RefundFailed', data: { refundId: 'r1' } })
    expect((await scanAirline(store)).findings).toEqual([])
    await write(store, 'payment-1', { type: 'RefundRequested', data: { refundId: 'r1' } })
    const [again] = (await scanAirline(store)).findings
    expect(again?.rule).toBe(first?.rule)
    expect(again?.id).not.toBe(first?.id)
  })

  it('sees now, and nothing else of the time', async () => {
    const store = openMemoryStore()
    await write(store, 'payment-1', paidFor('p1'))
    const requested = { attemptId: 'a', passengerId: 'p1', origin: 'LIVE', at: AT }
    await write(store, 'ticket-1', { type: 'TicketIssueRequested', data: requested })
    const inFlight = await scanAirline(store, { now: Date.parse(AT) + 1 })
    expect(told(inFlight.findings)).toEqual([])
    const overdue = await scanAirline(store, { now: Date.parse(AT) + 600_000 })
    expect(told(overdue.findings)).toEqual(['1 attempt-unknown p1', '1 paid-not-ticketed p1'])
  })
})

/** Findings of one rule stand in the order of their ids, which depend on ids of events. */
function byId(findings: readonly Finding[]): (a: string, b: string) => number {
  const idOf = (line: string) => findings.find((finding) => told([finding])[0] === line)?.id ?? ''
  return (a, b) => compareBytes(idOf(a), idOf(b))
}

const withLookups = defineProjection<{ paid: boolean }, DecodedEvent>({
  name: 'lookups',
  version: '1',
  categories: ['payment'],
  events: { '*': z.record(z.string(), z.unknown()) },
  initial: () => ({ paid: false }),
  evolve: (state) => {
    state.paid = true
    return undefined
  },
  rules: [
    rule<{ paid: boolean }, undefined>({
      id: 'record-disagrees',
      title: 'The record says something else.',
      severity: 1,
      disposition: 'never',
      uses: ['record', 'ledger'],
      when: { differs: (_, { lookups }) => lookups.record !== 'same' },
      evidence: (_, __, { lookups }) => ({
        opened: { id: 'e', stream: 'payment-1', revision: 0 },
        detail: { seen: lookups.record ?? 'nothing' },
      }),
    }),
  ],
})

describe('a rule that uses lookups', () => {
  const scanWith = async (lookUp?: ReplayOptions['lookUp']) => {
    const store = openMemoryStore()
    await write(store, 'payment-1', { type: 'Paid' })
    await write(store, 'payment-2', { type: 'Paid' })
    return replay(store, withLookups, { now: NOW, ...(lookUp && { lookUp }) })
  }

  it('is not asked while one of them is not configured', async () => {
    expect((await scanWith()).findings).toEqual([])
    expect((await scanWith(async () => ({ record: 'other' }))).findings).toEqual([])
  })

  it('is asked with their answers about its own subject, which go into the evidence, those it does not use left out', async () => {
    const asked: unknown[] = []
    const { findings } = await scanWith(async (subject) => {
      asked.push(subject)
      return { record: subject === '1' ? 'same' : 'other', ledger: null, weather: 'fine' }
    })
    expect(asked.sort()).toEqual(['1', '2'])
    expect(findings.map(({ subject, evidence, detail }) => [subject, evidence.lookups, detail])).toEqual([
      ['2', { record: 'other', ledger: null }, { seen: 'other' }],
    ])
  })

  it('takes null for asked and nothing known, and not for not configured', async () => {
    const { findings } = await scanWith(async () => ({ record: null, ledger: null }))
    expect(findings.map(({ evidence }) => evidence.lookups)).toEqual(Array(2).fill({ record: null, ledger: null }))
  })

  it('changes the digest when the answer changes', async () => {
    const digests = await Promise.all(
      ['a', 'b'].map(async (record) => (await scanWith(async () => ({ record, ledger: 1 }))).summary.digest),
    )
    expect(digests[0]).not.toBe(digests[1])
  })
})

describe('a key that should be unique over all subjects', () => {
  it('used by two is a finding on each, that names both and all events, and holds their repairs', async () => {
    const store = openMemoryStore()
    await write(store, 'payment-9', paidFor('p1', 'p2'))
    await write(store, 'payment-10', paidFor('p1'))
    const [one] = await write(store, 'ticket-9', ticket('2200000000001', 'p1'))
    const [two] = await write(store, 'ticket-10', ticket('2200000000001', 'p1'))
    await write(store, 'ticket-11', ticket('2200000000002', 'p1'))
    const { findings, compensations } = await scanAirline(store)
    expect(told(findings)).toEqual([
      '10 ticket-number-reused 2200000000001',
      '9 paid-not-ticketed p2',
      '9 ticket-number-reused 2200000000001',
    ])
    const [onTen, held, onNine] = findings
    for (const finding of [onTen, onNine]) {
      expect(finding?.detail).toEqual({ key: '2200000000001', sharedBy: ['10', '9'] })
      expect(new Set(finding?.evidence.events)).toEqual(new Set([one, two]))
    }
    expect(onTen?.evidence.events[0]).toBe(two)
    expect(onNine?.evidence.events[0]).toBe(one)
    expect(onNine?.evidence.revisions).toEqual({ 'payment-9': 0, 'ticket-9': 0 })
    expect(held?.heldBy).toEqual(['ticket-number-reused'])
    expect(compensations).toEqual([])
  })

  it('used twice by one subject is a finding for each use', async () => {
    const store = openMemoryStore()
    await write(store, 'payment-1', paidFor('p1', 'p2'))
    await write(store, 'ticket-1', ticket('2200000000001', 'p1'), ticket('2200000000001', 'p2'))
    const { findings } = await scanAirline(store)
    expect(told(findings)).toEqual(Array(2).fill('1 ticket-number-reused 2200000000001'))
    expect(new Set(findings.map(({ id }) => id)).size).toBe(2)
    expect(findings[0]?.detail).toMatchObject({ sharedBy: ['1'] })
  })
})

describe('compensations', () => {
  it.each<Disposition>(['never', 'person', 'observe'])('are not proposed for a %s finding', async (disposition) => {
    const [first] = parcels.rules
    const only = { ...parcels, rules: [{ ...(first as NonNullable<typeof first>), disposition }] }
    const store = openMemoryStore()
    await write(store, 'order-1', { type: 'Paid' })
    const { findings, compensations } = await replay(store, only, { now: NOW })
    expect(findings).toHaveLength(1)
    expect(compensations).toEqual([])
  })

  it("are nobody's business where the projection has none", async () => {
    const { compensate: _, ...detecting } = parcels
    const store = openMemoryStore()
    await write(store, 'order-1', { type: 'Paid' })
    const { findings, compensations } = await replay(store, detecting, { now: NOW })
    expect(findings).toHaveLength(1)
    expect(compensations).toEqual([])
  })
})

describe('a softly deleted ticket stream', () => {
  it('reads as missing, and its absence is not trusted, in a replay and in a reading of the subject', async () => {
    const store = openMemoryStore()
    await write(store, 'payment-1', paidFor('p1'))
    await write(store, 'ticket-1', ticket('2200000000001', 'p1'))
    await store.deleteStream('ticket-1', 0)
    const { findings, compensations } = await scanAirline(store)
    expect(told(findings)).toContain('1 history-incomplete')
    expect(compensations).toEqual([])
    const { folded } = await readSubject(store, airline, '1')
    expect(folded.state.tickets).toEqual([])
    expect(folded.limits.ticket?.why).toBe('the stream was deleted')
  })
})
