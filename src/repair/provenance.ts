// Provenance: the metadata that every appended event carries, so that years later the log alone tells who did what, why, by which
// rule and on which proof.

import { type FoldedSubject, revisionsOf } from '../engine/fold.js'
import type { JsonObject } from '../engine/json.js'
import type { Failure, Projection } from '../engine/projection.js'
import type { Plan, PlanItem } from './plan.js'

/** Which step of an item an event is. */
export type Step = 'claim' | 'settle' | 'fail'

/** Who applies a plan, and who allowed it. */
export interface Actors {
  readonly actor: string
  readonly approver: string
  readonly engineVersion: string
}

/** What the engine reads back from its own events. */
export interface OwnMark {
  readonly key: string
  readonly step: Step
  readonly attemptId: string
  readonly campaignId: string
  /** 0 for the first event of a step, 1 for the next: a step may be several events. */
  readonly part: number
  /** Of a step `fail`: why it was not done. */
  readonly failure?: Failure
  /** Random: which of the processes that recorded the same fact under the same event id did it. */
  readonly appendId?: string
}

/** What an outcome's events say beside. */
export type OutcomeMark = Pick<OwnMark, 'failure' | 'appendId'>

/** Metadata of one event of an item. `$correlationId` is the subject, `$causationId` the event that opened the finding. */
export function provenanceOf(about: {
  plan: Plan
  item: PlanItem
  campaignId: string
  actors: Actors
  folded: FoldedSubject
  projection: Projection
  attemptId: string
  step: Step
  part: number
  outcome?: OutcomeMark
}): JsonObject {
  const { plan, item, campaignId, actors, folded, projection, attemptId, step, part, outcome = {} } = about
  const byCategory = projection.categories.map((category) => [
    `${category}Revision`,
    folded.heads[category]?.revision ?? null,
  ])
  return {
    $correlationId: item.subject,
    $causationId: item.evidence.events[0],
    origin: 'repair',
    key: item.key,
    step,
    attemptId,
    part,
    ...(outcome as JsonObject),
    campaignId,
    planDigest: plan.digest,
    findingIds: item.intent.answers,
    rules: item.rules,
    projection: plan.projection,
    ruleVersion: plan.version,
    engineVersion: actors.engineVersion,
    reason: `${item.rules.join(', ')} as of ${plan.cut?.position ?? 'an empty log'}`,
    actor: actors.actor,
    approver: actors.approver,
    cut: plan.cut,
    ...Object.fromEntries(byCategory),
    revisions: revisionsOf(folded, projection),
  }
}

/** The mark of an event that a repair appended; undefined on any other. */
export function ownMarkOf(metadata: JsonObject): OwnMark | undefined {
  const { origin, key, step, attemptId, campaignId, part, failure, appendId } = metadata
  if (origin !== 'repair' || (step !== 'claim' && step !== 'settle' && step !== 'fail')) return undefined
  if (typeof key !== 'string' || typeof attemptId !== 'string' || typeof campaignId !== 'string') return undefined
  if (typeof part !== 'number') return undefined
  return {
    ...{ key, step, attemptId, campaignId, part },
    ...(isFailure(failure) && { failure }),
    ...(typeof appendId === 'string' && { appendId }),
  }
}

function isFailure(value: unknown): value is Failure {
  if (typeof value !== 'object' || value === null) return false
  const { code, message, retryable } = value as Record<string, unknown>
  return typeof code === 'string' && typeof message === 'string' && typeof retryable === 'boolean'
}
