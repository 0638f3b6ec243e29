// Many processes that repair one folder at the same time, through one ticket authority that loses answers, talks nonsense and refuses.
import { expect, onTestFinished, test } from 'vitest'
import { seedFor } from '../controls/seed.js'
import { breachesAtEnd } from './end.js'
import type { Evidence } from './evidence.js'
import { breachesOf, SAFETY } from './judge.js'
import { Outage, type Planned } from './outage.js'

const FAULTS = { latencyMs: 10, refusalRate: 0.05, lostRate: 0.05, garbageRate: 0.05 }

/** Lets so many processes apply a plan at once and waits for all of them. */
async function applyTogether(outage: Outage, plans: readonly Planned[]): Promise<void> {
  const processes = plans.map((planned) => outage.apply(planned))
  await Promise.all(processes.map((process) => outage.settle(process)))
}

/** Of how many processes at least one item was applied. */
function hands({ ends }: Evidence): number {
  return ends.filter(({ stdout }) => stdout.includes('"outcome":"applied"')).length
}

test('50 processes applying one plan leave one ticket a passenger, each asked for under one key', async () => {
  const seed = seedFor('50 processes')
  const behaviour = { ...FAULTS, seed }
  const outage = await Outage.make({ seed, bookings: 130, behaviour })
  onTestFinished(() => outage.end())
  const planned = await outage.plan('plan')
  await applyTogether(outage, Array<Planned>(50).fill(planned))
  const evidence = await outage.evidence()
  expect(breachesOf(evidence, SAFETY)).toEqual([])
  expect(await breachesAtEnd(outage, [planned], behaviour)).toEqual([])
  process.stdout.write(`${planned.plan.items.length} items, applied by ${hands(evidence)} of 50 processes\n`)
  expect(hands(evidence)).toBeGreaterThan(1)
}, 300_000)

test('two plans of different times over the same findings, applied at once, leave one ticket a passenger', async () => {
  const seed = seedFor('two plans')
  const behaviour = { ...FAULTS, seed }
  const outage = await Outage.make({ seed, bookings: 130, behaviour })
  onTestFinished(() => outage.end())
  const first = await outage.plan('first')
  const sold = first.plan.items.slice(0, 3).map(({ subject }, n) => ({ bookingId: `N${n}`, like: subject }))
  await outage.stand(
    sold.map((act) => ({ act: 'sell-unticketed', ...act })),
    { pauseMs: 0 },
  )
  const second = await outage.plan('second')
  const keys = new Set(first.plan.items.map(({ key }) => key))
  expect(second.plan.digest).not.toBe(first.plan.digest)
  expect(second.plan.items.filter(({ key }) => keys.has(key))).toHaveLength(first.plan.items.length)
  expect(second.plan.items.length).toBeGreaterThan(first.plan.items.length)
  await applyTogether(outage, [first, second, first, second, first, second])
  expect(breachesOf(await outage.evidence(), SAFETY)).toEqual([])
  expect(await breachesAtEnd(outage, [first, second], behaviour)).toEqual([])
}, 300_000)
