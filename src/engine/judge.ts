// Judging all subjects of a replay: their own findings, those of keys they share with others, and what would make them good. The fold comes in
// parts, and so does the judging: memory holds one part and the results.
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  compensateSubject,
  detectShared,
  detectSubject,
  groupSharedUses,
  type SharedUses,
  sharedUsesOf,
} from './detect.js'
import { type Finding, isRepairable, markHeld } from './finding.js'
import type { FoldCounts, FoldedSubject } from './fold.js'
import { hashOf } from './hash.js'
import type { JsonValue } from './json.js'
import { KeyUses } from './key-uses.js'
import type { PartitionedFold } from './partitioned-fold.js'
import type { EventRef, Intent, Projection, RuleContext } from './projection.js'

/**
 * Answers somebody outside about one subject, by the lookup's name; asked once a subject, and once more about those that share keys. Throws where
 * they cannot tell now.
 */
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
  /** Told now and then what share of the subjects has been judged, 0 to 1. */
  readonly onPart?: (share: number) => void
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
  const keys = new KeyUses(fold, projection)
  const counts = { ...fold.unownedCounts }
  const results: SubjectResult[] = []
  let subjects = 0
  let parts = 0
  for (const part of fold.parts()) {
    addCounts(counts, part.counts)
    subjects += part.subjects.size
    const inOrder = [...part.subjects.values()].sort((a, b) => a.ordinal - b.ordinal)
    for (const result of await judgePart(inOrder, NO_SHARED, { projection, ...options })) results.push(result)
    keys.note(part.subjects.values())
    parts += 1
    options.onPart?.(parts / fold.partCount)
    // So that a signal can come through.
    await nextTurn()
  }
  const judged = await judgeSharing(fold, results, keys, { projection, ...options })
  return {
    findings: judged.flatMap(({ findings }) => findings),
    waiting: new Map(judged.flatMap((result) => [...waitingIn(result)])),
    atStake: new Map(judged.flatMap(({ subject, value }): [string, Value][] => (value ? [[subject, value]] : []))),
    compensations: judged.flatMap(({ compensation }) => compensation ?? []).sort((a, b) => a.ordinal - b.ordinal),
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

const NO_SHARED: SharedBySubject = new Map()

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

/** Judges the subjects that share keys once more, now with what they share. */
async function judgeSharing(
  fold: PartitionedFold,
  results: readonly SubjectResult[],
  keys: KeyUses,
  options: JudgeOptions & { projection: Projection },
): Promise<readonly SubjectResult[]> {
  const suspects = keys.suspects()
  if (suspects.size === 0) return results
  const shared = sharedAmong(suspects, fold, options.projection)
  const judged = results.filter(({ subject }) => !shared.has(subject))
  for (const part of fold.parts(new Set([...shared.keys()].map(hashOf)))) {
    const sharing = [...part.subjects.values()].filter(({ subject }) => shared.has(subject))
    for (const result of await judgePart(sharing, shared, options)) judged.push(result)
  }
  return judged
}

function sharedAmong(suspects: ReadonlySet<number>, fold: PartitionedFold, projection: Projection): SharedBySubject {
  const uses = []
  for (const part of fold.parts(suspects)) {
    for (const folded of part.subjects.values()) uses.push(...sharedUsesOf(folded, projection))
  }
  return groupSharedUses(uses)
}

function addCounts(sum: FoldCounts, counts: FoldCounts): void {
  for (const name of Object.keys(sum) as (keyof FoldCounts)[]) sum[name] += counts[name]
}
