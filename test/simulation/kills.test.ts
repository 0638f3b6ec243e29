// Kills of real processes that repair a real folder, by SIGKILL from another process, at every step of the protocol and at any time; for
// many more of them: soak.ts.
import { expect, test } from 'vitest'
import { seedFor } from '../controls/seed.js'
import { type Place, playRound, STEPS } from './kill-round.js'

/** Steps at which new work is begun come first: a plan has only so much of it. */
const PLACES: readonly Place[] = ['claimed', 'read', 'looked-up', 'issued', 'recorded', 'read-again', 'any time']

test('after SIGKILL at every step and at any time the same plan applied again leaves one ticket a passenger', async () => {
  const seed = seedFor('kills')
  const places = [...PLACES, ...PLACES].toSorted((a, b) => PLACES.indexOf(a) - PLACES.indexOf(b))
  const { kills, items, events, breaches } = await playRound({ seed, bookings: 500, places })
  process.stdout.write(`${items} items, ${events} events, kills ${JSON.stringify(kills)}\n`)
  expect(breaches).toEqual([])
  expect(STEPS.filter((step) => kills[step] === 0)).toEqual([])
}, 300_000)
