// The workplace of an item: what settling it needs, and the few things that its steps share: reading, guarding, appending.
import { parseMetadata } from '../engine/decode.js'
import type { Attempt, Draft, Failure, Projection, RuleContext, Settlement } from '../engine/projection.js'
import { jsonEvent } from '../log/event.js'
import type { AppendResult, EventStore } from '../log/event-store.js'
import type { ExpectedRevision, Revision } from '../log/revision.js'
import { NO_TRACING, type Tracing } from '../log/tracing.js'
import type { Authority } from './authority.js'
import { type Standing, standingOf, type Traces, tracesOf } from './decide.js'
import type { ItemOutcome } from './item-outcome.js'
import type { Plan, PlanItem } from './plan.js'
import { type Actors, type OutcomeMark, ownMarkOf, provenanceOf, type Step } from './provenance.js'
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
  readonly tracing?: Tracing
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
  const context = { now: work.now(), lookups }
  return standingOf(work.store, work.projection, { item, campaignId: work.campaignId, context })
}

/** Reads an item's streams to their ends and decides nothing: for what must be recorded whatever is true of the subject. */
export function readTraces({ store, projection }: Workplace, item: PlanItem): Promise<Traces> {
  return tracesOf(store, projection, item)
}

/** What holds on an item's subject now and waits for a person: what slipped in behind a repair, or collided with it. */
function openedIn({ findings }: Standing): Pick<ItemOutcome, 'opened'> {
  const opened = findings.filter(
    ({ disposition, opensCase }) => disposition === 'person' || disposition === 'never' || opensCase,
  )
  return opened.length > 0 ? { opened } : {}
}

/**
 * Reads again after the compensation is in the log: one stream's guard does not cover another's, so something can have slipped in. Where
 * several processes record one fact under one event id the store acknowledges it to each; the event's `appendId` tells who did it.
 */
export async function readAgain(
  work: Workplace,
  item: PlanItem,
  { revision, appendId }: { revision: Revision | undefined; appendId?: string },
): Promise<Attempted> {
  await work.onStep?.('recorded', item)
  const standing = await readStanding(work, item)
  await work.onStep?.('read-again', item)
  const recorded = standing.events.find((event) => event.stream === item.stream && event.revision === revision)
  const isOurs = !recorded || ownMarkOf(parseMetadata(recorded.metadata))?.appendId === appendId
  const kind = isOurs ? 'applied' : 'already-good'
  return { kind, ...(revision !== undefined && { revision }), ...openedIn(standing) }
}

/** What an item comes to whose work is recorded: the run that did it may have been killed before it could read again. */
export function doneBefore(standing: Standing, revision: Revision): Attempted {
  return { kind: 'already-good', revision, ...openedIn(standing) }
}

/** What a refused item comes to: the run that was refused may have been killed before it could tell its campaign. */
export function refusedBefore({ authority }: Workplace, { refused }: Standing): Attempted | undefined {
  return refused && { kind: 'refused', why: refusalOf(authority, refused) }
}

/** A refusal in words. */
export function refusalOf(authority: Authority | undefined, { code, message }: Failure): string {
  return `${authority?.name ?? 'the authority'}: ${code}: ${message}`
}

/** What an append that is neither in the log nor lost to a race means for its item. */
export function outcomeOf(result: Extract<AppendResult, { kind: 'refused' | 'unknown' }>): Attempted {
  const isForNow = result.kind === 'refused' && result.reason === 'access-denied'
  return { kind: result.kind, why: result.message, ...(isForNow && { retryable: true }) }
}

/** The guard of the next append to an item's stream: where it stood when the decision was read. */
export function headOf({ folded }: Traces, item: PlanItem): Exclude<ExpectedRevision, 'any'> {
  return folded.heads[item.intent.category]?.revision ?? 'noStream'
}

/** Appends drafts of one step with their provenance. `idOf` names them; default random. */
export function appendDrafts(
  work: Workplace,
  about: {
    item: PlanItem
    standing: Traces
    attemptId: string
    step: Step
    drafts: readonly Draft[]
    expected: Exclude<ExpectedRevision, 'any'>
    idOf?: (draft: Draft, index: number) => string
    outcome?: OutcomeMark
  },
): Promise<AppendResult> {
  const { item, standing, attemptId, step, drafts, expected, idOf = work.newId, outcome = {} } = about
  const { folded } = standing
  const { plan, campaignId, actors, projection, tracing = NO_TRACING } = work
  const shared = { plan, item, campaignId, actors, folded, projection, attemptId, step, outcome }
  return tracing.inSpan(`repair.${step}`, { attributes: { stream: item.stream } }, async (span) => {
    const events = drafts.map((draft, part) => {
      const metadata = { ...provenanceOf({ ...shared, part }), ...tracing.current() }
      return jsonEvent({ id: idOf(draft, part), type: draft.type, data: draft.data, metadata })
    })
    const result = await appendSettled(work.store, item.stream, events, expected, work.pause)
    span.note({ result: result.kind })
    return result
  })
}

/** A try of an item under its key. */
export function attemptOf(work: Workplace, item: PlanItem, id: string): Attempt {
  return { id, key: item.key, at: new Date(work.now()).toISOString() }
}

/** What commands need. They are looked at when the first one comes to be asked, before anything is claimed for it. */
export function partsOf({ projection, authority }: Workplace): {
  settlement: Settlement<unknown>
  authority: Authority
} {
  return {
    settlement: requirePart(projection.settlement, `projection ${projection.name} has commands and no settlement`),
    authority: requirePart(authority, 'an item holds a command and no authority was named'),
  }
}

function requirePart<T>(part: T | undefined, why: string): T {
  if (part === undefined) throw new Error(why)
  return part
}
