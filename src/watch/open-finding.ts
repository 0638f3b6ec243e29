// Findings as a watch holds them: true now, with what is at stake and for how long.
import type { Finding } from '../engine/finding.js'
import type { FoldedSubject } from '../engine/fold.js'
import { InvalidProjectionError, type LiveView, type Projection, type RuleContext } from '../engine/projection.js'

/** A finding that is true now. */
export interface OpenFinding {
  readonly finding: Finding
  /** Why somebody must be woken by it; undefined where it can wait. */
  readonly page: string | undefined
  /** When it will be too late to make its subject good, in milliseconds since the Unix epoch. */
  readonly lostAt: number | undefined
  /** What is at stake with its subject. */
  readonly value: ReturnType<NonNullable<LiveView<unknown>['valueAtStake']>>
}

/** Findings as they are told: with what is at stake, and for how long. */
export function opened(
  findings: readonly Finding[],
  { state }: FoldedSubject,
  { live }: Projection,
  context: RuleContext,
): OpenFinding[] {
  const value = live?.valueAtStake?.(state)
  const lostAt = live?.lostAt?.(state)
  return findings.map((finding) => {
    const { id, rule, occurrence } = finding
    return { finding, page: live?.page?.(state, { id, rule, occurrence }, context), lostAt, value }
  })
}

/** Without deadlines nobody would judge again when time alone changes a finding: so `now` must not be looked at then. */
export function contextAt(now: number, { name, live }: Projection, lookups: RuleContext['lookups'] = {}): RuleContext {
  if (live) return { now, lookups }
  return {
    get now(): number {
      throw new InvalidProjectionError(
        `${name}: live: its rules look at now, so watch has to be told when: add live: { deadlines(state) {…} }`,
      )
    },
    lookups,
  }
}
