// The workplace of an item: what settling it needs, and the few things that its steps share: reading, guarding, appending.
import type { Attempt, Draft, Projection, RuleContext } from '../engine/projection.js'
import { jsonEvent } from '../log/event.js'
import type { AppendResult, EventStore } from '../log/event-store.js'
import type { ExpectedRevision } from '../log/revision.js'
import type { Authority } from './authority.js'
import { type Standing, standingOf } from './decide.js'
import type { ItemOutcome } from './item-outcome.js'
import type { Plan, PlanItem } from './plan.js'
import { type Actors, provenanceOf, type Step } from './provenance.js'
import { appendSettled } from './settled-append.js'

/** Everything that settling an item needs beside the item. */
export interface Workplace {
  readonly store: EventStore
  readonly projection: Projection
  readonly plan: Plan
  readonly campaignId: string
  readonly actors: Actors
  /** Needed where items hold commands. */
  readonly authority?: Authority
  /** What rules take for the present. */
  readonly now: () => number
  readonly lookUp?: (subject: string) => Promise<RuleContext['lookups']>
  /** A random UUID. */
  readonly newId: () => string
  readonly pause: (ms: number) => Promise<void>
  /** Told before and after each step that a kill could fall between; tests stop the process there. */
  readonly onStep?: (step: StepName, item: PlanItem) => Promise<void> | void
}

/** Places in the protocol, in order. */
export type StepName = 'read' | 'claimed' | 'looked-up' | 'issued' | 'recorded' | 'read-again'

/** What one decision came to; `again` where a race was lost and all must be read anew. */
export type Attempted = Omit<ItemOutcome, 'item'> | 'again'

/** Reads an item's streams to their ends and decides anew. */
export async function readStanding(work: Workplace, item: PlanItem): Promise<Standing> {
  const lookups = (await work.lookUp?.(item.subject)) ?? {}
  return standingOf(work.store, work.projection, item, { now: work.now(), lookups })
}

/** What an append that is neither in the log nor lost to a race means for its item. */
export function outcomeOf(result: Extract<AppendResult, { kind: 'refused' | 'unknown' }>): Attempted {
  return { kind: result.kind, why: result.message }
}

/** The guard of the next append to an item's stream: where it stood when the decision was read. */
export function headOf(standing: Standing, item: PlanItem): Exclude<ExpectedRevision, 'any'> {
  return standing.folded.heads[item.intent.category]?.revision ?? 'noStream'
}

/** Appends drafts of one step with their provenance. `idOf` names them; default random. */
export function appendDrafts(
  work: Workplace,
  about: {
    item: PlanItem
    standing: Standing
    attemptId: string
    step: Step
    drafts: readonly Draft[]
    expected: Exclude<ExpectedRevision, 'any'>
    idOf?: (draft: Draft, index: number) => string
  },
): Promise<AppendResult> {
  const { item, standing, attemptId, step, drafts, expected, idOf = work.newId } = about
  const { plan, campaignId, actors, projection } = work
  const events = drafts.map((draft, part) => {
    const { folded } = standing
    const metadata = provenanceOf({ plan, item, campaignId, actors, folded, projection, attemptId, step, part })
    return jsonEvent({ id: idOf(draft, part), type: draft.type, data: draft.data, metadata })
  })
  return appendSettled(work.store, item.stream, events, expected, work.pause)
}

/** A try of an item under its key. */
export function attemptOf(work: Workplace, item: PlanItem, id: string): Attempt {
  return { id, key: item.key, at: new Date(work.now()).toISOString() }
}

/** A part that must be there by now: plans with commands are refused before the first item when it is not. */
export function requirePart<T>(part: T | undefined, why: string): T {
  if (part === undefined) throw new Error(why)
  return part
}
