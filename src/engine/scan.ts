// A scan in one call: settle the cut, replay to it, judge by its present. What the command line does with its options, for programs.
import type { EventReader } from '../log/event-store.js'
import { type CutSpec, resolveCut } from './cut.js'
import type { Projection } from './projection.js'
import { type ReplayOptions, type ReplayResult, replay } from './replay.js'

/**
 * Scans a store as of a cut (default: its head). `now` is what rules take for the present, in milliseconds since the Unix epoch (default: the clock).
 * Throws CutError and what the store throws.
 */
export async function scan(
  reader: EventReader,
  projection: Projection,
  options: Partial<Omit<ReplayOptions, 'cut'>> & { asOf?: CutSpec } = {},
): Promise<ReplayResult> {
  const { asOf = { kind: 'head' }, now = Date.now(), ...rest } = options
  const cut = await resolveCut(reader, asOf, Date.now())
  return replay(reader, projection, { ...rest, now, ...(cut && { cut }) })
}
