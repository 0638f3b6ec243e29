// Chaos: processes that apply one plan at once, in any order of their steps, killed anywhere, lied to by the store and the
// authority, raced by live issuing and refunds. Whatever happens nothing is done twice; once it is over all of it is told.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StoreUnavailableError } from '../../src/log/store-errors.js'
import { verify } from '../../src/repair/verify.js'
import { airline, NOW } from '../controls/airline.js'
import { Airport } from '../controls/airport.js'
import { type AppendFate, type ApplyingProcess, Killed } from '../controls/applying-process.js'
import { eventsOfLog } from '../controls/events.js'
import { LedgerAuthority, type Mood } from '../controls/ledger-authority.js'
import { applyCounted, expectCounted } from '../controls/plan-runs.js'
import { seedFor } from '../controls/seed.js'

const aFate = fc.constantFrom<AppendFate[]>('answered', 'answered', 'answered', 'lost-before', 'lost-after')
const aMood = fc.constantFrom<Mood[]>('answers', 'answers', 'loses-answer', 'loses-question', 'garbles')
const aRefusal = fc.constantFrom<Mood[]>('answers', 'refuses', 'refuses-for-now', 'loses-answer')

const aProcess = fc.record({
  killAt: fc.option(fc.nat(120), { nil: undefined }),
  inFlight: fc.constantFrom(1, 4),
  fates: fc.array(aFate, { maxLength: 12 }),
})

/** Somebody who acts on a passenger's booking after so many turns of the world. */
const anActor = fc.record({
  turns: fc.nat(60),
  act: fc.constantFrom<Act[]>('refunds', 'fails the refund', 'issues live', 'issues live, known'),
  booking: fc.nat(1),
  passenger: fc.nat(1),
})

type Act = 'refunds' | 'fails the refund' | 'issues live' | 'issues live, known'

const aStory = fc.record({
  bookings: fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 1, maxLength: 2 }),
  lookUp: fc.array(aMood, { maxLength: 4 }),
  issue: fc.array(fc.oneof(aMood, aRefusal), { maxLength: 4 }),
  processes: fc.array(aProcess, { minLength: 1, maxLength: 3 }),
  actors: fc.array(anActor, { maxLength: 3 }),
})

type Story = typeof aStory extends fc.Arbitrary<infer T> ? T : never

const PASSENGERS = ['p1', 'p2'] as const

/** Lets everything of a story happen in the order that the scheduler chooses. */
async function act(story: Story, airport: Airport, scheduler: fc.Scheduler): Promise<void> {
  const turn = () => scheduler.schedule(Promise.resolve())
  const plan = await airport.plan()
  const runs = story.processes.map(async ({ killAt, inFlight, fates }) => {
    const process = airport.process({
      onTouch: async (_, when, running) => {
        if (when === 'before') await turn()
        else if (killAt === running.touches) running.kill()
      },
      appendFate: () => fates.shift() ?? 'answered',
    })
    await run(process, () => process.apply(plan, { inFlight }).then((summary) => expectCounted(process, plan, summary)))
  })
  const actors = story.actors.map(async ({ turns, act: what, booking, passenger }) => {
    for (let turned = 0; turned <= turns; turned += 1) await turn()
    await perform(airport, what, String(booking), PASSENGERS[passenger] ?? 'p1')
  })
  await scheduler.waitFor(Promise.all([...runs, ...actors]))
}

/** A killed process and one whose store fell silent may fail, and nothing else may. */
async function run(_process: ApplyingProcess, apply: () => Promise<void>): Promise<void> {
  await apply().catch((error: unknown) => {
    if (!(error instanceof Killed || error instanceof StoreUnavailableError)) throw error
  })
}

async function perform(airport: Airport, what: Act, booking: string, passenger: string): Promise<void> {
  if (what === 'refunds') await airport.refund(booking)
  else if (what === 'fails the refund') await airport.failRefund(booking)
  else if (!airport.live.has(`${booking}/${passenger}`)) {
    await airport.issueLive(booking, passenger, what === 'issues live, known')
  }
}

/** The faults are over: the plan is applied until it changes nothing any more, then a new scan is. */
async function converge(airport: Airport, plan: Awaited<ReturnType<Airport['plan']>>): Promise<void> {
  airport.authority.behave()
  // A collision stops a run; each run settles what it has met, so that after so many none is left.
  let left = plan.items.length
  for (let runs = 0; left > 0 && runs <= plan.items.length; runs += 1) {
    left = (await applyCounted(airport.process(), plan)).left
  }
  expect(left).toBe(0)
  await applyCounted(airport.process(), plan)
  for (let runs = 0; runs < 2; runs += 1) await applyCounted(airport.process(), await airport.plan())
}

async function expectTold(airport: Airport): Promise<void> {
  const applied = airport.processes.flatMap(({ outcomes }) => outcomes.filter(({ kind }) => kind === 'applied'))
  const result = await verify(airport.store, airline, { now: NOW })
  expect({ bad: result.bad, doubled: result.doubled }).toEqual({ bad: [], doubled: {} })
  const settled = new Set((await eventsOfLog(airport.store)).map(keyOfSettled))
  expect(applied.filter(({ item }) => !settled.has(item.key))).toEqual([])
}

function keyOfSettled({ metadata }: { metadata: Uint8Array }): string | undefined {
  if (metadata.length === 0) return undefined
  const { step, key } = JSON.parse(new TextDecoder().decode(metadata))
  return step === 'settle' ? key : undefined
}

describe('any number of processes applying one plan, whatever befalls them', () => {
  it('do no work twice, ask under one key, lose no ticket, end, and leave nothing to do', async () => {
    const property = fc.asyncProperty(fc.scheduler(), aStory, async (scheduler, story) => {
      const { lookUp, issue, bookings } = structuredClone(story)
      const airport = new Airport(new LedgerAuthority({ lookUp, issue }))
      for (const [n, passengers] of bookings.entries()) await airport.pay(String(n), ...PASSENGERS.slice(0, passengers))
      const plan = await airport.plan()
      await act(structuredClone(story), airport, scheduler)
      expect(await airport.safetyBreaches(), await airport.describe()).toEqual([])
      await converge(airport, plan)
      expect(await airport.safetyBreaches()).toEqual([])
      expect(await airport.convergenceBreaches(), await airport.describe()).toEqual([])
      await expectTold(airport)
      const before = (await airport.domainEvents()).length
      await applyCounted(airport.process(), plan)
      expect(await airport.domainEvents()).toHaveLength(before)
    })
    const numRuns = Number(process.env.MAKEGOOD_RUNS ?? 250)
    await fc.assert(property, { seed: seedFor('chaos'), numRuns, endOnFailure: numRuns > 1_000 })
  })

  it('without faults give each passenger one ticket, however their steps interleave', async () => {
    const property = fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 6 }), async (scheduler, count) => {
      const airport = new Airport()
      await airport.pay('0', 'p1', 'p2')
      await airport.pay('1', 'p1')
      const processes = Array.from({ length: count }, () => ({ killAt: undefined, inFlight: 4 as const, fates: [] }))
      const story: Story = { bookings: [2, 1], lookUp: [], issue: [], processes, actors: [] }
      await act(story, airport, scheduler)
      expect(await airport.tickets()).toHaveLength(3)
      expect(await airport.safetyBreaches()).toEqual([])
      expect(new Set(airport.authority.keysAsked('issue')).size).toBe(3)
      expect(airport.authority.ledger.size).toBe(3)
    })
    await fc.assert(property, { seed: seedFor('racing processes'), numRuns: 40 })
  })
})
