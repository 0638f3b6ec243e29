// The plan: what a scan would have made good, written down before anything is done. Its digest covers all of it, so that what is
// approved is what is done; its items name the evidence and the guard each will be appended behind.
import { v5 as uuidV5 } from 'uuid'
import { z } from 'zod'
import type { Cut } from '../engine/cut.js'
import { rulesOf } from '../engine/detect.js'
import { digestOf } from '../engine/digest.js'
import type { Finding } from '../engine/finding.js'
import type { EventRef, Intent, Projection } from '../engine/projection.js'
import type { ReplayResult } from '../engine/replay.js'
import { formatPosition } from '../log/position.js'
import { streamOf } from '../log/stream.js'

/** Namespace of idempotency keys (a UUID of our own choice). */
const KEY_NAMESPACE = '8f0c3a5e-2b7d-5c49-8d3e-0a6f1b2c4d5e'

const json = z.json()
const jsonObject = z.record(z.string(), json)
const revision = z.int().min(0)
const draft = z.strictObject({ type: z.string(), data: jsonObject })

const planItem = z.strictObject({
  /** The idempotency key: one work, one key, in every plan and every campaign. */
  key: z.uuid(),
  subject: z.string(),
  /** Where it will be appended, and behind which guard if nothing comes in between. */
  stream: z.string(),
  expectedRevision: z.union([revision, z.literal('noStream')]),
  intent: z.strictObject({
    occurrence: z.string(),
    answers: z.array(z.string()),
    category: z.string(),
    events: z.array(draft).optional(),
    command: jsonObject.optional(),
    value: z.strictObject({ currency: z.string(), amountMinor: z.int() }).optional(),
  }),
  rules: z.array(z.string()),
  evidence: z.strictObject({
    events: z.array(z.string()),
    /** The last event read of each stream: it must stand at its revision where the plan is applied. */
    heads: z.array(z.strictObject({ id: z.string(), stream: z.string(), revision })),
  }),
})

/** A finding that waits for a person, as plans and cases keep it. */
export const waitingCase = z.strictObject({
  findingId: z.string(),
  rule: z.string(),
  subject: z.string(),
  severity: z.int(),
  since: z.string().nullable(),
  events: z.array(z.string()),
  detail: jsonObject,
  /** The rule in a sentence. */
  why: z.string(),
})

const plan = z.strictObject({
  type: z.literal('plan'),
  format: z.literal(1),
  projection: z.string(),
  version: z.string(),
  policy: jsonObject,
  /** Who else was asked about every subject: `apply` must ask them too. */
  lookups: z.array(z.string()).optional(),
  now: z.iso.datetime(),
  cut: z.strictObject({ position: z.string(), time: z.string().nullable(), eventId: z.string() }).nullable(),
  scanDigest: z.string(),
  items: z.array(planItem),
  /** Findings that no machine may settle: `apply` opens a review case for each. */
  cases: z.array(waitingCase),
  digest: z.string(),
})

/** One compensation of a plan. */
export type PlanItem = Omit<z.infer<typeof planItem>, 'intent'> & { readonly intent: Intent }
export type Plan = Omit<z.infer<typeof plan>, 'items'> & { readonly items: readonly PlanItem[] }
export type WaitingCase = z.infer<typeof waitingCase>

/** A plan file that is none, or whose content is not what its digest was made over. */
export class PlanInvalidError extends Error {
  override readonly name = 'PlanInvalidError'
}

/**
 * Orders a scan's compensations into a plan. The same scan gives the same plan, byte for byte. `lookups`: the names of those that the scan
 * asked about every subject.
 */
export function makePlan(result: ReplayResult, projection: Projection, lookups: readonly string[] = []): Plan {
  const { summary, findings, compensations } = result
  const byId = new Map(findings.map((finding) => [finding.id, finding]))
  const asked = (intent: Intent) => intent.answers.some((id) => byId.has(id))
  const content: Omit<Plan, 'digest'> = {
    type: 'plan',
    format: 1,
    projection: projection.name,
    version: projection.version,
    policy: (projection.policy ?? {}) as Plan['policy'],
    ...(lookups.length > 0 && { lookups: [...lookups].sort() }),
    now: summary.now,
    cut: summary.cut && planCut(summary.cut),
    scanDigest: summary.digest,
    items: compensations.flatMap(({ subject, heads, intents }) =>
      intents.filter(asked).map((intent) => planItemOf({ projection, subject, heads, intent, byId })),
    ),
    cases: findings.filter(waitsForPerson).map((finding) => waitingCaseOf(finding, projection)),
  }
  // Through JSON, so that the digest is over exactly what a file can hold.
  const { items, cases, ...head } = content
  const plain = { ...throughJson(head), items: items.map(throughJson), cases: cases.map(throughJson) }
  return { ...plain, digest: digestOf(plain) }
}

function throughJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value))
}

/** A plan as the text of its file, in pieces: an item or a case a line. */
export function* formatPlan({ items, cases, digest, ...head }: Plan): Iterable<string> {
  for (const [name, value] of Object.entries(head)) {
    yield `${name === 'type' ? '{' : ','}\n  ${JSON.stringify(name)}: ${JSON.stringify(value)}`
  }
  yield ',\n  "items": ['
  yield* formatLines(items)
  yield '],\n  "cases": ['
  yield* formatLines(cases)
  yield `],\n  "digest": ${JSON.stringify(digest)}\n}\n`
}

function* formatLines(values: readonly unknown[]): Iterable<string> {
  for (const [index, value] of values.entries()) yield `${index === 0 ? '' : ','}\n    ${JSON.stringify(value)}`
  if (values.length > 0) yield '\n  '
}

function planItemOf(about: {
  projection: Projection
  subject: string
  heads: Readonly<Record<string, EventRef>>
  intent: Intent
  byId: ReadonlyMap<string, Finding>
}): PlanItem {
  const { projection, subject, heads, intent, byId } = about
  const answered = intent.answers.flatMap((id) => byId.get(id) ?? [])
  return {
    key: keyOf(projection, subject, intent),
    subject,
    stream: streamOf(intent.category, subject),
    expectedRevision: heads[intent.category]?.revision ?? 'noStream',
    intent,
    rules: [...new Set(answered.map(({ rule }) => rule))],
    evidence: {
      events: [...new Set(answered.flatMap(({ evidence }) => evidence.events))],
      heads: Object.values(heads).map(({ id, stream, revision: at }) => ({ id, stream, revision: at })),
    },
  }
}

/** The idempotency key of an intent: UUIDv5 of projection, subject and occurrence; no rule, no campaign and no time in it. */
export function keyOf(projection: Projection, subject: string, intent: Intent): string {
  return uuidV5(JSON.stringify([projection.name, subject, intent.occurrence]), KEY_NAMESPACE)
}

/** Whether a finding is for a person to settle. */
export function waitsForPerson({ disposition, opensCase }: Finding): boolean {
  return disposition === 'person' || opensCase === true
}

/** What a review case keeps of a finding. */
export function waitingCaseOf(finding: Finding, projection: Projection): WaitingCase {
  const { id, rule, subject, severity, since, evidence, detail } = finding
  return {
    findingId: id,
    rule,
    subject,
    severity,
    since,
    events: [...evidence.events],
    detail: detail as WaitingCase['detail'],
    why: rulesOf(projection).find((known) => known.id === rule)?.title ?? '',
  }
}

function planCut({ position, time, eventId }: Cut): Plan['cut'] {
  return { position: formatPosition(position), time, eventId }
}

/** Throws PlanInvalidError where a plan's content does not give its digest: what was approved is then another work. */
export function requireUnchanged({ digest, ...content }: Plan, source = 'The plan'): void {
  if (digestOf(content) === digest) return
  throw new PlanInvalidError(
    `${source}: was changed after it was made: its content does not give its digest ${digest}; plan again`,
  )
}

/**
 * Reads a plan file's text. Throws PlanInvalidError where it is not a plan, or was changed after its digest was made. `source` names the file
 * in messages.
 */
export function parsePlan(text: string, source: string): Plan {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    throw new PlanInvalidError(`${source}: not JSON; make a plan with \`makegood plan --out ${source}\``)
  }
  const parsed = plan.safeParse(content)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new PlanInvalidError(`${source}: not a plan: ${issue?.path.join('.')}: ${issue?.message}`)
  }
  // Zod leaves absent fields out, so the intent is one by its type as well.
  const read = parsed.data as Plan
  requireUnchanged(read, source)
  return read
}
