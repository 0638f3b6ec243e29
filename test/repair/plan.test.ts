// Plans: the same scan gives the same bytes, the file comes back as it was, and whatever is changed in it is refused.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../src/engine/digest.js'
import { replay } from '../../src/engine/replay.js'
import { formatPlan, makePlan, type Plan, PlanInvalidError, parsePlan } from '../../src/repair/plan.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { airline, NOW } from '../controls/airline.js'
import { Airport } from '../controls/airport.js'
import { write } from '../controls/log-writer.js'
import { parcels } from '../controls/parcels.js'
import { seedFor } from '../controls/seed.js'

async function anAirport(): Promise<Airport> {
  const airport = new Airport()
  await airport.pay('1', 'p1', 'p2')
  await airport.pay('2', 'p1')
  await airport.issueLive('1', 'p2')
  await airport.pay('3', 'p1')
  await airport.refund('3')
  await write(airport.store, 'ticket-4', {
    type: 'TicketIssueRequested',
    data: { attemptId: 'a', passengerId: 'p1', origin: 'LIVE', at: '2026-05-01T10:00:00Z' },
  })
  return airport
}

const aPlan = async () => (await anAirport()).plan()

describe('a plan', () => {
  it('is the same, byte for byte, for the same scan', async () => {
    const airport = await anAirport()
    expect(JSON.stringify(await airport.plan())).toBe(JSON.stringify(await airport.plan()))
  })

  it('orders what may be repaired, with its guard, key, rules and evidence', async () => {
    const plan = await aPlan()
    expect(
      plan.items.map(({ subject, stream, expectedRevision, rules }) => ({ subject, stream, expectedRevision, rules })),
    ).toEqual([
      { subject: '1', stream: 'ticket-1', expectedRevision: 0, rules: ['paid-not-ticketed'] },
      { subject: '2', stream: 'ticket-2', expectedRevision: 'noStream', rules: ['paid-not-ticketed'] },
    ])
    const [first, second] = plan.items
    expect(first?.evidence.heads.map(({ stream, revision }) => `${stream}@${revision}`)).toEqual([
      'payment-1@0',
      'ticket-1@0',
    ])
    expect(first?.evidence.events).toEqual([first?.evidence.heads[0]?.id])
    expect(second?.evidence.heads).toHaveLength(1)
  })

  it('holds a waiting case for what only a person may settle, and none for what merely holds', async () => {
    const { cases } = await aPlan()
    expect(cases.map(({ rule, subject }) => `${rule} ${subject}`)).toEqual(['attempt-unknown 4'])
  })

  it('names what it rests on: projection, version, policy, now, cut and the digest of the scan', async () => {
    const airport = await anAirport()
    const result = await replay(airport.store, airline, { now: NOW })
    const plan = makePlan(result, airline)
    expect(plan).toMatchObject({
      projection: 'airline',
      version: '1',
      policy: { attemptTimeoutMs: 600_000 },
      now: '2026-05-02T12:00:00.0000000Z',
      scanDigest: result.summary.digest,
      cut: { eventId: result.summary.cut?.eventId, time: result.summary.cut?.time },
    })
  })

  it('has a digest over all of the rest', async () => {
    const { digest, ...rest } = await aPlan()
    expect(digest).toBe(digestOf(rest))
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/)
  })

  it('is the same plan when its file is read, an item a line', async () => {
    for (const plan of [await aPlan(), makePlan(await replay(openMemoryStore(), airline, { now: NOW }), airline)]) {
      const text = [...formatPlan(plan)].join('')
      expect(parsePlan(text, 'plan.json')).toEqual(plan)
      expect(text.split('\n').filter((line) => line.startsWith('    {'))).toHaveLength(
        plan.items.length + plan.cases.length,
      )
    }
  })

  it('of nothing to do has no items and no cut', async () => {
    const plan = makePlan(await replay(openMemoryStore(), airline, { now: NOW }), airline)
    expect(plan).toMatchObject({ items: [], cases: [], cut: null })
    expect(parsePlan(JSON.stringify(plan), 'f')).toEqual(plan)
  })

  it('holds only what answers a finding that was asked for', async () => {
    const airport = await anAirport()
    const asked = async (rules: string[]) =>
      makePlan(await replay(airport.store, airline, { now: NOW, filters: { rules } }), airline).items.length
    expect(await asked(['paid-not-ticketed'])).toBe(2)
    expect(await asked(['refund-pending'])).toBe(0)
  })

  it('of a projection without policy or command has none', async () => {
    const store = openMemoryStore()
    await write(store, 'order-1', { type: 'Paid' })
    const plan = makePlan(await replay(store, parcels, { now: NOW }), parcels)
    expect(plan.policy).toEqual({})
    expect(plan.items[0]?.intent).toEqual({
      occurrence: 'parcel',
      answers: [expect.any(String)],
      category: 'parcel',
      events: [
        { type: 'Packed', data: { order: '1' } },
        { type: 'Sent', data: { order: '1' } },
      ],
    })
  })
})

describe('the key of an item', () => {
  it('is made of projection, subject and occurrence: it stays from scan to scan, whatever else is found', async () => {
    const airport = await anAirport()
    const before = await airport.plan()
    await airport.pay('9', 'p1')
    const after = await airport.plan()
    expect(after.digest).not.toBe(before.digest)
    expect(after.items.slice(0, 2).map(({ key }) => key)).toEqual(before.items.map(({ key }) => key))
    expect(new Set(after.items.map(({ key }) => key)).size).toBe(3)
    expect(before.items[0]?.key).toBe('6450fef9-f3a4-5697-bb94-f44f0fb363cf')
  })
})

describe('a plan file', () => {
  it('comes back as it was written, however it is indented', async () => {
    const plan = await aPlan()
    expect(parsePlan(JSON.stringify(plan), 'plan.json')).toEqual(plan)
    expect(parsePlan(JSON.stringify(plan, null, 2), 'plan.json')).toEqual(plan)
  })

  it('with hostile names in it comes back as it was written', async () => {
    const airport = new Airport()
    for (const name of ['__proto__', 'constructor', '\u{1F6EB}', '\u0000\u001b[31m', '=cmd()', '"', 'a-b']) {
      await airport.pay(name, name)
    }
    const plan = await airport.plan()
    expect(plan.items).toHaveLength(7)
    expect(parsePlan(JSON.stringify(plan), 'plan.json')).toEqual(plan)
  })

  it('edited at any byte is refused, unless the edit means nothing', async () => {
    const plan = await aPlan()
    const bytes = Buffer.from(JSON.stringify(plan))
    const anEdit = fc.record({
      at: fc.nat(bytes.length - 1),
      remove: fc.integer({ min: 0, max: 3 }),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 3 }),
        fc.constantFrom('"', ',', '0', ' ', '1,', '"__proto__":1,', '"digest":"",').map((text) => Buffer.from(text)),
      ),
    })
    let refused = 0
    const property = fc.property(anEdit, ({ at, remove, insert }) => {
      const edited = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]).toString()
      refused += expectSameOrRefused(edited, plan)
    })
    fc.assert(property, { seed: seedFor('edited plan'), numRuns: 2_000 })
    expect(refused).toBeGreaterThan(1_000)
  })

  it('with one byte changed is refused at every position', async () => {
    const plan = await aPlan()
    const bytes = Buffer.from(JSON.stringify(plan))
    let refused = 0
    for (const [at, byte] of bytes.entries()) {
      const edited = Buffer.from(bytes)
      edited[at] = byte === 0x30 ? 0x31 : 0x30
      refused += expectSameOrRefused(edited.toString(), plan)
    }
    expect(refused).toBe(bytes.length)
  })

  it.each<[string, (plan: Plan) => unknown, string]>([
    ['no plan at all', () => ({}), 'type: '],
    ['another format', (plan) => ({ ...plan, format: 2 }), 'format: '],
    ['no items', ({ items: _, ...plan }) => plan, 'items: '],
    ['a key that is none', (plan) => withItem(plan, { key: 'x' }), 'items.0.key: '],
    ['a negative guard', (plan) => withItem(plan, { expectedRevision: -1 }), 'items.0.expectedRevision: '],
    ['any for a guard', (plan) => withItem(plan, { expectedRevision: 'any' }), 'items.0.expectedRevision: '],
    ['a field nobody knows in an item', (plan) => withItem(plan, { approvedBy: 'me' }), 'items.0'],
    ['a time that is none', (plan) => ({ ...plan, now: 'yesterday' }), 'now: '],
    ['no digest', ({ digest: _, ...plan }) => plan, 'digest: '],
    ['a field nobody knows', (plan) => ({ ...plan, approved: true }), 'approved'],
  ])('with %s is refused by the name of the field and of the file', async (_, edit, message) => {
    const text = JSON.stringify(edit(await aPlan()))
    expect(() => parsePlan(text, 'mine.json')).toThrow(PlanInvalidError)
    expect(() => parsePlan(text, 'mine.json')).toThrow(/^mine\.json: not a plan: /)
    expect(() => parsePlan(text, 'mine.json')).toThrow(message)
  })

  it('that is no JSON, or was changed, says so and what to do', async () => {
    expect(() => parsePlan('{', 'mine.json')).toThrow(/^mine\.json: not JSON; .*makegood plan/)
    const plan = await aPlan()
    const edited = JSON.stringify(withItem(plan, { subject: '2' }))
    expect(() => parsePlan(edited, 'mine.json')).toThrow(/^mine\.json: was changed after it was made: .*plan again/)
  })
})

function withItem(plan: Plan, fields: object): unknown {
  const [first, ...rest] = plan.items
  return { ...plan, items: [{ ...first, ...fields }, ...rest] }
}

/** 1 where the text is refused; 0 where it says the same as the plan. Anything else fails. */
function expectSameOrRefused(text: string, plan: Plan): 0 | 1 {
  try {
    expect(parsePlan(text, 'f')).toEqual(plan)
    return 0
  } catch (error) {
    expect(error).toBeInstanceOf(PlanInvalidError)
    return 1
  }
}
