// One round of kills: an outage repaired by processes of which one after the other is killed, at a named step or at any time, while others
// sell, issue and refund beside them; then the faults are over, all is run to its end, and judged.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Plan } from '../../src/repair/plan.js'
import type { StepName } from '../../src/repair/workplace.js'
import { Random } from '../../src/workload/random.js'
import { breachesAtEnd } from './end.js'
import { breachesOf, SAFETY } from './judge.js'
import type { MakegoodProcess } from './makegood-process.js'
import { type Act, Outage, type Planned } from './outage.js'

export const STEPS: readonly StepName[] = ['read', 'claimed', 'looked-up', 'issued', 'recorded', 'read-again']
export type Place = StepName | 'any time'

/** How many processes were killed where. */
export type Kills = Record<Place, number>

export interface Round {
  readonly kills: Kills
  /** Items of the plan, and events in the log at the end. */
  readonly items: number
  readonly events: number
  /** What broke a rule; none where all held. */
  readonly breaches: readonly string[]
}

export interface RoundOptions {
  readonly seed: number
  readonly bookings: number
  /** Default an outage. */
  readonly scenario?: 'outage' | 'mixed'
  /** Whether the authority is asked for each booking's tickets as well, in plan and apply. */
  readonly asksAuthority?: boolean
  /** Where to kill, in this order; the round ends when the plan is carried out before. */
  readonly places: readonly Place[]
}

const FAULTS = { latencyMs: 15, refusalRate: 0.05, lostRate: 0.1, garbageRate: 0.08 }

/** Where nobody may be silent three times on end: a command that cannot learn what it was told to ask ends with 69. */
const RARE = { lostRate: 0.01, garbageRate: 0.01 }

export function noKills(): Kills {
  return Object.fromEntries([...STEPS, 'any time'].map((place) => [place, 0])) as Kills
}

/** Plays a round. Its folder is gone afterwards, unless a rule was broken: then it is named among the breaches. */
export async function playRound(options: RoundOptions): Promise<Round> {
  const { seed, bookings, scenario = 'outage', asksAuthority = false, places } = options
  const random = new Random(seed, 0)
  const behaviour = { ...FAULTS, ...(asksAuthority && RARE), seed }
  const outage = await Outage.make({ seed, bookings, scenario, behaviour, asksAuthority })
  const planned = await outage.plan('plan')
  const standing = outage.stand(actsBeside(planned.plan, random), { pauseMs: 40 })
  const kills = noKills()
  for (const place of places) {
    if (await killAt(place, { outage, planned, random })) kills[place] += 1
    // The authority dies as well, and comes back with what it had told.
    if (random.chance(0.1)) await outage.startSimulator(behaviour)
  }
  const safety = breachesOf(await outage.evidence(), SAFETY)
  await standing
  const breaches = [...safety, ...(await breachesAtEnd(outage, [planned], behaviour))]
  const { events } = await outage.evidence()
  if (breaches.length === 0) await outage.end()
  else breaches.push(`seed ${seed}, left in ${outage.folder}`)
  await outage.stop()
  return { kills, items: planned.plan.items.length, events: events.length, breaches }
}

interface Scene {
  readonly outage: Outage
  readonly planned: Planned
  readonly random: Random
}

/** Starts a process and kills it there; false where it ended before. Every third has another beside it, killed as well. */
async function killAt(place: Place, { outage, planned, random }: Scene): Promise<boolean> {
  const beside = random.chance(1 / 3) ? outage.apply(planned) : undefined
  const nth = random.between(1, 3)
  const victim = outage.apply(planned, place === 'any time' ? '' : `${place}:${nth}`)
  const isReached = place === 'any time' ? await untilAnyTime(victim, random) : await victim.reachesFailpoint()
  // What else the victim has in flight goes on for a moment.
  await sleep(random.between(0, 10))
  victim.kill()
  beside?.kill()
  const { signal } = await outage.settle(victim)
  if (beside) await outage.settle(beside)
  return isReached && signal === 'SIGKILL'
}

async function untilAnyTime(victim: MakegoodProcess, random: Random): Promise<boolean> {
  if (random.chance(0.7)) await victim.tellsSomething()
  await sleep(random.between(0, 150))
  return victim.isRunning
}

/** The bystander knows of no conjunctions: a document has at most four coupons. */
function isOneDocument({ intent }: Plan['items'][number]): boolean {
  const { segments } = intent.command ?? {}
  return Array.isArray(segments) && segments.length <= 4
}

/** Who does what beside the repair: about one in five of the plan's bookings is touched by somebody. */
function actsBeside({ items }: Plan, random: Random): Act[] {
  return random.shuffled(items.filter(isOneDocument)).flatMap(({ subject: bookingId, intent }, n): Act[] => {
    const passengerId = String(intent.command?.passengerId)
    const refundId = `beside-${n}`
    if (n % 20 === 1) return [{ act: 'refund', bookingId, refundId }]
    if (n % 20 === 2) {
      return [
        { act: 'refund', bookingId, refundId },
        { act: 'refund-failed', bookingId, refundId },
      ]
    }
    if (n % 20 === 3) return [{ act: 'live', bookingId, passengerId }]
    if (n % 20 === 4) return [{ act: 'live', bookingId, passengerId, failsFirst: true }]
    if (n === 5) return [{ act: 'live-rude', bookingId, passengerId }]
    return n % 5 === 0 ? [{ act: 'sell', bookingId: `N${n}`, like: bookingId }] : []
  })
}
