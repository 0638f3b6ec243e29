// When a subject has to be judged again though nothing happens.
import type { Projection } from './projection.js'

/** The first moment after `now` at which the rules may say something else of a state; undefined where there is none. */
export function nextDeadline(state: unknown, { live }: Projection, now: number): number | undefined {
  let next: number | undefined
  for (const at of live?.deadlines(state) ?? []) if (at > now && (next === undefined || at < next)) next = at
  return next
}
