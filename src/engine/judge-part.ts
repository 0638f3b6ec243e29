// Judging one part of a log: its subjects are folded and judged one by one, and what is kept of them is what was found.
import { compensateSubject, detectShared, detectSubject, type SharedUses, sharedUsesOf } from './detect.js'
import { compareFindings, type Finding, isRepairable, markHeld } from './finding.js'
import { Fold, type FoldCounts, type FoldedSubject, type FoldOptions } from './fold.js'
import { foldPart } from './fold-part.js'
import { hashOf } from './hash.js'
import type { JsonValue } from './json.js'
import type { Part } from './partitioned-log.js'
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

/** An amount in integer minor units. */
export interface Value {
  readonly currency: string
  readonly amountMinor: number
}

/** What a part is judged by, beside the projection. Plain data. */
export interface JudgePartOptions extends FoldOptions {
  /** What rules take for the present, in milliseconds since the Unix epoch. */
  readonly now: number
}

/** Whoever else is asked on the way. */
export interface PartQuestion extends JudgePartOptions {
  readonly lookUp?: LookUp
  readonly signal?: AbortSignal
}

/** What was found on one subject. Plain data. */
export interface SubjectResult {
  readonly subject: string
  /** Sorted by rule and id. */
  readonly findings: readonly Finding[]
  readonly compensation: Compensation | undefined
  /** Names of the guards that do not hold. */
  readonly unmet: readonly string[]
  readonly value: Value | undefined
}

/** All that is kept of a part. Plain data: it may come from another thread. */
export interface PartResult {
  /** Of subjects with findings. */
  readonly results: readonly SubjectResult[]
  readonly subjects: number
  readonly counts: FoldCounts
  /** Uses of keys that should be unique: each the hash of the subject and that of the key. */
  readonly keyUses: Uint32Array
}

/** Subjects about which somebody outside is asked at the same time. */
const ASKED_AT_ONCE = 64

/** Judges every subject of a part by itself. Throws what the lookup throws, and the signal's reason when aborted. */
export async function judgePart(part: Part, projection: Projection, question: PartQuestion): Promise<PartResult> {
  const fold = new Fold(projection, question)
  const results: SubjectResult[] = []
  const keyUses: number[] = []
  let subjects = 0
  const judgeOne = (folded: FoldedSubject, lookups: RuleContext['lookups']) => {
    subjects += 1
    noteKeyUses(keyUses, folded, projection)
    const result = judgeWith(folded, projection, { now: question.now, lookups })
    if (result) results.push(result)
  }
  const { lookUp } = question
  if (lookUp) await askAboutEach(foldPart(part, fold), { ...question, lookUp }, judgeOne)
  else for (const folded of foldPart(part, fold)) judgeOne(folded, NO_ANSWERS)
  return { results, subjects, counts: fold.counts, keyUses: Uint32Array.from(keyUses) }
}

/** Judges the subjects of a part that share keys, with what they share. */
export async function judgeSharing(
  part: Part,
  shared: ReadonlyMap<string, readonly SharedUses[]>,
  projection: Projection,
  question: PartQuestion,
): Promise<SubjectResult[]> {
  const results: SubjectResult[] = []
  for (const folded of foldPart(part, new Fold(projection, question))) {
    const uses = shared.get(folded.subject)
    if (!uses) continue
    const lookups = (await question.lookUp?.(folded.subject)) ?? NO_ANSWERS
    const result = judgeWith(folded, projection, { now: question.now, lookups }, uses)
    if (result) results.push(result)
  }
  return results
}

const NO_ANSWERS: RuleContext['lookups'] = {}

async function askAboutEach(
  subjects: Iterable<FoldedSubject>,
  { lookUp, signal }: PartQuestion & { lookUp: LookUp },
  judgeOne: (folded: FoldedSubject, lookups: RuleContext['lookups']) => void,
): Promise<void> {
  const waiting: FoldedSubject[] = []
  const ask = async () => {
    signal?.throwIfAborted()
    const some = waiting.splice(0)
    const answers = await Promise.all(some.map(({ subject }) => lookUp(subject)))
    for (const [index, folded] of some.entries()) judgeOne(folded, answers[index] ?? NO_ANSWERS)
  }
  for (const folded of subjects) {
    waiting.push(folded)
    if (waiting.length === ASKED_AT_ONCE) await ask()
  }
  await ask()
}

function noteKeyUses(keyUses: number[], folded: FoldedSubject, projection: Projection): void {
  for (const { rule, use } of sharedUsesOf(folded, projection)) {
    keyUses.push(hashOf(folded.subject), hashOf(`${rule} ${use.key}`))
  }
}

function judgeWith(
  folded: FoldedSubject,
  projection: Projection,
  context: RuleContext,
  uses: readonly SharedUses[] = [],
): SubjectResult | undefined {
  const findings = judgeSubject(folded, projection, context, detectShared(folded, uses, projection))
  if (findings.length === 0) return undefined
  return {
    subject: folded.subject,
    findings: findings.sort(compareFindings),
    compensation: compensationOf(folded, findings, projection, context),
    unmet: findings.some(isRepairable) ? (projection.unmetGuards?.(folded.state, context) ?? []) : [],
    value: projection.live?.valueAtStake?.(folded.state),
  }
}

/** What would make a subject good, of all of its findings; undefined where nothing would. */
export function compensationOf(
  folded: FoldedSubject,
  findings: readonly Finding[],
  projection: Projection,
  context: RuleContext,
): Compensation | undefined {
  const { subject, ordinal, heads } = folded
  const intents = compensateSubject(folded, findings, projection, context)
  return intents.length > 0 ? { subject, ordinal, heads, intents } : undefined
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
