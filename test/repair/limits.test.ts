// What bounds a campaign: canary, limits, error budget, freeze, interruption; and what is left goes on in the next run.
import { describe, expect, it } from 'vitest'
import type { ApplyOptions } from '../../src/repair/apply.js'
import { listCampaigns, readCampaign } from '../../src/repair/campaign.js'
import { Airport } from '../controls/airport.js'
import { LedgerAuthority, type Mood } from '../controls/ledger-authority.js'
import { applyCounted } from '../controls/plan-runs.js'

async function airportOf(bookings: number, issue: readonly Mood[] = []): Promise<Airport> {
  const airport = new Airport(new LedgerAuthority({ issue }))
  for (let n = 1; n <= bookings; n += 1) await airport.pay(String(n), 'p1')
  return airport
}

async function runWith(airport: Airport, options: Partial<ApplyOptions>) {
  const plan = await airport.plan()
  const summary = await applyCounted(airport.process(), plan, options)
  return { plan, summary, issued: (await airport.tickets()).length }
}

describe('a limit', () => {
  it.each([0, 1, 3, 4])('of %i items takes no more, and the next run goes on with the rest', async (max) => {
    const airport = await airportOf(4)
    const { plan, summary, issued } = await runWith(airport, { max, inFlight: 3 })
    expect(issued).toBe(max)
    expect(summary).toMatchObject({ left: 4 - max, complete: max === 4 })
    expect(summary.stopped).toBe(max === 4 ? undefined : `limit: ${max} items in one run`)
    const next = await applyCounted(airport.process(), plan)
    expect(next.complete).toBe(true)
    expect(await airport.tickets()).toHaveLength(4)
  })

  it('of items counts what it takes, not what an earlier run has settled', async () => {
    const airport = await airportOf(4)
    const { plan } = await runWith(airport, { max: 2 })
    const next = await applyCounted(airport.process(), plan, { max: 2 })
    expect(next).toMatchObject({ left: 0, complete: true })
  })

  it('of value takes what fits under it in its currency, and no more', async () => {
    const airport = await airportOf(3)
    const { summary, issued } = await runWith(airport, { maxValue: { EUR: 20_000 } })
    expect(issued).toBe(2)
    expect(summary).toMatchObject({ left: 1, stopped: 'limit: 20000 EUR in one run' })
    const tight = await airportOf(3)
    expect((await runWith(tight, { maxValue: { EUR: 19_999 } })).issued).toBe(1)
    const other = await airportOf(3)
    expect((await runWith(other, { maxValue: { USD: 0 } })).issued).toBe(3)
  })
})

describe('a canary', () => {
  it('that is good lets the rest go', async () => {
    const { summary, issued } = await runWith(await airportOf(4), { canary: 2, inFlight: 4 })
    expect(issued).toBe(4)
    expect(summary.complete).toBe(true)
  })

  it.each<Mood>(['refuses', 'loses-answer'])('of which one is not good stops all the rest: %s', async (mood) => {
    const airport = await airportOf(5, ['answers', mood])
    const { summary, issued } = await runWith(airport, { canary: 3, inFlight: 4 })
    expect(issued).toBe(1)
    expect(summary.left).toBe(3)
    expect(summary.stopped).toBe(`canary: 2 ended ${mood === 'refuses' ? 'refused' : 'unknown'}`)
    expect(airport.authority.keysAsked('issue')).toHaveLength(2)
  })

  it('is settled one by one, however many may be in flight', async () => {
    const airport = await airportOf(4)
    const plan = await airport.plan()
    const order: string[] = []
    const process = airport.process({
      onTouch: ({ name, about }, when) => {
        if (when === 'after' && (name === 'claimed' || name === 'read-again')) order.push(`${about} ${name}`)
      },
    })
    await process.apply(plan, { canary: 4, inFlight: 4 })
    expect(order).toEqual(plan.items.flatMap(({ key }) => [`${key} claimed`, `${key} read-again`]))
  })

  it('that was good already is good', async () => {
    const airport = await airportOf(3)
    const plan = await airport.plan()
    await airport.issueLive('1', 'p1')
    expect((await applyCounted(airport.process(), plan, { canary: 1 })).complete).toBe(true)
  })

  it('that is stale stops the rest', async () => {
    const airport = await airportOf(3)
    const plan = await airport.plan()
    await airport.refund('1')
    const summary = await applyCounted(airport.process(), plan, { canary: 1 })
    expect(summary).toMatchObject({ left: 2, stopped: 'canary: 1 ended stale' })
  })
})

describe('an error budget', () => {
  it('stops once so many items have failed, refused and unknown alike', async () => {
    const airport = await airportOf(6, ['answers', 'refuses', 'answers', 'loses-question'])
    const { summary, issued } = await runWith(airport, { errorBudget: 2 })
    expect(issued).toBe(2)
    expect(summary).toMatchObject({ left: 2, stopped: 'error budget: 2 items failed' })
  })

  it('does not count what is merely stale or held', async () => {
    const airport = await airportOf(3)
    const plan = await airport.plan()
    await airport.refund('1')
    expect((await applyCounted(airport.process(), plan, { errorBudget: 1 })).left).toBe(0)
  })
})

describe('with many in flight', () => {
  /** Applies with a count of the subjects that are between their first reading and their last. */
  async function countingInFlight(airport: Airport, options: Partial<ApplyOptions>) {
    let [now, most] = [0, 0]
    const process = airport.process({
      onTouch: async ({ name }, when) => {
        if (when === 'before' && name === 'lookUp') now += 1
        most = Math.max(most, now)
        // Others come in here.
        if (name === 'lookUp' || name === 'issue') await new Promise((go) => setTimeout(go, 1))
        if (when === 'after' && name === 'issue') now -= 1
      },
    })
    const summary = await applyCounted(process, await airport.plan(), options)
    return { summary, most }
  }

  it.each([1, 4, 64])('no more than %i subjects are', async (inFlight) => {
    const { summary, most } = await countingInFlight(await airportOf(12), { inFlight })
    expect(most).toBe(Math.min(inFlight, 12))
    expect(summary).toMatchObject({ complete: true, outcomes: { applied: 12 } })
  })

  it('limits of items and of value hold to the item', async () => {
    expect((await runWith(await airportOf(30), { max: 5, inFlight: 64 })).issued).toBe(5)
    expect((await runWith(await airportOf(30), { maxValue: { EUR: 70_000 }, inFlight: 64 })).issued).toBe(7)
  })

  it('little more than the error budget is tried where everything fails', async () => {
    const airport = await airportOf(40, Array<Mood>(40).fill('refuses'))
    const { summary, most } = await countingInFlight(airport, { errorBudget: 4, inFlight: 64 })
    expect(most).toBe(4)
    expect(airport.authority.keysAsked('issue').length).toBeLessThanOrEqual(7)
    expect(summary).toMatchObject({ stopped: expect.stringMatching(/^error budget: /) })
  })

  it('those that turn out good let others join them', async () => {
    const { summary, most } = await countingInFlight(await airportOf(40), { errorBudget: 2, inFlight: 8 })
    expect(most).toBe(8)
    expect(summary.complete).toBe(true)
  })
})

describe('a freeze', () => {
  it('is asked about before each item; what was settled before it stays, what is left goes on after it', async () => {
    const airport = await airportOf(4)
    let asked = 0
    const isFrozen = () => {
      asked += 1
      return asked > 2 ? 'no changes at night' : undefined
    }
    const { plan, summary, issued } = await runWith(airport, { isFrozen })
    expect(issued).toBe(2)
    expect(summary).toMatchObject({ left: 2, stopped: 'no changes at night', complete: false })
    const record = await readCampaign(airport.store, summary.campaign)
    expect(record).toMatchObject({ stopped: 'no changes at night', finished: false })
    const next = await applyCounted(airport.process(), plan)
    expect(next.complete).toBe(true)
    expect(await readCampaign(airport.store, summary.campaign)).toMatchObject({ stopped: undefined, finished: true })
  })
})

describe('an interruption', () => {
  it('finishes what is in flight, begins nothing new, and the next run goes on', async () => {
    const airport = await airportOf(5)
    const plan = await airport.plan()
    const controller = new AbortController()
    const process = airport.process({
      onTouch: ({ name }, when) => {
        if (name === 'issued' && when === 'before') controller.abort()
      },
    })
    const summary = await applyCounted(process, plan, { signal: controller.signal, inFlight: 2 })
    const issued = (await airport.tickets()).length
    expect(issued).toBeGreaterThan(0)
    expect(issued).toBeLessThanOrEqual(2)
    expect(summary).toMatchObject({ interrupted: true, left: 5 - issued, stopped: 'interrupted', complete: false })
    expect(await airport.ticketStream('1')).toEqual(['TicketIssueRequested', 'TicketIssued'])
    const next = await applyCounted(airport.process(), plan)
    expect(next).toMatchObject({ complete: true, interrupted: false })
    expect(await airport.tickets()).toHaveLength(5)
    expect(await airport.safetyBreaches()).toEqual([])
  })

  it('before the first item does none', async () => {
    const airport = await airportOf(2)
    const { summary, issued } = await runWith(airport, { signal: AbortSignal.abort() })
    expect(issued).toBe(0)
    expect(summary).toMatchObject({ interrupted: true, left: 2 })
  })

  it('after the last item stops nothing', async () => {
    const airport = await airportOf(1)
    const plan = await airport.plan()
    const controller = new AbortController()
    const process = airport.process({ onTouch: ({ name }) => void (name === 'read-again' && controller.abort()) })
    const summary = await applyCounted(process, plan, { signal: controller.signal })
    expect(summary).toMatchObject({ interrupted: true, left: 0, complete: true })
    expect(summary.stopped).toBeUndefined()
  })
})

describe('items of one subject', () => {
  it('are settled in order while other subjects go on beside them', async () => {
    const airport = new Airport()
    await airport.pay('1', 'p1', 'p2', 'p3')
    await airport.pay('2', 'p1')
    const process = airport.process()
    await applyCounted(process, await airport.plan(), { inFlight: 8 })
    const first = process.outcomes.filter(({ item }) => item.subject === '1')
    expect(first.map(({ kind, item }) => `${item.intent.occurrence} ${kind}`)).toEqual([
      'p1/0 applied',
      'p2/0 applied',
      'p3/0 applied',
    ])
  })
})

describe('the list of campaigns', () => {
  it('tells each in the order of its beginning: who, what, how far', async () => {
    const airport = await airportOf(2)
    const first = await runWith(airport, { max: 1 })
    await airport.pay('3', 'p1')
    const second = await runWith(airport, {})
    const campaigns = await listCampaigns(airport.store)
    expect(campaigns.map(({ id, finished, stopped }) => ({ id, finished, stopped }))).toEqual([
      { id: first.summary.campaign, finished: false, stopped: 'limit: 1 items in one run' },
      { id: second.summary.campaign, finished: true, stopped: undefined },
    ])
    expect(campaigns[1]?.start).toEqual({
      planDigest: second.plan.digest,
      projection: 'airline',
      version: '1',
      now: second.plan.now,
      items: 2,
      actor: 'ann',
      approver: 'bob',
    })
    expect([...(campaigns[0]?.items.values() ?? [])]).toEqual([
      {
        key: first.plan.items[0]?.key,
        subject: '1',
        findingIds: first.plan.items[0]?.intent.answers,
        rules: ['paid-not-ticketed'],
        outcome: 'applied',
        stream: 'ticket-1',
        revision: 1,
      },
    ])
  })

  it('knows nothing of a campaign that was never begun', async () => {
    expect(await readCampaign(new Airport().store, 'nobody')).toMatchObject({ start: undefined, finished: false })
    expect(await listCampaigns(new Airport().store)).toEqual([])
  })
})

describe('review cases', () => {
  it('are opened once a finding, in whichever run and by whichever plan', async () => {
    const airport = await airportOf(2)
    await airport.issueLive('1', 'p1')
    await airport.issueLive('1', 'p1')
    const first = await runWith(airport, { max: 0 })
    expect(first.summary.cases).toBe(1)
    const again = await applyCounted(airport.process(), first.plan, { max: 0 })
    expect(again.cases).toBe(0)
    await airport.pay('3', 'p1')
    expect((await runWith(airport, {})).summary.cases).toBe(0)
    expect(await airport.cases()).toEqual(['duplicate-ticket 1'])
  })

  it('are opened also where nothing can be repaired', async () => {
    const airport = await airportOf(1)
    await airport.issueLive('1', 'p1')
    await airport.issueLive('1', 'p1')
    const { summary, plan } = await runWith(airport, {})
    expect(plan.items).toEqual([])
    expect(summary.cases).toBe(1)
    expect(await airport.cases()).toEqual(['duplicate-ticket 1'])
  })
})
