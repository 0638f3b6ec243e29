// What a watch that repairs does with a few subjects: plan, approve by the policy, apply. The plan, the campaign and the protocol are those of
// `plan` and `apply`.
import { readerOfSubjects } from '../engine/few-subjects.js'
import type { LookUp } from '../engine/judge-part.js'
import type { Intent, Projection } from '../engine/projection.js'
import { type ReplayResult, replay } from '../engine/replay.js'
import type { EventStore } from '../log/event-store.js'
import { applyPlan } from '../repair/apply.js'
import type { Authority } from '../repair/authority.js'
import type { ItemOutcome } from '../repair/item-outcome.js'
import { makePlan } from '../repair/plan.js'
import type { Repair } from '../watch/auto-repair.js'
import { isWithin, type RepairPolicy } from '../watch/repair-policy.js'
import type { Context } from './context.js'

export interface LiveRepairOptions {
  readonly store: EventStore
  readonly projection: Projection
  readonly policy: RepairPolicy
  readonly authority: Authority | undefined
  /** The present, as the watch's rules see it. */
  readonly clock: () => number
  readonly frozen: () => string | undefined
  readonly context: Context
  /** Who outside of the log is asked before anything is planned and claimed, as in `plan` and `apply`. */
  readonly lookUp: LookUp | undefined
  readonly onOutcome: (outcome: ItemOutcome) => void
}

/** A repair for `watch --repair`. */
export function liveRepair(options: LiveRepairOptions): Repair {
  const { store, projection, policy, clock, lookUp } = options
  return async (subjects, reserve, signal) => {
    const now = clock()
    const found = await replay(readerOfSubjects(store, projection, subjects), projection, {
      now,
      filters: { subjects },
      ...(lookUp && { lookUp }),
    })
    const asked = intentsWithin(found, policy)
    const count = asked.length === 0 ? 0 : await reserve(asked.map(({ value }) => value))
    if (count === 0) return { outcomes: {} }
    const plan = makePlan(onlyWith(found, new Set(asked.slice(0, count)), policy), projection)
    const { outcomes, stopped } = await apply(plan, now, signal, options)
    return { outcomes, ...(stopped !== undefined && { stopped }) }
  }
}

function apply(
  plan: ReturnType<typeof makePlan>,
  now: number,
  signal: AbortSignal,
  { store, projection, policy, authority, frozen, context, lookUp, onOutcome }: LiveRepairOptions,
) {
  const { user, version, newId, pause, failpoint, tracing } = context
  const actors = { actor: `${user}, watching`, approver: policy.approver, engineVersion: version }
  return applyPlan(
    {
      store,
      projection,
      plan,
      actors,
      ...(authority && { authority }),
      ...(lookUp && { lookUp }),
      now: () => now,
      newId,
      pause,
      tracing,
      ...(failpoint && { onStep: failpoint }),
    },
    { approve: plan.digest, errorBudget: policy.errorBudget, isFrozen: frozen, signal, onOutcome },
  )
}

/** The intents that the policy allows at all, in the order in which a plan has them. */
function intentsWithin({ findings, compensations }: ReplayResult, policy: RepairPolicy): Intent[] {
  const named = new Set(findings.filter(({ rule }) => policy.rules.includes(rule)).map(({ id }) => id))
  return compensations
    .flatMap(({ intents }) => intents)
    .filter(({ answers, value }) => answers.some((id) => named.has(id)) && isWithin(policy, value))
}

/** A result with some intents only, and with no finding for a person: `plan` and `apply` open cases, a watch tells of them. */
function onlyWith(found: ReplayResult, chosen: ReadonlySet<Intent>, { rules }: RepairPolicy): ReplayResult {
  const findings = found.findings.filter(({ rule }) => rules.includes(rule))
  const compensations = found.compensations
    .map((one) => ({ ...one, intents: one.intents.filter((intent) => chosen.has(intent)) }))
    .filter(({ intents }) => intents.length > 0)
  return { ...found, findings, compensations }
}
