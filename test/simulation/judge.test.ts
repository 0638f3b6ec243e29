// The judge judged: a history in which every rule holds, and for each rule a change that breaks it and is told of by name.
import { describe, expect, it } from 'vitest'
import type { Evidence, LedgerLine, LoggedEvent } from './evidence.js'
import { breachesOf, CONVERGENCE, SAFETY } from './judge.js'
import type { End } from './makegood-process.js'

const KEY = 'key-1'
const DIGEST = 'sha256:1'
const CAMPAIGN = 'makegood.campaign-1'
const place = { bookingId: 'B1', passengerId: 'P1' }

type Fields = Partial<Omit<LoggedEvent, 'position'>>

/** Events in the order of the log; revisions are counted where none is given. */
function logOf(...events: readonly Fields[]): LoggedEvent[] {
  const heads = new Map<string, number>()
  return events.map(({ stream = 'ticket-B1', revision, ...fields }, n) => {
    const stands = revision ?? (heads.get(stream) ?? -1) + 1
    heads.set(stream, stands)
    const position = { commit: BigInt(n), prepare: BigInt(n) }
    return { stream, revision: stands, position, id: `e${n}`, type: 'Happened', data: {}, metadata: {}, ...fields }
  })
}

function own(step: string, behind: number | null, attemptId = 'a1'): LoggedEvent['metadata'] {
  return { origin: 'repair', key: KEY, step, attemptId, part: 0, revisions: { 'ticket-B1': behind } }
}

const CLAIM: Fields = { type: 'TicketIssueRequested', data: { ...place }, metadata: own('claim', null) }
const TICKET: Fields = {
  type: 'TicketIssued',
  data: { ...place, ticketNumber: '8880000000001', origin: 'REPAIR' },
  metadata: own('settle', 0),
}
const REFUND: Fields = { stream: 'payment-B1', type: 'RefundRequested', data: { bookingId: 'B1', refundId: 'r1' } }
const SOLD = ['e0', 'e1']
const PAID: readonly Fields[] = SOLD.map((id) => ({
  stream: 'payment-B1',
  type: 'Paid',
  id,
  metadata: { batch: { id: 'b1', size: 2 } },
}))
const TOLD: readonly Fields[] = [
  { stream: CAMPAIGN, type: 'CampaignStarted', data: { planDigest: DIGEST } },
  { stream: CAMPAIGN, type: 'CasesOpened' },
  { stream: CAMPAIGN, type: 'ItemSettled', data: { key: KEY } },
  { stream: CAMPAIGN, type: 'CampaignFinished' },
]
const ASKED: LedgerLine = { kind: 'asked', call: 'issue', key: KEY, ...place }
const ISSUED: LedgerLine = { kind: 'issued', key: KEY, ticket: { ticketNumber: '8880000000001', ...place } }
const END: End = { what: 'apply', code: 0, signal: null, isHung: false, stdout: '', stderr: '' }
const SALE = { act: 'sell', bookingId: 'B1', stream: 'payment-B1', expected: 'noStream', ids: SOLD } as const
const RUDE = { act: 'live-rude', ...place, stream: 'ticket-B1', expected: 1, ids: [] } as const
const APPLIED = { outcome: 'applied', key: KEY, stream: 'ticket-B1', revision: 1 }
const ITEM = { key: KEY, subject: 'B1', intent: { command: { passengerId: 'P1' } } }

const good: Evidence = {
  events: logOf(...PAID, CLAIM, TICKET, ...TOLD),
  ledger: [ASKED, ISSUED],
  journal: [SALE],
  told: [APPLIED],
  plans: [{ digest: DIGEST, items: [ITEM] } as unknown as Evidence['plans'][number]],
  ends: [END, { ...END, code: null, signal: 'SIGKILL' }],
  digests: ['d', 'd'],
  problems: [],
}

const live = (fields: object = {}): Fields => ({
  type: 'TicketIssued',
  data: { ...place, ticketNumber: '8880000000002', origin: 'LIVE', ...fields },
})

const SPOILED: Readonly<Record<string, readonly Partial<Evidence>[]>> = {
  'O1 what was acknowledged is there': [
    { journal: [{ ...SALE, ids: ['lost'] }] },
    { told: [{ ...APPLIED, revision: 7 }] },
    { told: [{ ...APPLIED, key: 'another' }] },
  ],
  'O2 one ticket a passenger': [
    { events: logOf(...PAID, CLAIM, TICKET, live(), ...TOLD) },
    { events: logOf(...PAID, CLAIM, TICKET, live(), live({ ticketNumber: '1' }), ...TOLD), journal: [RUDE] },
    { events: logOf(...PAID, CLAIM, TICKET, live({ ticketNumber: '8880000000001' }), ...TOLD) },
    { events: logOf(...PAID, live({ ticketNumber: '8880000000001' }), CLAIM, TICKET, ...TOLD), journal: [RUDE] },
  ],
  'O3 revisions are dense, positions rise': [
    { events: logOf(...PAID, CLAIM, { ...TICKET, revision: 2 }, ...TOLD), told: [] },
    { events: good.events.with(0, { ...(good.events[0] as LoggedEvent), position: { commit: 9n, prepare: 9n } }) },
  ],
  'O4 a batch is there whole or not at all': [
    { events: logOf(...PAID.slice(0, 1), CLAIM, TICKET, ...TOLD) },
    { events: logOf(PAID[0] ?? {}, { stream: 'payment-B1' }, PAID[1] ?? {}, CLAIM, TICKET, ...TOLD) },
  ],
  'O5 bytes match their checksums': [{ problems: ['a flipped bit'] }],
  'O6 a guarded append stands right behind what it was guarded by': [
    { events: logOf(...PAID, CLAIM, { type: 'TicketNoted' }, TICKET, ...TOLD) },
    { journal: [{ ...SALE, expected: 0 }] },
  ],
  'O7 an append of unknown outcome is not written twice': [
    { events: logOf(...PAID, CLAIM, TICKET, { stream: 'x-1', id: 'e0' }, ...TOLD) },
  ],
  'O8 replays of one log give one digest': [{ digests: ['d', 'e'] }],
  'an item is told as applied by the one who did it': [{ told: [APPLIED, APPLIED] }],
  'O9 nothing hangs': [{ ends: [{ ...END, isHung: true, signal: 'SIGKILL' }] }],
  'no process fails but by being killed': [
    { ends: [{ ...END, code: 1 }] },
    { ends: [{ ...END, signal: 'SIGSEGV', code: null }] },
  ],
  'no passenger is asked for under two keys': [{ ledger: [ASKED, ISSUED, { ...ASKED, key: 'key-2' }] }],
  'nothing is issued twice under one key': [{ ledger: [ASKED, ISSUED, ISSUED] }],
  'nothing is asked for without a claim': [
    { events: logOf(...PAID, { ...TICKET, metadata: own('settle', null) }, ...TOLD) },
  ],
  'no ticket is issued under claims that all stand behind a refund': [
    { events: logOf(...PAID, REFUND, CLAIM, TICKET, ...TOLD) },
  ],
  'every item is settled': [{ events: logOf(...PAID, CLAIM, ...TOLD) }],
  'what the authority issued is recorded once': [
    { ledger: [ASKED, { ...ISSUED, ticket: { ...place, ticketNumber: '8880000000009' } }] },
    { events: logOf(...PAID, CLAIM, TICKET, live({ ticketNumber: '8880000000001' }), ...TOLD) },
  ],
  'no claim of a repair is left open': [{ events: logOf(...PAID, CLAIM, { ...TICKET, metadata: {} }, ...TOLD) }],
  'a collision has its case': [{ events: logOf(...PAID, CLAIM, TICKET, live(), ...TOLD), journal: [RUDE] }],
  'a campaign tells what became of every item': TOLD.map((_, missing) => ({
    events: logOf(...PAID, CLAIM, TICKET, ...TOLD.filter((_event, n) => n !== missing)),
  })),
}

const RULES = { ...SAFETY, ...CONVERGENCE }

describe('the judge', () => {
  it('finds nothing where every rule holds', () => {
    expect(breachesOf(good, RULES)).toEqual([])
  })

  it('lets a collision pass that has its case, and a refund that slipped in behind the claim', () => {
    const opened = { stream: 'makegood.case-1', type: 'CaseOpened', data: { rule: 'repair-collision', subject: 'B1' } }
    const collided = { events: logOf(...PAID, CLAIM, TICKET, live(), opened, ...TOLD), journal: [RUDE] }
    expect(breachesOf({ ...good, ...collided }, RULES)).toEqual([])
    expect(breachesOf({ ...good, events: logOf(...PAID, CLAIM, REFUND, TICKET, ...TOLD) }, RULES)).toEqual([])
  })

  it('lets a refund pass that slipped in before the claim, and was taken back before the ticket was issued', () => {
    const back = { ...REFUND, type: 'RefundFailed', created: Date.parse('2026-05-04T08:00:00Z') }
    const events = logOf(...PAID, { ...REFUND, created: 0 }, CLAIM, back, TICKET, ...TOLD)
    const issuedAt = (time: string): Partial<Evidence> => ({
      events,
      ledger: [ASKED, { ...ISSUED, ticket: { ticketNumber: '8880000000001', ...place, issuedAt: time } }],
    })
    expect(breachesOf({ ...good, ...issuedAt('2026-05-04T08:00:01Z') }, RULES)).toEqual([])
    expect(breachesOf({ ...good, ...issuedAt('2026-05-04T07:59:59Z') }, RULES).join()).toContain('was being refunded')
  })

  it('takes a refusal for the end of an item', () => {
    const failed = { type: 'TicketIssueFailed', data: place, metadata: own('fail', 0) }
    const ledger: LedgerLine[] = [ASKED, { kind: 'refused', key: KEY, code: 'NO', retryable: false }]
    const refused = { events: logOf(...PAID, CLAIM, failed, ...TOLD), ledger, told: [] }
    expect(breachesOf({ ...good, ...refused }, RULES)).toEqual([])
    const later = { ...refused, ledger: [ASKED, { ...(ledger[1] as LedgerLine), retryable: true }] }
    expect(breachesOf({ ...good, ...later }, RULES).join()).toContain('every item is settled')
  })

  it.each(Object.keys(RULES))('tells where this is broken: %s', (rule) => {
    const spoiled = SPOILED[rule] ?? []
    expect(spoiled).not.toEqual([])
    for (const change of spoiled) {
      expect(breachesOf({ ...good, ...change }, RULES).filter((breach) => breach.startsWith(`${rule}: `))).not.toEqual(
        [],
      )
    }
  })
})
