// The long run of kills: rounds until so many processes were killed (MAKEGOOD_KILLS, default 500). Not among the tests:
// `vitest run --config test/simulation/soak.config.ts`, built before. A round is seen again with its seed: MAKEGOOD_SEED, MAKEGOOD_KILLS=1.
import { expect, test } from 'vitest'
import { Random } from '../../src/workload/random.js'
import { seedFor } from '../controls/seed.js'
import { type Kills, noKills, type Place, playRound, STEPS } from './kill-round.js'

const KILLS = Number(process.env.MAKEGOOD_KILLS ?? 500)
const KILLS_PER_ROUND = 28
const KINDS = [{}, { scenario: 'mixed', bookings: 2_400 }, { asksAuthority: true }] as const

test(`${KILLS} kills leave nothing done twice, and nothing undone`, async () => {
  const seed = seedFor('soak')
  const kills = noKills()
  for (let round = 0; sumOf(kills) < KILLS; round += 1) {
    const places = placesOf(new Random(seed + round, 1))
    const kind = KINDS[round % KINDS.length]
    const {
      kills: done,
      items,
      events,
      breaches,
    } = await playRound({ seed: seed + round, places, bookings: 800, ...kind })
    for (const place of Object.keys(done) as Place[]) kills[place] += done[place]
    process.stdout.write(
      `seed ${seed + round}: ${items} items, ${events} events, ${sumOf(done)} kills; so far ${JSON.stringify(kills)}\n`,
    )
    expect(breaches).toEqual([])
  }
})

/** Every place four times, those that need new work first. */
function placesOf(random: Random): Place[] {
  const places = [...STEPS, 'any time'] as const
  const shuffled = random.shuffled(
    Array.from({ length: KILLS_PER_ROUND }, (_, n) => places[n % places.length] as Place),
  )
  const isBeginning = (place: Place) => place === 'claimed' || place === 'read'
  return shuffled.toSorted((a, b) => Number(isBeginning(b)) - Number(isBeginning(a)))
}

function sumOf(kills: Kills): number {
  return Object.values(kills).reduce((sum, count) => sum + count, 0)
}
