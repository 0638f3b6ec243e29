// Verification: it believes the log and not the campaign, and finds what is doubled, absent or still wrong.
import { describe, expect, it } from 'vitest'
import { resolveCut } from '../../src/engine/cut.js'
import { jsonEvent } from '../../src/log/event.js'
import { streamOf } from '../../src/log/stream.js'
import { CampaignUnknownError, verify } from '../../src/repair/verify.js'
import { airline, NOW } from '../controls/airline.js'
import { Airport } from '../controls/airport.js'
import { eventsOf, textOf } from '../controls/events.js'
import { LedgerAuthority } from '../controls/ledger-authority.js'
import { parcels } from '../controls/parcels.js'

async function repaired(authority?: LedgerAuthority): Promise<{ airport: Airport; campaign: string }> {
  const airport = new Airport(authority)
  await airport.pay('1', 'p1', 'p2')
  await airport.pay('2', 'p1')
  const { campaign } = await airport.process().apply(await airport.plan())
  return { airport, campaign }
}

const verified = (airport: Airport, campaign?: string) =>
  verify(airport.store, airline, { now: NOW, ...(campaign !== undefined && { campaign }) })

/** Writes into a campaign's stream what it would say of an item with these fields. */
async function claimSettled(airport: Airport, campaign: string, fields: object): Promise<void> {
  const data = {
    key: 'a-key',
    subject: '9',
    findingIds: [],
    rules: [],
    outcome: 'applied',
    stream: 'ticket-9',
    revision: 1,
    ...fields,
  }
  const event = jsonEvent({ id: airport.newId(), type: 'ItemSettled', data })
  await airport.store.append(streamOf('makegood.campaign', campaign), [event], 'any')
}

describe('verification', () => {
  it('of a good campaign finds nothing, and replays the log itself', async () => {
    const { airport, campaign } = await repaired()
    const result = await verified(airport, campaign)
    expect(result).toMatchObject({ campaigns: [campaign], items: 3, bad: [], doubled: {} })
    expect(result.replay.findings).toEqual([])
    expect(result.replay.summary.coverage.events).toBe(8)
  })

  it('finds work that is recorded twice, though the campaign says it is applied', async () => {
    const { airport, campaign } = await repaired()
    const [, issued] = await eventsOf(airport.store, 'ticket-2')
    const original = issued as NonNullable<typeof issued>
    await airport.store.append('ticket-2', [{ ...original, id: airport.newId() }], 'any')
    const result = await verified(airport, campaign)
    const { key } = JSON.parse(new TextDecoder().decode(original.metadata))
    expect(result.doubled).toEqual({ [key]: 2 })
    expect(result.bad).toMatchObject([{ campaign, item: { subject: '2' }, why: 'recorded 2 times' }])
  })

  it('finds doubled work of any campaign, also of one that is not asked for', async () => {
    const { airport } = await repaired()
    const [, issued] = await eventsOf(airport.store, 'ticket-2')
    await airport.store.append('ticket-2', [{ ...(issued as NonNullable<typeof issued>), id: airport.newId() }], 'any')
    await airport.pay('3', 'p1')
    const { campaign } = await airport.process().apply(await airport.plan())
    const result = await verified(airport, campaign)
    expect(Object.values(result.doubled)).toEqual([2])
    expect(result.bad).toEqual([])
  })

  it('finds an item that is said to be applied and is not in the log', async () => {
    const { airport, campaign } = await repaired()
    await claimSettled(airport, campaign, {})
    const { bad } = await verified(airport, campaign)
    expect(bad).toMatchObject([
      { item: { key: 'a-key' }, why: 'said to be applied, and no event in the log records it' },
    ])
  })

  it('finds an item that is said to be good and is still found', async () => {
    const { airport, campaign } = await repaired()
    await airport.pay('9', 'p1')
    const [finding] = (await verified(airport)).replay.findings
    await claimSettled(airport, campaign, { outcome: 'already-good', findingIds: [finding?.id] })
    const { bad } = await verified(airport, campaign)
    expect(bad).toMatchObject([{ item: { outcome: 'already-good' }, why: `still found: ${finding?.id}` }])
  })

  it('finds an item that is said to be good and whose work is owed, though by a finding of another id', async () => {
    const { airport, campaign } = await repaired()
    await airport.pay('9', 'p1')
    const [item] = (await airport.plan()).items
    await claimSettled(airport, campaign, { outcome: 'already-good', key: item?.key, findingIds: ['an-older-one'] })
    const { bad } = await verified(airport, campaign)
    expect(bad).toMatchObject([
      { item: { outcome: 'already-good' }, why: 'still owed: another plan would do it again' },
    ])
  })

  it('takes a refusal for what it is', async () => {
    const { airport, campaign } = await repaired(new LedgerAuthority({ issue: ['refuses'] }))
    const { bad, items, replay } = await verified(airport, campaign)
    expect({ bad, items }).toEqual({ bad: [], items: 3 })
    expect(replay.findings.map(({ rule }) => rule)).toContain('issue-failed')
  })

  it('does not blame a campaign for a passenger whose fellow was refused', async () => {
    const { airport, campaign } = await repaired(new LedgerAuthority({ issue: ['refuses'] }))
    const record = (await verified(airport, campaign)).bad
    expect(record).toEqual([])
  })

  it("without a campaign looks at all of the projection's, and at no other's", async () => {
    const { airport, campaign } = await repaired()
    await airport.pay('3', 'p1')
    const second = await airport.process().apply(await airport.plan())
    expect((await verified(airport)).campaigns).toEqual([campaign, second.campaign])
    expect((await verify(airport.store, parcels, { now: NOW })).campaigns).toEqual([])
  })

  it('as of a cut counts only what is recorded up to it', async () => {
    const { airport, campaign } = await repaired()
    const cut = await resolveCut(airport.store, { kind: 'head' }, NOW)
    const [, issued] = await eventsOf(airport.store, 'ticket-2')
    await airport.store.append('ticket-2', [{ ...(issued as NonNullable<typeof issued>), id: airport.newId() }], 'any')
    const result = await verify(airport.store, airline, { now: NOW, campaign, ...(cut && { cut }) })
    expect(result.doubled).toEqual({})
    expect(result.bad).toEqual([])
  })

  it("of another projection's campaign says so: by other rules all of it would be good", async () => {
    const { airport, campaign } = await repaired()
    const asked = verify(airport.store, parcels, { now: NOW, campaign })
    await expect(asked).rejects.toThrow(CampaignUnknownError)
    await expect(asked).rejects.toThrow(`Campaign ${campaign} is of projection airline, not of parcels`)
  })

  it('of a campaign that nobody began says so', async () => {
    const { airport } = await repaired()
    await expect(verified(airport, 'nobody')).rejects.toThrow(CampaignUnknownError)
    await expect(verified(airport, 'nobody')).rejects.toThrow('nobody')
  })

  it('does not take events of others for a repair, whatever their metadata says', async () => {
    const { airport, campaign } = await repaired()
    const [, issued] = await eventsOf(airport.store, 'ticket-2')
    const original = issued as NonNullable<typeof issued>
    const mark = JSON.parse(new TextDecoder().decode(original.metadata))
    const broken = [
      { origin: 'live' },
      { step: 'later' },
      { key: 7 },
      { attemptId: null },
      { campaignId: 1 },
      { part: '0' },
    ]
    for (const fields of broken) {
      const copy = jsonEvent({
        id: airport.newId(),
        type: 'TicketIssued',
        data: JSON.parse(textOf(original)),
        metadata: { ...mark, ...fields },
      })
      await airport.store.append('ticket-2', [copy], 'any')
    }
    expect((await verified(airport, campaign)).doubled).toEqual({})
  })
})
