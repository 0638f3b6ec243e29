// The end of a simulation: the faults are over, everything is run until nothing is left open, run once more, verified, planned anew, and
// judged.
import type { BehaviourOptions } from '../../src/simulator/behaviour.js'
import { breachesOf, CONVERGENCE, SAFETY } from './judge.js'
import type { Outage, Planned } from './outage.js'

/** What breaks a rule once all has been run to its end. `behaviour`: how the authority behaved; whom it refuses, it refuses to the end. */
export async function breachesAtEnd(
  outage: Outage,
  planned: readonly Planned[],
  behaviour: BehaviourOptions,
): Promise<string[]> {
  await outage.startSimulator({ ...behaviour, latencyMs: 0, lostRate: 0, garbageRate: 0, hangRate: 0 })
  for (const each of planned) await outage.converge(each)
  const again = await breachesOfAnotherRun(outage, planned)
  const verified = [await outage.verify(), await outage.verify()]
  const next = await outage.planUnapplied('next')
  const evidence = await outage.evidence()
  return [
    ...breachesOf(evidence, SAFETY),
    ...breachesOf(evidence, CONVERGENCE),
    ...again,
    ...verified.flatMap(({ code, stdout, stderr }) => (code === 0 ? [] : [`verify: ${code}: ${stdout} ${stderr}`])),
    ...next.plan.items.map(({ subject, intent }) => `left to repair: ${subject} ${intent.occurrence}`),
  ]
}

/** Run again when done, a plan appends nothing to the domain's streams. */
async function breachesOfAnotherRun(outage: Outage, planned: readonly Planned[]): Promise<string[]> {
  const before = (await outage.evidence()).events.length
  const codes: (number | null)[] = []
  for (const each of planned) codes.push((await outage.settle(outage.apply(each))).code)
  const added = (await outage.evidence()).events.slice(before).filter(({ stream }) => !stream.startsWith('makegood.'))
  return [
    ...added.map(({ stream, type }) => `a finished plan, applied again, appended ${type} to ${stream}`),
    ...codes.filter((code) => code !== 0 && code !== 3).map((code) => `applied again it ended with ${code}`),
  ]
}
