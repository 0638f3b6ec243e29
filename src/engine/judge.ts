// Judging all subjects of a replay: their own findings, those of keys they share with others, and what would make them good. Where the fold
// comes in parts, so does the judging, and memory holds one part and the results.
import {
  compensateSubject,
  detectShared,
  detectSubject,
  groupSharedUses,
  type SharedUse,
  type SharedUses,
  sharedUsesOf,
} from './detect.js'
import { type Finding, isRepairable, markHeld } from './finding.js'
import type { Fold, FoldCounts, FoldedSubject } from './fold.js'
import type { JsonValue } from './json.js'
import { type PartitionedFold, PartitionedRuns } from './partitioned-fold.js'
import type { EventRef, Intent, Projection, RuleContext } from './projection.js'

/** Answers somebody outside about one subject, by the lookup's name; asked once a subject. Throws where they cannot tell now. */
export type LookUp = (subject: string) => Promise<Readonly<Record<string, JsonValue>>>

/** What would make one subject good. */
export interface Compensation {
  readonly subject: string
  /** Orders subjects by their first event in the log. */
  readonly ordinal: number
  /** The last event read of each of its streams, by category. */
  readonly heads: Readonly<Record<string, EventRef>>
  readonly intents: readonly Intent[]
}

/** Findings that may be repaired but not now, by their ids: the names of the guards that do not hold. */
export type Waiting = ReadonlyMap<string, readonly string[]>

/** An amount in integer minor units. */
export interface Value {
  readonly currency: string
  readonly amountMinor: number
}

/** What is at stake with each subject that has findings; those of which the projection tells nothing are left out. */
export type AtStake = ReadonlyMap<string, Value>

export interface JudgeOptions {
  /** What rules take for the present, in milliseconds since the Unix epoch. */
  readonly now: number
  readonly lookUp?: LookUp
  readonly signal?: AbortSignal
}

/** All that was found, unsorted, and what was counted on the way. */
export interface Judgement {
  readonly findings: readonly Finding[]
  readonly compensations: readonly Compensation[]
  readonly waiting: Waiting
  readonly atStake: AtStake
  readonly subjects: number
  readonly counts: FoldCounts
}

/** Judges every subject of a fold. */
export async function judge(fold: PartitionedFold, projection: Projection, options: JudgeOptions): Promise<Judgement> {
  const { scratch } = fold
  const uses = scratch && new PartitionedRuns(scratch)
  const counts = { events: 0, streams: 0, undecodable: 0, gaps: 0, unattributable: 0 }
  if (fold.countsBefore) addCounts(counts, fold.countsBefore)
  let results: SubjectResult[] = []
  let subjects = 0
  for (const part of fold.parts()) {
    addCounts(counts, part.counts)
    subjects += part.subjects.size
    const shared = uses ? noteUses(part, projection, uses) : groupSharedUses(usesIn(part, projection))
    results = results.concat(await judgePart([...part.subjects.values()], shared, { projection, ...options }))
  }
  if (uses) results = await judgeSharing(fold, results, sharedIn(uses), { projection, ...options })
  return {
    findings: results.flatMap(({ findings }) => findings),
    waiting: new Map(results.flatMap((result) => [...waitingIn(result)])),
    atStake: new Map(results.flatMap(({ subject, value }): [string, Value][] => (value ? [[subject, value]] : []))),
    compensations: results.flatMap(({ compensation }) => compensation ?? []).sort((a, b) => a.ordinal - b.ordinal),
    subjects,
    counts,
  }
}

interface SubjectResult {
  readonly subject: string
  readonly findings: readonly Finding[]
  readonly compensation: Compensation | undefined
  readonly unmet: readonly string[]
  readonly value: Value | undefined
}

function* waitingIn({ findings, unmet }: SubjectResult): Iterable<[string, readonly string[]]> {
  if (unmet.length > 0) for (const finding of findings) if (isRepairable(finding)) yield [finding.id, unmet]
}

type SharedBySubject = ReadonlyMap<string, readonly SharedUses[]>

/** Subjects about which somebody outside is asked at the same time. */
const ASKED_AT_ONCE = 64

async function judgePart(
  subjects: readonly FoldedSubject[],
  shared: SharedBySubject,
  options: JudgeOptions & { projection: Projection },
): Promise<SubjectResult[]> {
  const { projection, now, lookUp, signal } = options
  const results: SubjectResult[] = []
  for (let start = 0; start < subjects.length; start += ASKED_AT_ONCE) {
    signal?.throwIfAborted()
    const some = subjects.slice(start, start + ASKED_AT_ONCE)
    const answers = lookUp && (await Promise.all(some.map(({ subject }) => lookUp(subject))))
    for (const [index, folded] of some.entries()) {
      const context: RuleContext = { now, lookups: answers?.[index] ?? {} }
      const own = detectShared(folded, shared.get(folded.subject) ?? [], projection)
      const result = resultOf(folded, judgeSubject(folded, projection, context, own), projection, context)
      if (result.findings.length > 0) results.push(result)
    }
  }
  return results
}

function resultOf(
  folded: FoldedSubject,
  findings: readonly Finding[],
  projection: Projection,
  context: RuleContext,
): SubjectResult {
  const { subject, ordinal, heads } = folded
  const intents = compensateSubject(folded, findings, projection, context)
  const compensation = intents.length > 0 ? { subject, ordinal, heads, intents } : undefined
  const unmet = findings.some(isRepairable) ? (projection.unmetGuards?.(folded.state, context) ?? []) : []
  const value = findings.length > 0 ? projection.live?.valueAtStake?.(folded.state) : undefined
  return { subject, findings, compensation, unmet, value }
}

/** All findings of one subject, those of rules across subjects included. */
export function judgeSubject(
  folded: FoldedSubject,
  projection: Projection,
  context: RuleContext,
  shared: readonly Finding[] = [],
): Finding[] {
  const own = detectSubject(folded, projection, context)
  return shared.length === 0 ? own : markHeld([...own, ...shared])
}

function* usesIn(part: Fold, projection: Projection): Iterable<SharedUse> {
  for (const folded of part.subjects.values()) yield* sharedUsesOf(folded, projection)
}

/** Which keys are shared is known only when all parts were seen: their uses are kept in scratch space until then. */
function noteUses(part: Fold, projection: Projection, uses: PartitionedRuns): SharedBySubject {
  for (const used of usesIn(part, projection)) uses.write(`${used.rule} ${used.use.key}`, used)
  return new Map()
}

function sharedIn(uses: PartitionedRuns): SharedBySubject {
  const shared = new Map<string, SharedUses[]>()
  for (const some of uses.readEach()) {
    for (const [subject, groups] of groupSharedUses(some as Iterable<SharedUse>)) {
      shared.set(subject, [...(shared.get(subject) ?? []), ...groups])
    }
  }
  return shared
}

/** Judges the subjects that share keys once more, now with what they share. */
async function judgeSharing(
  fold: PartitionedFold,
  results: readonly SubjectResult[],
  shared: SharedBySubject,
  options: JudgeOptions & { projection: Projection },
): Promise<SubjectResult[]> {
  const judged = results.filter(({ subject }) => !shared.has(subject))
  const parts = new Set([...shared.keys()].map((subject) => fold.partOf(subject)))
  for (const index of parts) {
    const subjects = fold.part(index).subjects.values()
    judged.push(
      ...(await judgePart(
        [...subjects].filter(({ subject }) => shared.has(subject)),
        shared,
        options,
      )),
    )
  }
  return judged
}

function addCounts(sum: FoldCounts, counts: FoldCounts): void {
  for (const name of Object.keys(sum) as (keyof FoldCounts)[]) sum[name] += counts[name]
}
