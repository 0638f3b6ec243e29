// One item of a plan, from the decision to the proof. Whatever happens in between, a later run finds in the log how far this one
// came and goes on from there.
import type { Draft } from '../engine/projection.js'
import { NO_TRACING, type Span, traceContextIn } from '../log/tracing.js'
import type { Standing } from './decide.js'
import type { ItemOutcome, OutcomeKind } from './item-outcome.js'
import type { PlanItem } from './plan.js'
import { claimAndSettle, recordForgotten, resumeClaim } from './settle-command.js'
import {
  type Attempted,
  appendDrafts,
  doneBefore,
  headOf,
  outcomeOf,
  readAgain,
  readStanding,
  refusedBefore,
  type Workplace,
} from './workplace.js'

/** How often a lost race leads to a new decision before the item is left as a conflict. */
const DECISIONS_MAX = 5
const FAILED: ReadonlySet<OutcomeKind> = new Set(['refused', 'unknown', 'conflict'])
/** A span links to at most so many events' traces. */
const LINKS_MAX = 8

/** Settles one item. Never throws for what stores and authorities answer; throws PlanStaleError and what a store throws. */
export function settleItem(work: Workplace, item: PlanItem): Promise<ItemOutcome> {
  const { subject, stream, key, rules } = item
  const { tracing = NO_TRACING } = work
  return tracing.inSpan('repair.item', { attributes: { subject, stream, key, rules } }, async (span) => {
    const outcome = await decideAndSettle(work, item, tracing.isOn ? span : undefined)
    span.note({ outcome: outcome.kind })
    if (FAILED.has(outcome.kind)) span.fail(outcome.why ?? outcome.kind)
    return outcome
  })
}

/** `traced`: the span that stands for the item, where anybody listens. */
async function decideAndSettle(work: Workplace, item: PlanItem, traced: Span | undefined): Promise<ItemOutcome> {
  for (let decisions = 0; decisions < DECISIONS_MAX; decisions += 1) {
    const standing = await readStanding(work, item)
    if (traced && decisions === 0) linkCauses(traced, item, standing)
    await work.onStep?.('read', item)
    const attempted = await attempt(work, item, standing, decisions > 0)
    if (attempted !== 'again') return { item, ...attempted }
  }
  return { item, kind: 'conflict', why: `others appended between reading and writing, ${DECISIONS_MAX} times` }
}

/** The events that prove what is made good may be of somebody's trace. */
function linkCauses(span: Span, { evidence }: PlanItem, { events }: Standing): void {
  const proving = new Set(evidence.events)
  const contexts = events.flatMap(({ id, metadata }) => (proving.has(id) ? (traceContextIn(metadata) ?? []) : []))
  for (const context of contexts.slice(0, LINKS_MAX)) span.link(context)
}

async function attempt(work: Workplace, item: PlanItem, standing: Standing, raced: boolean): Promise<Attempted> {
  const { decision, openClaim, settledAt } = standing
  if (settledAt !== undefined) return doneBefore(standing, settledAt)
  // Another process claimed it after our reading: it is alive and at work. A claim found at the first reading is what a
  // killed run left behind, and is gone on with.
  if (openClaim && raced) return { kind: 'held', why: 'another process has just claimed it' }
  if (openClaim) return resumeClaim(work, item, openClaim.attemptId)
  if (decision.kind !== 'owed') {
    return (await recordForgotten(work, item, standing)) ?? refusedBefore(work, standing) ?? decision
  }
  const { intent } = decision
  if (intent.command) return claimAndSettle(work, item, standing, intent)
  return appendCompensation(work, item, standing, intent.events ?? [])
}

/** The simple form: nobody has to be asked, so the compensation is its own claim. */
async function appendCompensation(
  work: Workplace,
  item: PlanItem,
  standing: Standing,
  drafts: readonly Draft[],
): Promise<Attempted> {
  // Random ids: with deterministic ones a store would answer every racer "idempotent success".
  const attemptId = work.newId()
  const result = await appendDrafts(work, {
    item,
    standing,
    attemptId,
    step: 'settle',
    drafts,
    expected: headOf(standing, item),
  })
  if (result.kind === 'conflict') return 'again'
  if (result.kind !== 'appended') return outcomeOf(result)
  return readAgain(work, item, { revision: result.revision })
}
