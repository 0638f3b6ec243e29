// Recording what came of a command, where the store will not have it: nothing is told as done or refused that is not in the log, and the
// next run says how it ended.
import { describe, expect, it } from 'vitest'
import type { ProposedEvent } from '../../src/log/event.js'
import type { AppendResult, EventStore } from '../../src/log/event-store.js'
import { StoreUnavailableError } from '../../src/log/store-errors.js'
import { listCampaigns } from '../../src/repair/campaign.js'
import { Airport } from '../controls/airport.js'
import { LedgerAuthority } from '../controls/ledger-authority.js'

/** A store that answers for itself where `answer` has something to say. */
function answering(
  store: EventStore,
  answer: (stream: string, event: ProposedEvent) => Promise<AppendResult | undefined> | AppendResult | undefined,
): EventStore {
  return {
    ...methodsOf(store),
    append: async (stream, events, expected) =>
      (events[0] && (await answer(stream, events[0]))) ?? store.append(stream, events, expected),
  }
}

function methodsOf(store: EventStore): EventStore {
  const { readStream, readAll, append, deleteStream, tombstone, subscribeToStream, subscribeToAll, close } = store
  const methods = { readStream, readAll, append, deleteStream, tombstone, subscribeToStream, subscribeToAll, close }
  const bound = Object.entries(methods).map(([name, method]) => [name, method.bind(store)])
  return Object.fromEntries(bound) as EventStore
}

const CONFLICT: AppendResult = { kind: 'conflict', actual: 9 }
const LOST: AppendResult = { kind: 'unknown', message: 'the store is silent' }
const DENIED: AppendResult = { kind: 'refused', reason: 'access-denied', message: 'not allowed to write' }
const TOMBSTONED: AppendResult = { kind: 'refused', reason: 'stream-deleted', message: 'the stream is deleted' }

/** Applies a plan before a store that answers so to events of a type, then before the store as it is. */
async function runs(type: string, result: AppendResult, authority?: LedgerAuthority) {
  const airport = new Airport(authority)
  await airport.pay('1', 'p1')
  const plan = await airport.plan()
  const store = answering(airport.store, (_, event) => (event.type === type ? result : undefined))
  const first = airport.process({ store })
  const summary = await first.apply(plan)
  const recorded = await airport.ticketStream('1')
  const second = airport.process()
  await second.apply(plan)
  const told = (process: typeof first) => process.outcomes.map(({ kind, why }) => [kind, why])
  return { airport, summary, recorded, first: told(first), second: told(second) }
}

const refusing = () => new LedgerAuthority({ issue: ['refuses'] })
const REFUSED = ['refused', 'ledger: no-seat: not today']

describe('a refusal', () => {
  it.each([
    ['others keep appending', CONFLICT, ['unknown', 'others keep appending before the failure could be recorded']],
    ['the store is silent', LOST, ['unknown', 'the store is silent']],
    ['the store denies it', DENIED, ['refused', 'not allowed to write']],
  ])('that is not recorded because %s leaves the item open, and the next run ends it', async (_, result, told) => {
    const { airport, summary, recorded, first, second } = await runs('TicketIssueFailed', result, refusing())
    expect([first, summary.complete, recorded]).toEqual([[told], false, ['TicketIssueRequested']])
    expect(second).toEqual([REFUSED])
    expect(await airport.ticketStream('1')).toEqual(['TicketIssueRequested', 'TicketIssueFailed'])
    expect((await listCampaigns(airport.store)).map(({ finished }) => finished)).toEqual([true])
  })
})

describe('a ticket', () => {
  it.each([
    ['others keep appending', CONFLICT, ['unknown', 'issued, but others keep appending before it could be recorded']],
    ['the store is silent', LOST, ['unknown', 'the store is silent']],
    ['the store denies it', DENIED, ['refused', 'not allowed to write']],
  ])('that is not recorded because %s leaves the item open, and the next run records it', async (_, result, told) => {
    const { airport, summary, recorded, first, second } = await runs('TicketIssued', result)
    expect([first, summary.complete, recorded]).toEqual([[told], false, ['TicketIssueRequested']])
    expect(second).toEqual([['applied', undefined]])
    expect(await airport.tickets()).toEqual(['1/p1 2200000000001 REPAIR'])
  })

  it('that the store will not have is not refused for good: it is told with its number, and the next run records it', async () => {
    const { airport, summary, first, second } = await runs('TicketIssued', TOMBSTONED)
    const why = 'issued, but the store will not have it: the stream is deleted: {"ticketNumber":"2200000000001"}'
    expect([first, summary.complete]).toEqual([[['unknown', why]], false])
    expect(second).toEqual([['applied', undefined]])
    expect(await airport.tickets()).toEqual(['1/p1 2200000000001 REPAIR'])
  })

  it('is not asked for where the claim is refused for ever', async () => {
    const { airport, first } = await runs('TicketIssueRequested', TOMBSTONED)
    expect(first).toEqual([['refused', 'the stream is deleted']])
    expect(airport.authority.keysAsked('issue')).toEqual([])
  })
})

describe('two processes with the same claim', () => {
  it('of which one records the ticket while the other gives the claim up tell it as good, once', async () => {
    const airport = new Airport()
    await airport.pay('1', 'p1')
    const plan = await airport.plan()
    const winner = airport.process()
    // The first has looked up and found nothing, and a refund forbids it to ask. Before it can say so the refund fails, and the second has
    // the ticket issued and recorded.
    const store = answering(airport.store, async (_, event) => {
      if (event.type !== 'TicketIssueFailed') return undefined
      await airport.failRefund('1')
      await winner.apply(plan)
      return undefined
    })
    const loser = airport.process({
      store,
      onTouch: async ({ name }, when) => {
        if (name === 'claimed' && when === 'after') await airport.refund('1')
      },
    })
    await loser.apply(plan)
    expect(winner.outcomes.map(({ kind }) => kind)).toEqual(['applied'])
    expect(loser.outcomes.map(({ kind, why }) => [kind, why])).toEqual([
      ['already-good', 'another process has done it meanwhile'],
    ])
    expect(await airport.ticketStream('1')).toEqual(['TicketIssueRequested', 'TicketIssued'])
  })
})

describe('a review case', () => {
  it('that cannot be opened stops the run by the name of its subject, and the next run opens it', async () => {
    const airport = new Airport()
    await airport.pay('1', 'p1')
    await airport.issueLive('2', 'p1')
    await airport.pay('2', 'p1')
    await airport.issueLive('2', 'p1')
    const plan = await airport.plan()
    expect(plan.cases.map(({ subject }) => subject)).toEqual(['2'])
    const store = answering(airport.store, (stream) => (stream.startsWith('makegood.case-') ? DENIED : undefined))
    const failing = airport.process({ store }).apply(plan)
    await expect(failing).rejects.toThrow(StoreUnavailableError)
    await expect(failing).rejects.toThrow('A review case for 2 could not be opened: not allowed to write')
    expect(await airport.tickets()).toHaveLength(2)
    await airport.process().apply(plan)
    expect(await airport.cases()).toEqual(['duplicate-ticket 2'])
    expect(await airport.tickets()).toHaveLength(3)
  })
})
