// The projection through the whole flow: bookings in a store, scanned, planned, applied before an authority, scanned again.
import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { booking } from '../../../projections/booking/booking.js'
import { exitOfApply } from '../../../src/cli/commands/apply.js'
import type { JsonObject } from '../../../src/engine/json.js'
import type { Projection } from '../../../src/engine/projection.js'
import { scan } from '../../../src/engine/scan.js'
import type { EventStore } from '../../../src/log/event-store.js'
import { applyPlan } from '../../../src/repair/apply.js'
import type { Authority } from '../../../src/repair/authority.js'
import { makePlan, type Plan } from '../../../src/repair/plan.js'
import { verify } from '../../../src/repair/verify.js'
import { openMemoryStore } from '../../../src/stores/memory/memory-store.js'
import { write } from '../../controls/log-writer.js'
import {
  adult,
  attempt,
  captured,
  infant,
  issued,
  LATER,
  msAt,
  payment,
  refund,
  requested,
  segment,
  type Told,
  time,
} from './history.js'

const projection = booking as Projection
const now = msAt(LATER)

/** Issues the next numbers, one for every four segments, and knows again what it issued under a key. */
class TicketOffice implements Authority {
  readonly name = 'office'
  readonly issuedUnder = new Map<string, JsonObject>()
  #serial = 8880000000000

  async lookUp({ key }: { key: string }) {
    const answer = this.issuedUnder.get(key)
    return answer ? { kind: 'found' as const, answer } : { kind: 'none' as const }
  }

  async issue({ key, request }: { key: string; request: JsonObject }) {
    const { bookingId, passengerId, segments } = request
    const count = Math.ceil((segments as readonly unknown[]).length / 4)
    const [ticketNumber, ...conjunctionNumbers] = Array.from({ length: count }, () => String(++this.#serial))
    const answer = {
      ticketNumber,
      conjunctionNumbers,
      documentType: 'TKT',
      bookingId,
      passengerId,
      issuedAt: time(LATER),
    }
    this.issuedUnder.set(key, answer as JsonObject)
    return { kind: 'done' as const, answer: answer as JsonObject }
  }
}

async function storeWith(bookings: Record<string, readonly Told[]>): Promise<EventStore> {
  const store = openMemoryStore()
  for (const [bookingId, told] of Object.entries(bookings)) {
    for (const one of told) await tell(store, bookingId, one)
  }
  return store
}

const planOf = async (store: EventStore) => makePlan(await scan(store, projection, { now }), projection)

async function tell(store: EventStore, bookingId: string, { type, category, data }: Told): Promise<void> {
  await write(store, `${category}-${bookingId}`, { type, data: { ...data, bookingId } })
}

async function repair(store: EventStore, authority: Authority) {
  return apply(store, await planOf(store), authority)
}

/** Applies a plan at a minute of the history. */
async function apply(store: EventStore, plan: Plan, authority: Authority, minute = LATER) {
  const outcomes: string[] = []
  const summary = await applyPlan(
    {
      store,
      projection,
      plan,
      authority,
      actors: { actor: 'ann', approver: 'bob', engineVersion: '0' },
      now: () => msAt(minute),
      newId: randomUUID,
      pause: async () => {},
    },
    {
      approve: plan.digest,
      onOutcome: ({ item, kind }) => outcomes.push(`${item.subject} ${item.intent.command?.passengerId} ${kind}`),
    },
  )
  return { plan, summary, outcomes: outcomes.sort() }
}

const found = async (store: EventStore) =>
  (await scan(store, projection, { now })).findings.map(({ subject, rule }) => `${subject} ${rule}`)

describe('a repair', () => {
  const family = [requested({ passengers: [adult('p1'), adult('p2'), infant('p3', 'p1')] }), captured()]
  const legs = ['s1', 's2', 's3', 's4', 's5'].map((id) => segment(id))

  it('gives every passenger who misses one a ticket, and nobody else', async () => {
    const store = await storeWith({
      family,
      half: [...family, issued()],
      long: [requested({ segments: legs }), captured()],
      fine: [requested(), captured(), issued('p1', { ticketNumber: '1250000000007' })],
      refunding: [...family, refund('Requested', 20)],
    })
    const office = new TicketOffice()
    const { outcomes, summary } = await repair(store, office)
    expect(outcomes).toEqual([
      'family p1 applied',
      'family p2 applied',
      'family p3 applied',
      'half p2 applied',
      'half p3 applied',
      'long p1 applied',
    ])
    expect(summary).toMatchObject({ complete: true, cases: 0 })
    expect(await found(store)).toEqual(['refunding refund-pending'])
    expect(await verify(store, projection, { now })).toMatchObject({ items: 6, bad: [], doubled: {} })
    const again = await repair(store, office)
    expect(again.plan.items).toEqual([])
  })

  it('goes on from claims that an earlier run left, under the keys that it had', async () => {
    const store = await storeWith({ family })
    const office = new TicketOffice()
    const silent: Authority = {
      name: 'silent',
      lookUp: async () => ({ kind: 'none' }),
      // Done, and the answer lost.
      issue: async (call) => {
        await office.issue(call)
        return { kind: 'unknown', message: 'connection reset' }
      },
    }
    const first = await repair(store, silent)
    expect(first.summary).toMatchObject({ complete: false, outcomes: { unknown: 3 } })
    const second = await repair(store, office)
    expect(second.plan.items.map(({ key }) => key)).toEqual(first.plan.items.map(({ key }) => key))
    expect(second.summary).toMatchObject({ complete: true, outcomes: { applied: 3 } })
    expect(office.issuedUnder.size).toBe(3)
    expect(await found(store)).toEqual([])
  })

  it('waits where a payment event begins the grace period anew: not yet is not no more', async () => {
    const store = await storeWith({ one: [requested(), captured()] })
    const plan = await planOf(store)
    await tell(store, 'one', payment('PaymentReviewHeld', LATER - 1, { reason: 'a look' }))
    await tell(store, 'one', payment('PaymentReviewCleared', LATER, { reason: 'fine' }))
    const early = await apply(store, plan, new TicketOffice(), LATER + 1)
    expect(early).toMatchObject({ outcomes: ['one p1 held'], summary: { complete: false } })
    const late = await apply(store, plan, new TicketOffice(), LATER + 15)
    expect(late).toMatchObject({ outcomes: ['one p1 applied'], summary: { complete: true } })
  })

  it('has nothing left to do, and to wait for, where the money went back', async () => {
    const store = await storeWith({ one: [requested(), captured()] })
    const plan = await planOf(store)
    await tell(store, 'one', refund('Requested', 100))
    await tell(store, 'one', refund('Succeeded', 100))
    expect(await apply(store, plan, new TicketOffice())).toMatchObject({ outcomes: ['one p1 already-good'] })
  })

  it('of the last item that meets a live ticket is not clean: it ends with findings for a person', async () => {
    const store = await storeWith({ one: [requested(), captured()] })
    const office = new TicketOffice()
    const racing: Authority = {
      name: 'racing',
      lookUp: (call) => office.lookUp(call),
      issue: async (call) => {
        await tell(store, 'one', issued('p1', { ticketNumber: '1250000000007' }))
        return office.issue(call)
      },
    }
    const { summary } = await repair(store, racing)
    expect(summary).toMatchObject({ complete: true, opened: 2, outcomes: { applied: 1 } })
    expect(exitOfApply(summary)).toBe(2)
  })

  it('beside which a live ticket came is not verified as good', async () => {
    const store = await storeWith({ one: [requested(), captured()] })
    const { outcomes } = await repair(store, new TicketOffice())
    expect(outcomes).toEqual(['one p1 applied'])
    await tell(store, 'one', issued('p1', { ticketNumber: '1250000000007' }))
    const { bad } = await verify(store, projection, { now })
    expect(bad).toMatchObject([{ why: 'what records it is part of: duplicate-ticket, repair-collision' }])
  })

  it('leaves a booking alone while a live attempt is at one of its passengers', async () => {
    const store = await storeWith({
      family: [...family, attempt({ passengerIds: ['p1'], occurredAt: time(LATER - 1) })],
    })
    const { outcomes } = await repair(store, new TicketOffice())
    expect(outcomes).toEqual([])
    expect(await found(store)).toEqual(['family paid-not-ticketed'])
  })
})
