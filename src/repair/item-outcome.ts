// What became of one item of a plan: the line that `apply` prints and the campaign keeps.
import type { Finding } from '../engine/finding.js'
import type { Revision } from '../log/revision.js'
import type { PlanItem } from './plan.js'

/**
 * `applied`: the compensation is in the log by this run. `already-good`: nothing was owed any more. `stale`: it changed since it was approved; plan again.
 * `conflict`: others kept appending in between. `held`: somebody else is at it, or it is too early. `refused`: the store or the authority said no.
 * `unknown`: nobody could tell; apply again.
 */
export type OutcomeKind = 'applied' | 'already-good' | 'stale' | 'conflict' | 'held' | 'refused' | 'unknown'

export interface ItemOutcome {
  readonly item: PlanItem
  readonly kind: OutcomeKind
  /** Where the compensation stands; left out where nothing was appended. */
  readonly revision?: Revision
  readonly why?: string
  /** Refused for now only: the same may be asked again later. */
  readonly retryable?: true
  /** Findings for a person that were there when the streams were read again afterwards. */
  readonly opened?: readonly Finding[]
}

/** Whether applying the same plan again cannot change it. */
export function isFinal({ kind, retryable }: Pick<ItemOutcome, 'kind' | 'retryable'>): boolean {
  return kind === 'applied' || kind === 'already-good' || (kind === 'refused' && !retryable)
}
