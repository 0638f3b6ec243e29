// Recording what an authority did or did not do, behind the claim and behind whatever slipped in after it: once, by whichever process
// comes to it first.
import { v5 as uuidV5 } from 'uuid'
import { canonicalize } from '../engine/digest.js'
import type { JsonObject } from '../engine/json.js'
import type { Attempt, Draft, Failure } from '../engine/projection.js'
import type { AppendResult } from '../log/event-store.js'
import type { Revision } from '../log/revision.js'
import type { Traces } from './decide.js'
import type { PlanItem } from './plan.js'
import type { OutcomeMark } from './provenance.js'
import {
  type Attempted,
  appendDrafts,
  headOf,
  outcomeOf,
  partsOf,
  readAgain,
  readTraces,
  type Workplace,
} from './workplace.js'

/** How often an outcome is recorded anew behind what slipped in, before it is left to the next run. */
const RECORDINGS_MAX = 10

/** Records what was done, and reads again. It is a fact by now and recorded whatever else is true of the subject. */
export async function recordIssued(
  work: Workplace,
  item: PlanItem,
  tried: Attempt,
  answer: JsonObject,
): Promise<Attempted> {
  const { settlement, authority } = partsOf(work)
  const drafts = settlement.issued(item.intent, tried, answer)
  if (!drafts)
    return { kind: 'unknown', why: `${authority.name}: an answer that makes no sense: ${canonicalize(answer)}` }
  // Deterministic: every process that learns of this fact records it under the same id, and so it is recorded once.
  const idOf = (draft: Draft, index: number) => uuidV5(canonicalize([draft.type, index, answer]), item.key)
  // An authority may answer the same fact in other words; the key tells that it is recorded all the same.
  const find = ({ settledAt, folded }: Traces) =>
    settledAt ?? (settlement.isRecorded?.(folded.state, item.intent, answer) ? 'by another' : undefined)
  const appendId = work.newId()
  const result = await record(work, { item, tried, step: 'settle', drafts, idOf, find, outcome: { appendId } })
  if (result.kind === 'by another') {
    const why = 'somebody else has recorded it'
    return (await abandon(work, item, tried, why)) ?? { kind: 'already-good', why }
  }
  if (result.kind === 'conflict')
    return { kind: 'unknown', why: 'issued, but others keep appending before it could be recorded' }
  if (result.kind !== 'appended') return unrecorded(outcomeOf(result), answer)
  return readAgain(work, item, { revision: result.revision, appendId })
}

/** What is done is never told as refused for good: nothing but this line and the authority knows of it. */
function unrecorded(attempted: Attempted, answer: JsonObject): Attempted {
  if (attempted === 'again' || attempted.kind !== 'refused' || attempted.retryable) return attempted
  return { kind: 'unknown', why: `issued, but the store will not have it: ${attempted.why}: ${canonicalize(answer)}` }
}

/** Closes a claim as failed; undefined when that is in the log, else what became of the item. */
export async function recordFailed(
  work: Workplace,
  item: PlanItem,
  tried: Attempt,
  { code, message, retryable }: Failure,
): Promise<Attempted | undefined> {
  const failure = { code, message, retryable }
  const drafts = partsOf(work).settlement.failed(item.intent, tried, failure)
  const idOf = (draft: Draft, index: number) => uuidV5(canonicalize([draft.type, index, tried.id]), item.key)
  const find = ({ settledAt }: Traces) => (settledAt === undefined ? undefined : 'by another')
  const result = await record(work, { item, tried, step: 'fail', drafts, idOf, find, outcome: { failure } })
  if (result.kind === 'by another') return { kind: 'already-good', why: 'another process has done it meanwhile' }
  if (result.kind === 'conflict')
    return { kind: 'unknown', why: 'others keep appending before the failure could be recorded' }
  return result.kind === 'appended' ? undefined : outcomeOf(result)
}

/** Closes a claim under which nothing was done; undefined when that is in the log, else what became of the item. */
export function abandon(
  work: Workplace,
  item: PlanItem,
  tried: Attempt,
  message: string,
): Promise<Attempted | undefined> {
  return recordFailed(work, item, tried, { code: 'abandoned', message, retryable: true })
}

/**
 * Appends an outcome at the head of the stream. Each try reads the stream first and looks for the events' ids, which another process
 * may have recorded, and for what else (`find`) makes recording needless.
 */
async function record(
  work: Workplace,
  about: {
    item: PlanItem
    tried: Attempt
    step: 'settle' | 'fail'
    drafts: readonly Draft[]
    idOf: (draft: Draft, index: number) => string
    find: (standing: Traces) => Revision | 'by another' | undefined
    outcome: OutcomeMark
  },
): Promise<AppendResult | { readonly kind: 'by another' }> {
  const { item, tried, step, drafts, idOf, find, outcome } = about
  let result: AppendResult = { kind: 'conflict', actual: 'noStream' }
  const lastId = idOf(drafts.at(-1) as Draft, drafts.length - 1)
  for (let tries = 0; tries < RECORDINGS_MAX && result.kind === 'conflict'; tries += 1) {
    const standing = await readTraces(work, item)
    const recorded = standing.events.find((event) => event.id === lastId)?.revision ?? find(standing)
    if (recorded === 'by another') return { kind: 'by another' }
    if (recorded !== undefined) return { kind: 'appended', revision: recorded }
    const expected = headOf(standing, item)
    result = await appendDrafts(work, { item, standing, attemptId: tried.id, step, drafts, expected, idOf, outcome })
  }
  return result
}
