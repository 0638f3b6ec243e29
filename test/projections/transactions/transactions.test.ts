// The smallest projection: paid and not ticketed, whatever the events of the two logs are called, and one event that makes it good.
import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { transactions } from '../../../projections/transactions/transactions.js'
import type { Projection } from '../../../src/engine/projection.js'
import { scan } from '../../../src/engine/scan.js'
import { applyPlan } from '../../../src/repair/apply.js'
import { makePlan } from '../../../src/repair/plan.js'
import { verify } from '../../../src/repair/verify.js'
import { openMemoryStore } from '../../../src/stores/memory/memory-store.js'
import { eventsOf, textOf } from '../../controls/events.js'
import { type Written, write } from '../../controls/log-writer.js'

const projection = transactions as Projection
const paid: Written = { type: 'Payment Confirmed', data: { transaction_id: '42', amount: 10 } }
const ticketed: Written = { type: 'Ticket Issued', data: { transaction_id: '42' } }

async function storeWith(payments: readonly Written[], tickets: readonly Written[]) {
  const store = openMemoryStore()
  if (payments.length > 0) await write(store, 'paymentlog-42', ...payments)
  if (tickets.length > 0) await write(store, 'ticketlog-42', ...tickets)
  return store
}

async function found(...logs: Parameters<typeof storeWith>): Promise<string[]> {
  const { findings } = await scan(await storeWith(...logs), projection, { now: 0 })
  return findings.map(({ rule, subject }) => `${rule} ${subject}`)
}

describe('a transaction', () => {
  it('with a payment and no ticket is found, once however often it was paid', async () => {
    expect(await found([paid], [])).toEqual(['paid-not-ticketed 42'])
    expect(await found([paid, paid], [])).toEqual(['paid-not-ticketed 42'])
    expect(await found([{ type: 'anything', data: {} }], [])).toEqual(['paid-not-ticketed 42'])
  })

  it('with a ticket is not, whatever its events are called and whether it was paid', async () => {
    expect(await found([paid], [ticketed])).toEqual([])
    expect(await found([paid], [{ type: 'anything', data: {} }])).toEqual([])
    expect(await found([], [ticketed])).toEqual([])
  })

  it('with an event that is no object is not judged', async () => {
    expect(await found([paid], [{ type: 'Ticket Issued', data: '[]' }])).toEqual([
      'paid-not-ticketed 42',
      'unknown-event 42',
    ])
  })

  it('is made good by one event, and a second repair appends nothing', async () => {
    const store = await storeWith([paid], [])
    const repair = async () => {
      const plan = makePlan(await scan(store, projection, { now: 0 }), projection)
      const actors = { actor: 'ann', approver: 'bob', engineVersion: '0' }
      const work = { store, projection, plan, actors, now: () => 0, newId: randomUUID, pause: async () => undefined }
      return (await applyPlan(work, { approve: plan.digest })).outcomes.applied
    }
    expect([await repair(), await repair()]).toEqual([1, 0])
    const [event, ...more] = await eventsOf(store, 'ticketlog-42')
    expect([event?.type, event && JSON.parse(textOf(event)), more]).toEqual([
      'Ticket Issued',
      { transaction_id: '42', event_type: 'Ticket Issued' },
      [],
    ])
    expect(await verify(store, projection, { now: 0 })).toMatchObject({ items: 1, bad: [], doubled: {} })
  })
})
