// Kills: a process that applies a plan is stopped at every step and at every touch of the world, before and after its effect, while
// refunds and live tickets come in between. Another run must bring it to the one right end.
import { describe, expect, it } from 'vitest'
import { listCampaigns } from '../../src/repair/campaign.js'
import type { StepName } from '../../src/repair/workplace.js'
import { Airport } from '../controls/airport.js'
import { Killed, type Touch } from '../controls/applying-process.js'
import { LedgerAuthority, type Mood } from '../controls/ledger-authority.js'

const STEPS: readonly StepName[] = ['read', 'claimed', 'looked-up', 'issued', 'recorded', 'read-again']

/** When something happens: right after the how-many-eth touch, which is also right before the next one. */
type Moment = number

interface Story {
  readonly passengers?: readonly string[]
  readonly issueMoods?: readonly Mood[]
  readonly kill?: Moment
  readonly event?: { readonly at: Moment; readonly happens: (airport: Airport) => Promise<unknown> }
}

/** Applies a plan under a story: a first run that may be killed, then runs until nothing is left open. */
async function live(story: Story): Promise<Airport> {
  const { passengers = ['p1'], issueMoods = [], kill, event } = story
  const airport = new Airport(new LedgerAuthority({ issue: issueMoods }))
  await airport.pay('1', ...passengers)
  const plan = await airport.plan()
  const victim = airport.process({
    onTouch: async (_, when, process) => {
      if (when === 'before') return
      if (event?.at === process.touches) await event.happens(airport)
      if (kill === process.touches) process.kill()
    },
  })
  await victim.apply(plan).catch(expectKilled)
  airport.authority.behave()
  for (let runs = 0; runs < 3; runs += 1) await airport.process().apply(plan)
  // A live ticket that came after the last reading is the next scan's to find.
  await airport.process().apply(await airport.plan())
  return airport
}

function expectKilled(error: unknown): void {
  if (!(error instanceof Killed)) throw error
}

/** How many touches an undisturbed run has. */
async function touchesOf(story: Story): Promise<number> {
  const airport = await live(story)
  return airport.processes[0]?.touches ?? 0
}

function momentsUpTo(touches: number): Moment[] {
  return Array.from({ length: touches }, (_, index) => index + 1)
}

async function breachesOf(airport: Airport): Promise<string[]> {
  return [...(await airport.safetyBreaches()), ...(await airport.convergenceBreaches())]
}

describe('an undisturbed run', () => {
  it('passes every step in its order: claim, look up, ask, record, read again', async () => {
    const airport = new Airport()
    await airport.pay('1', 'p1')
    const touched: string[] = []
    const process = airport.process({
      onTouch: ({ name, about }: Touch, when) => {
        if (when === 'after' && (name === 'append' || !name.startsWith('read') || name.includes('-'))) {
          touched.push(name === 'append' ? `append ${about.split('-')[0]}` : name)
        }
      },
    })
    await process.apply(await airport.plan())
    expect(touched.slice(touched.indexOf('append ticket'))).toEqual([
      'append ticket',
      'claimed',
      'lookUp',
      'looked-up',
      'issue',
      'issued',
      'append ticket',
      'recorded',
      'read-again',
      'append makegood.campaign',
      'append makegood.campaign',
    ])
    expect(await airport.ticketStream('1')).toEqual(['TicketIssueRequested', 'TicketIssued'])
  })
})

describe('a process killed at a step', () => {
  it.each(STEPS)('%s: the next run ends with one ticket for each passenger, asked for under one key', async (step) => {
    const airport = new Airport()
    await airport.pay('1', 'p1', 'p2')
    const plan = await airport.plan()
    let runs = 0
    for (let isKilled = true; isKilled && runs < 10; runs += 1) {
      isKilled = false
      const process = airport.process({
        onTouch: ({ name }, when, running) => {
          if (name !== step || when === 'before' || runs >= 4) return
          isKilled = true
          running.kill()
        },
      })
      await process.apply(plan).catch(expectKilled)
    }
    expect(runs).toBeGreaterThan(1)
    expect(await airport.tickets()).toEqual(['1/p1 2200000000001 REPAIR', '1/p2 2200000000002 REPAIR'])
    expect(new Set(airport.authority.keysAsked('issue')).size).toBe(2)
    expect(await breachesOf(airport)).toEqual([])
  })
})

describe('a process killed at any touch of the world', () => {
  it('leaves what the next run brings to one ticket for each passenger', async () => {
    const passengers = ['p1', 'p2']
    const touches = await touchesOf({ passengers })
    expect(touches).toBeGreaterThan(30)
    for (const kill of momentsUpTo(touches)) {
      const airport = await live({ passengers, kill })
      expect({ kill, breaches: await breachesOf(airport) }).toEqual({ kill, breaches: [] })
      expect(await airport.tickets()).toHaveLength(2)
      expect(new Set(airport.authority.keysAsked('issue')).size).toBe(2)
    }
  })

  it.each<Mood>(['loses-answer', 'loses-question', 'garbles', 'refuses-for-now', 'refuses'])(
    'while the authority %s: what it issued is recorded once, and nothing twice',
    async (mood) => {
      const issueMoods = [mood, mood]
      for (const kill of momentsUpTo(await touchesOf({ issueMoods }))) {
        const airport = await live({ issueMoods, kill })
        expect({ kill, breaches: await breachesOf(airport) }).toEqual({ kill, breaches: [] })
        expect(await airport.tickets()).toHaveLength(airport.authority.ledger.size)
      }
    },
  )
})

describe('a process killed at any touch while the authority refuses for good', () => {
  it('leaves what the next run tells as refused, so that the campaign comes to its end', async () => {
    const issueMoods: Mood[] = ['refuses']
    for (const kill of momentsUpTo(await touchesOf({ issueMoods }))) {
      const airport = await live({ issueMoods, kill })
      const wasAsked = (await airport.ticketStream('1')).includes('TicketIssueFailed')
      const [campaign] = await listCampaigns(airport.store)
      const [item] = campaign?.items.values() ?? []
      expect([kill, item?.outcome, campaign?.finished]).toEqual([kill, wasAsked ? 'refused' : 'applied', true])
      if (wasAsked) expect(item?.why).toBe('ledger: no-seat: not today')
    }
  })
})

describe('a refund that comes at any touch of the world', () => {
  const happens = (airport: Airport) => airport.refund('1')

  it('lets no ticket be asked for that a reading after the claim forbids, and what is issued is recorded', async () => {
    const touches = await touchesOf({})
    const ends = new Set<string>()
    for (const at of momentsUpTo(touches)) {
      const airport = await live({ event: { at, happens } })
      expect({ at, breaches: await breachesOf(airport) }).toEqual({ at, breaches: [] })
      ends.add((await airport.ticketStream('1')).join(' '))
    }
    expect([...ends].toSorted()).toEqual([
      '',
      'TicketIssueRequested TicketIssueFailed',
      'TicketIssueRequested TicketIssued',
    ])
  })

  it('between the asking and the last reading is a case for a person at once', async () => {
    const airport = new Airport()
    await airport.pay('1', 'p1')
    const process = airport.process({
      onTouch: async ({ name }, when) => {
        if (name === 'issued' && when === 'after') await happens(airport)
      },
    })
    const summary = await process.apply(await airport.plan())
    expect(summary.outcomes.applied).toBe(1)
    expect(summary.cases).toBe(1)
    expect(await airport.cases()).toEqual(['refund-pending 1'])
  })

  it('and a kill, at any two touches, leave no ticket unrecorded', async () => {
    const touches = await touchesOf({})
    for (const at of momentsUpTo(touches)) {
      for (const kill of momentsUpTo(touches)) {
        const airport = await live({ event: { at, happens }, kill })
        expect({ at, kill, breaches: await breachesOf(airport) }).toEqual({ at, kill, breaches: [] })
      }
    }
  })
})

describe.each([
  ['that the authority does not know of', false],
  ['that the authority knows of', true],
])('a live ticket %s, coming at any touch of the world', (_, isKnown) => {
  const happens = (airport: Airport) => airport.issueLive('1', 'p1', isKnown)

  it('leaves one ticket, or two and a case, and the campaign stopped where more was to do', async () => {
    const ends = new Set<string>()
    for (const at of momentsUpTo(await touchesOf({}))) {
      const airport = await live({ event: { at, happens } })
      expect({ at, breaches: await breachesOf(airport) }).toEqual({ at, breaches: [] })
      ends.add((await airport.tickets()).map((ticket) => ticket.split(' ')[2]).join(' '))
    }
    expect([...ends].toSorted()).toEqual(['LIVE', 'LIVE REPAIR', 'REPAIR LIVE'])
  })

  it('and a kill, at any two touches, leave no collision without its case', async () => {
    const touches = await touchesOf({})
    for (const at of momentsUpTo(touches)) {
      for (const kill of momentsUpTo(touches)) {
        const airport = await live({ event: { at, happens }, kill })
        const breaches = await breachesOf(airport)
        expect({ at, kill, breaches }).toEqual({ at, kill, breaches: [] })
      }
    }
  })
})

describe('a collision', () => {
  it('stops the campaign: what was not begun is left, and says why', async () => {
    const airport = new Airport()
    for (const booking of ['1', '2', '3']) await airport.pay(booking, 'p1')
    const process = airport.process({
      onTouch: async ({ name }, when) => {
        if (name === 'issued' && when === 'after' && airport.live.size === 0) await airport.issueLive('1', 'p1')
      },
    })
    const summary = await process.apply(await airport.plan())
    expect(summary).toMatchObject({ left: 2, complete: false, cases: 1, stopped: 'repair-collision on 1' })
    expect(summary.outcomes.applied).toBe(1)
    expect(await airport.tickets()).toEqual(['1/p1 9900000000001 LIVE', '1/p1 2200000000001 REPAIR'])
    expect(await airport.wasStopped()).toBe(true)
  })

  it('of a killed run stops the next one that finds it', async () => {
    const airport = new Airport()
    for (const booking of ['1', '2', '3']) await airport.pay(booking, 'p1')
    const plan = await airport.plan()
    const victim = airport.process({
      onTouch: async ({ name }, when, process) => {
        if (name === 'issued' && when === 'after') await airport.issueLive('1', 'p1')
        if (name === 'recorded') process.kill()
      },
    })
    await victim.apply(plan).catch(expectKilled)
    expect(await airport.cases()).toEqual([])
    const summary = await airport.process().apply(plan)
    expect(await airport.cases()).toEqual(['repair-collision 1'])
    expect(summary).toMatchObject({ left: 2, stopped: 'repair-collision on 1' })
  })
})
