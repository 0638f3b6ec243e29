// An item for which somebody outside must be asked: claim it in the log, ask under its key, record what was answered, read again. What an
// authority has done is a fact and is always recorded; what it has not done is closed as failed; doubt stays open.
import { v5 as uuidV5 } from 'uuid'
import { canonicalize } from '../engine/digest.js'
import type { JsonObject } from '../engine/json.js'
import type { Attempt, Draft, Failure, Intent, Settlement } from '../engine/projection.js'
import type { AppendResult } from '../log/event-store.js'
import type { Authority, IssueResult } from './authority.js'
import type { Standing } from './decide.js'
import type { PlanItem } from './plan.js'
import {
  type Attempted,
  appendDrafts,
  attemptOf,
  headOf,
  outcomeOf,
  readStanding,
  requirePart,
  type Workplace,
} from './workplace.js'

/** How often an outcome is recorded anew behind what slipped in, before it is left to the next run. */
const RECORDINGS_MAX = 10

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
  // The claim's guard covers its own stream only: what came to the others since the reading is looked for now.
  return resumeClaim(work, item, await readStanding(work, item), tried.id)
}

/** Goes on from an open claim of this item's key: that of a moment ago, or one that a killed run left behind. */
export async function resumeClaim(
  work: Workplace,
  item: PlanItem,
  standing: Standing,
  attemptId: string,
): Promise<Attempted> {
  if (standing.settledAt !== undefined) return { kind: 'already-good' }
  const { authority } = partsOf(work)
  const tried = attemptOf(work, item, attemptId)
  const call = { key: item.key, request: item.intent.command ?? {} }
  const known = await authority.lookUp(call)
  await work.onStep?.('looked-up', item)
  if (known.kind === 'unknown') return { kind: 'unknown', why: `${authority.name}: ${known.message}` }
  if (known.kind === 'found') return recordIssued(work, item, tried, known.answer)
  const { decision } = standing
  if (decision.kind !== 'owed') {
    const why = 'why' in decision ? decision.why : 'nothing is owed any more'
    const failed = await recordFailed(work, item, tried, { code: 'abandoned', message: why, retryable: true })
    return failed ?? { kind: 'stale', why: `claim abandoned: ${why}` }
  }
  const result = await authority.issue(call)
  await work.onStep?.('issued', item)
  return recordResult(work, item, tried, result)
}

async function recordResult(work: Workplace, item: PlanItem, tried: Attempt, result: IssueResult): Promise<Attempted> {
  if (result.kind === 'done') return recordIssued(work, item, tried, result.answer)
  const { authority } = partsOf(work)
  if (result.kind === 'unknown') return { kind: 'unknown', why: `${authority.name}: ${result.message}` }
  const failed = await recordFailed(work, item, tried, result)
  return failed ?? { kind: 'refused', why: `${authority.name}: ${result.code}: ${result.message}` }
}

async function recordIssued(work: Workplace, item: PlanItem, tried: Attempt, answer: JsonObject): Promise<Attempted> {
  const { settlement, authority } = partsOf(work)
  const drafts = settlement.issued(item.intent, tried, answer)
  if (!drafts)
    return { kind: 'unknown', why: `${authority.name}: an answer that makes no sense: ${canonicalize(answer)}` }
  // Deterministic: every process that learns of this fact records it under the same id, and so it is recorded once.
  const idOf = (draft: Draft, index: number) => uuidV5(canonicalize([draft.type, index, answer]), item.key)
  const result = await record(work, { item, tried, step: 'settle', drafts, idOf })
  if (result.kind === 'conflict')
    return { kind: 'unknown', why: 'issued, but others keep appending before it could be recorded' }
  if (result.kind !== 'appended') return outcomeOf(result)
  await work.onStep?.('recorded', item)
  const after = await readStanding(work, item)
  await work.onStep?.('read-again', item)
  const opened = after.findings.filter(({ disposition, opensCase }) => disposition === 'person' || opensCase)
  return {
    kind: 'applied',
    ...(result.revision !== undefined && { revision: result.revision }),
    ...(opened.length > 0 && { opened }),
  }
}

/** Closes a claim as failed; undefined when that is in the log, else what became of the item. */
async function recordFailed(
  work: Workplace,
  item: PlanItem,
  tried: Attempt,
  { code, message, retryable }: Failure,
): Promise<Attempted | undefined> {
  const { settlement } = partsOf(work)
  const drafts = settlement.failed(item.intent, tried, { code, message, retryable })
  const idOf = (draft: Draft, index: number) => uuidV5(canonicalize([draft.type, index, tried.id]), item.key)
  const result = await record(work, { item, tried, step: 'fail', drafts, idOf })
  if (result.kind === 'conflict')
    return { kind: 'unknown', why: 'others keep appending before the failure could be recorded' }
  return result.kind === 'appended' ? undefined : outcomeOf(result)
}

/**
 * Appends the outcome at the head of the stream, whatever slipped in behind the claim: it is a fact by now. Each try reads the stream
 * first and looks for the event's id, which another process may have recorded.
 */
async function record(
  work: Workplace,
  about: {
    item: PlanItem
    tried: Attempt
    step: 'settle' | 'fail'
    drafts: readonly Draft[]
    idOf: (draft: Draft, index: number) => string
  },
): Promise<AppendResult> {
  const { item, tried, step, drafts, idOf } = about
  let result: AppendResult = { kind: 'conflict', actual: 'noStream' }
  const lastId = idOf(drafts.at(-1) as Draft, drafts.length - 1)
  for (let tries = 0; tries < RECORDINGS_MAX && result.kind === 'conflict'; tries += 1) {
    const standing = await readStanding(work, item)
    const byId = standing.events.find((event) => event.id === lastId)?.revision
    // An authority may answer the same fact in other words; the key tells that it is recorded all the same.
    const recorded = step === 'settle' ? (standing.settledAt ?? byId) : byId
    if (recorded !== undefined) return { kind: 'appended', revision: recorded }
    const expected = headOf(standing, item)
    result = await appendDrafts(work, { item, standing, attemptId: tried.id, step, drafts, expected, idOf })
  }
  return result
}

function partsOf({ projection, authority }: Workplace): { settlement: Settlement<unknown>; authority: Authority } {
  return {
    settlement: requirePart(projection.settlement, `projection ${projection.name} has commands and no settlement`),
    authority: requirePart(authority, 'an item holds a command and no authority was named'),
  }
}
