// An item for which somebody outside must be asked: claim it in the log, ask under its key, record what was answered, read again. What an
// authority has done is a fact and is always recorded; what it has not done is closed as failed; doubt stays open.
import type { Attempt, Intent } from '../engine/projection.js'
import type { AuthorityCall, IssueResult } from './authority.js'
import type { Standing } from './decide.js'
import type { PlanItem } from './plan.js'
import { abandon, recordFailed, recordIssued } from './record-outcome.js'
import {
  type Attempted,
  appendDrafts,
  attemptOf,
  headOf,
  outcomeOf,
  partsOf,
  readStanding,
  refusalOf,
  type Workplace,
} from './workplace.js'

/** First try: claims the work behind the guard of what was read, then carries it through. */
export async function claimAndSettle(
  work: Workplace,
  item: PlanItem,
  standing: Standing,
  intent: Intent,
): Promise<Attempted> {
  const { settlement } = partsOf(work)
  const tried = attemptOf(work, item, work.newId())
  const drafts = [settlement.claim(intent, tried)]
  const expected = headOf(standing, item)
  const result = await appendDrafts(work, { item, standing, attemptId: tried.id, step: 'claim', drafts, expected })
  if (result.kind === 'conflict') return 'again'
  if (result.kind !== 'appended') return outcomeOf(result)
  await work.onStep?.('claimed', item)
  return resumeClaim(work, item, tried.id)
}

/** Goes on from an open claim of this item's key: that of a moment ago, or one that a killed run left behind. */
export async function resumeClaim(work: Workplace, item: PlanItem, attemptId: string): Promise<Attempted> {
  // The claim's guard covers its own stream only: what came to the others, before the claim or since, is looked for now that it stands.
  const standing = await readStanding(work, item)
  if (standing.openClaim?.attemptId !== attemptId) return 'again'
  const { authority } = partsOf(work)
  const tried = attemptOf(work, item, attemptId)
  const call = callFor(item)
  const known = await authority.lookUp(call)
  await work.onStep?.('looked-up', item)
  if (known.kind === 'unknown') return { kind: 'unknown', why: `${authority.name}: ${known.message}` }
  if (known.kind === 'found') return recordIssued(work, item, tried, known.answer)
  const { decision } = standing
  if (decision.kind !== 'owed') {
    const why = 'why' in decision ? decision.why : 'nothing is owed any more'
    // Never final, even where all is good: a process that held the same claim may have asked just now. The next run looks.
    return (await abandon(work, item, tried, why)) ?? { kind: 'stale', why: `claim abandoned: ${why}` }
  }
  const result = await authority.issue(call)
  await work.onStep?.('issued', item)
  return recordResult(work, item, tried, result)
}

/**
 * Looks for work that was done under a claim which is closed by now: one process gave the claim up while another, since killed, was asking.
 * Undefined where there is none and the item's decision holds.
 */
export async function recordForgotten(
  work: Workplace,
  item: PlanItem,
  { lastAttempt }: Standing,
): Promise<Attempted | undefined> {
  // Without isRecorded, what somebody else has done and recorded could not be told from what was forgotten.
  if (lastAttempt === undefined || !work.projection.settlement?.isRecorded) return undefined
  const { authority } = partsOf(work)
  const known = await authority.lookUp(callFor(item))
  await work.onStep?.('looked-up', item)
  if (known.kind === 'none') return undefined
  if (known.kind === 'unknown') return { kind: 'unknown', why: `${authority.name}: ${known.message}` }
  return recordIssued(work, item, attemptOf(work, item, lastAttempt), known.answer)
}

function callFor({ key, intent }: PlanItem): AuthorityCall {
  return { key, request: intent.command ?? {} }
}

async function recordResult(work: Workplace, item: PlanItem, tried: Attempt, result: IssueResult): Promise<Attempted> {
  if (result.kind === 'done') return recordIssued(work, item, tried, result.answer)
  const { authority } = partsOf(work)
  if (result.kind === 'unknown') return { kind: 'unknown', why: `${authority.name}: ${result.message}` }
  const failed = await recordFailed(work, item, tried, result)
  const why = refusalOf(authority, result)
  return failed ?? { kind: 'refused', why, ...(result.retryable && { retryable: true }) }
}
