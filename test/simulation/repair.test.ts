// `makegood repair` killed at every step and simply called again: each call makes a plan of its own, and still nobody gets two tickets.
import { expect, onTestFinished, test } from 'vitest'
import { seedFor } from '../controls/seed.js'
import { breachesAtEnd } from './end.js'
import { breachesOf, CONVERGENCE, SAFETY } from './judge.js'
import { STEPS } from './kill-round.js'
import { Outage } from './outage.js'

test('repair, killed at every step and called again, leaves one ticket a passenger under one key', async () => {
  const seed = seedFor('repair')
  // Nobody is refused: what a killed run was refused is for a person by the plan of the next one.
  const behaviour = { seed, latencyMs: 15, lostRate: 0.1, garbageRate: 0.08 }
  const outage = await Outage.make({ seed, bookings: 400, behaviour })
  onTestFinished(() => outage.end())
  const { plan } = await outage.planUnapplied('before')
  for (const step of STEPS) {
    const victim = outage.repair(step)
    expect([step, await victim.reachesFailpoint()]).toEqual([step, true])
    victim.kill()
    await outage.settle(victim)
    expect(breachesOf(await outage.evidence(), SAFETY)).toEqual([])
  }
  await outage.startSimulator({ seed })
  const last = await outage.settle(outage.repair())
  expect([0, 2]).toContain(last.code)
  expect(await breachesAtEnd(outage, [], behaviour)).toEqual([])
  const breaches = breachesOf({ ...(await outage.evidence()), plans: [plan] }, CONVERGENCE)
  expect(breaches.filter((breach) => breach.startsWith('every item is settled'))).toEqual([])
}, 300_000)
