// The decision about one item, made anew each time from both streams read to their ends: is it still owed, still the same, already
// done, or begun by ourselves and left off. Nothing of the plan is trusted but what was approved.

import { parseMetadata } from '../engine/decode.js'
import { compensateSubject } from '../engine/detect.js'
import { canonicalize } from '../engine/digest.js'
import type { Finding } from '../engine/finding.js'
import { emptySubject, Fold, type FoldedSubject } from '../engine/fold.js'
import { judgeSubject } from '../engine/judge-part.js'
import type { Failure, Intent, Projection, RuleContext } from '../engine/projection.js'
import { readSubject } from '../engine/subject.js'
import type { RecordedEvent } from '../log/event.js'
import type { EventReader } from '../log/event-store.js'
import type { Revision } from '../log/revision.js'
import { keyOf, type PlanItem } from './plan.js'
import { type OwnMark, ownMarkOf } from './provenance.js'

/** A claim of an item's key that no later event settles. */
export interface OpenClaim {
  readonly attemptId: string
  readonly event: RecordedEvent
}

/** An event that a repair appended, with what it says of itself. */
interface Marked {
  readonly event: RecordedEvent
  readonly mark: OwnMark
}

/** What the log tells of an item and of its subject. */
export interface Traces {
  /** The subject as the log has it. */
  readonly folded: FoldedSubject
  /** All events of its streams, in log order. */
  readonly events: readonly RecordedEvent[]
  /** Where the item's work is recorded as done, by whichever process; undefined while it is not. */
  readonly settledAt: Revision | undefined
  readonly openClaim: OpenClaim | undefined
  /** The last try that claimed it, open or closed; undefined while nobody has. */
  readonly lastAttempt: string | undefined
  /** Why the authority will never do it under this key; undefined where it did not say so. */
  readonly refused: Failure | undefined
}

/** A subject as it stands now, seen by one item and judged. */
export interface Standing extends Traces {
  /**
   * Its findings. While the item is not done they are judged as though its own open claim were not there, nor what the same campaign was
   * refused for other items: a refusal of one passenger does not stop the others.
   */
  readonly findings: readonly Finding[]
  readonly decision: Decision
}

export type Decision =
  /** Still owed, and exactly what was approved. */
  | { readonly kind: 'owed'; readonly intent: Intent }
  /** Nothing is owed any more. */
  | { readonly kind: 'already-good' }
  /** Somebody else is at it, or it is too early. */
  | { readonly kind: 'held'; readonly why: string }
  /** Something changed since it was approved. */
  | { readonly kind: 'stale'; readonly why: string }

/** The plan does not belong to this log: an event that proves an item does not stand where the plan saw it. */
export class PlanStaleError extends Error {
  override readonly name = 'PlanStaleError'
}

/** Reads an item's subject. Throws PlanStaleError where the plan's evidence does not stand in this store. */
export async function tracesOf(reader: EventReader, projection: Projection, item: PlanItem): Promise<Traces> {
  return (await readMarked(reader, projection, item)).traces
}

/** Reads an item's subject and decides. Throws PlanStaleError where the plan's evidence does not stand in this store. */
export async function standingOf(
  reader: EventReader,
  projection: Projection,
  { item, campaignId, context }: { item: PlanItem; campaignId: string; context: RuleContext },
): Promise<Standing> {
  const { traces, allMarked } = await readMarked(reader, projection, item)
  const { folded, events, settledAt, openClaim } = traces
  const others = allMarked.filter(({ mark }) => mark.key !== item.key && mark.campaignId === campaignId)
  const left = settledAt === undefined ? [...(openClaim ? [openClaim.event] : []), ...refusedIn(others)] : []
  const judged = left.length > 0 ? foldWithout(new Set(left), events, folded, projection) : folded
  const findings = judgeSubject(judged, projection, context)
  const decision: Decision =
    settledAt === undefined ? decide({ projection, item, context, judged, findings }) : { kind: 'already-good' }
  return { ...traces, findings, decision }
}

async function readMarked(
  reader: EventReader,
  projection: Projection,
  item: PlanItem,
): Promise<{ traces: Traces; allMarked: readonly Marked[] }> {
  const { folded, events } = await readSubject(reader, projection, item.subject)
  requireEvidence(item, events)
  const allMarked = events.flatMap((event): Marked[] => {
    const mark = ownMarkOf(parseMetadata(event.metadata))
    return mark ? [{ event, mark }] : []
  })
  const marked = allMarked.filter(({ mark }) => mark.key === item.key)
  const traces = {
    folded,
    events,
    settledAt: marked.find(({ mark }) => mark.step === 'settle')?.event.revision,
    openClaim: openClaimIn(marked),
    lastAttempt: marked.findLast(({ mark }) => mark.step === 'claim')?.mark.attemptId,
    refused: marked.find(({ mark }) => mark.failure?.retryable === false)?.mark.failure,
  }
  return { traces, allMarked }
}

function requireEvidence(item: PlanItem, events: readonly RecordedEvent[]): void {
  const ids = new Map(events.map((event) => [`${event.revision}@${event.stream}`, event.id]))
  for (const { id, stream, revision } of item.evidence.heads) {
    if (ids.get(`${revision}@${stream}`) === id) continue
    throw new PlanStaleError(
      `${item.subject}: event ${id} does not stand at revision ${revision} of ${stream}: this plan was made at another store; plan again`,
    )
  }
}

/** The claims that were closed as failed, and the events that closed them. */
function refusedIn(marked: readonly Marked[]): RecordedEvent[] {
  const failed = new Set(marked.flatMap(({ mark }) => (mark.step === 'fail' ? [mark.attemptId] : [])))
  return marked.flatMap(({ event, mark }) => (mark.step !== 'settle' && failed.has(mark.attemptId) ? [event] : []))
}

function openClaimIn(marked: readonly Marked[]): OpenClaim | undefined {
  const closed = new Set(marked.flatMap(({ mark }) => (mark.step === 'claim' ? [] : [mark.attemptId])))
  const open = marked.findLast(({ mark }) => mark.step === 'claim' && !closed.has(mark.attemptId))
  return open && { attemptId: open.mark.attemptId, event: open.event }
}

/** The fold as though some events were not there: whether work is still owed must not depend on our own tries at it. */
function foldWithout(
  left: ReadonlySet<RecordedEvent>,
  events: readonly RecordedEvent[],
  folded: FoldedSubject,
  projection: Projection,
): FoldedSubject {
  const fold = new Fold(projection)
  const removed = new Map<string, number>()
  for (const event of events) {
    const before = removed.get(event.stream) ?? 0
    if (left.has(event)) removed.set(event.stream, before + 1)
    // What follows in the stream moves down, so that no hole shows where an event was left out.
    else fold.add(before === 0 ? event : { ...event, revision: event.revision - before })
  }
  const without = fold.subjects.get(folded.subject) ?? emptySubject(projection, folded.subject, 0)
  return { ...without, heads: folded.heads, limits: folded.limits, holes: folded.holes }
}

function decide(about: {
  projection: Projection
  item: PlanItem
  context: RuleContext
  judged: FoldedSubject
  findings: readonly Finding[]
}): Decision {
  const { projection, item, context, judged, findings } = about
  const intents = compensateSubject(judged, findings, projection, context)
  const owed = owedIn(intents, item, projection)
  if (owed) return owed
  if (projection.settlement?.isUnderWay(judged.state, item.intent, context)) {
    return { kind: 'held', why: 'an attempt of somebody else is under way' }
  }
  const open = findings.filter(({ disposition }) => disposition !== 'observe')
  const holds = open.some(({ disposition }) => disposition !== 'repair')
  const stillAnswered = open.some(({ id }) => item.intent.answers.includes(id))
  // What is left to repair on the subject may be another passenger's: then this item's own work is done.
  if (!holds && !stillAnswered && (open.length === 0 || intents.length > 0)) {
    return owedLater(about) ?? { kind: 'already-good' }
  }
  return { kind: 'stale', why: `now ${[...new Set(open.map(({ rule }) => rule))].join(', ')}` }
}

/** What the intents of its subject say of an item; undefined where none is its work. */
function owedIn(
  intents: readonly Intent[],
  item: PlanItem,
  projection: Projection,
): Extract<Decision, { kind: 'owed' | 'stale' }> | undefined {
  const intent = intents.find((candidate) => keyOf(projection, item.subject, candidate) === item.key)
  if (!intent) return undefined
  if (proposes(intent) === proposes(item.intent)) return { kind: 'owed', intent }
  return { kind: 'stale', why: 'what would make it good is not what was approved' }
}

/** "Not yet" is not "no more": a new event may have begun a grace period anew, after which the same work is owed. */
function owedLater({ projection, item, context, judged }: Parameters<typeof decide>[0]): Decision | undefined {
  const deadlines = [...(projection.live?.deadlines(judged.state) ?? [])].filter((at) => at > context.now)
  for (const now of deadlines.sort((a, b) => a - b)) {
    const then = { ...context, now }
    const intents = compensateSubject(judged, judgeSubject(judged, projection, then), projection, then)
    const owed = owedIn(intents, item, projection)
    if (owed?.kind === 'stale') return owed
    if (owed) return { kind: 'held', why: `nothing is owed before ${new Date(now).toISOString()}` }
  }
  return undefined
}

/** What an intent would do, without what names the findings it answers: their ids change with the rule that sees them. */
function proposes({ occurrence, category, events, command }: Intent): string {
  return canonicalize({ occurrence, category, events, command })
}
