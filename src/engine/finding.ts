// Findings: what is wrong with a subject, the evidence that proves it, an id that stays, and the order they are told in.
import { parse as parseUuid, v5 as uuidV5 } from 'uuid'
import type { Revision } from '../log/revision.js'
import type { JsonObject } from './json.js'
import type { Disposition, Evidence, RuleHead, Severity } from './projection.js'

/** Namespace of the ids of findings (a UUID of our own choice). */
const FINDING_NAMESPACE = parseUuid('3c0f2f4e-6c1d-5b8e-9a57-5d1f8f6b2a10')

/** One inconsistency of one subject as of a cut. Plain data; what `scan` prints. */
export interface Finding {
  /** UUIDv5 over projection, rule, subject, occurrence and the opening event's id. */
  readonly id: string
  readonly rule: string
  readonly subject: string
  readonly severity: Severity
  /** What the rule says may be done about it; see `heldBy` for what else the subject says. */
  readonly disposition: Disposition
  readonly since: string | null
  readonly evidence: {
    /** Ids of the events that prove it, the opening one first. */
    readonly events: readonly string[]
    /** The last revision read of each of the subject's streams; null where it had no event. */
    readonly revisions: Readonly<Record<string, Revision | null>>
    /** Answers of the lookups that the rule used. */
    readonly lookups?: JsonObject
  }
  readonly detail: JsonObject
  /** Rules of the same subject that outrank a `repair`: as long as they are true it is not repaired. */
  readonly heldBy?: readonly string[]
  /** What on the subject it is about, where not the subject as a whole. */
  readonly occurrence?: string
  /** Also waits for a person, though its disposition is `never`. */
  readonly opensCase?: true
}

/** Makes a finding of a rule and its evidence. */
export function makeFinding(
  projection: string,
  rule: RuleHead,
  about: { subject: string; revisions: Record<string, Revision | null>; evidence: Evidence; lookups?: JsonObject },
): Finding {
  const { subject, revisions, evidence, lookups } = about
  const { opened, events = [], occurrence, since, detail = {} } = evidence
  return {
    id: uuidV5(JSON.stringify([projection, rule.id, subject, occurrence ?? null, opened.id]), FINDING_NAMESPACE),
    rule: rule.id,
    subject,
    severity: rule.severity,
    disposition: rule.disposition,
    since: since ?? null,
    evidence: { events: [...new Set([opened.id, ...events])], revisions, ...(lookups && { lookups }) },
    detail,
    ...(occurrence !== undefined && { occurrence }),
    ...(rule.opensCase && { opensCase: true as const }),
  }
}

/** Order of findings: subject, rule, id, compared by their UTF-8 bytes. */
export function compareFindings(a: Finding, b: Finding): number {
  return compareBytes(a.subject, b.subject) || compareBytes(a.rule, b.rule) || compareBytes(a.id, b.id)
}

/**
 * Compares texts by their UTF-8 bytes. Code units of UTF-16 give the same order but where one side has a surrogate pair, so
 * only then bytes are made.
 */
export function compareBytes(a: string, b: string): number {
  if (a === b) return 0
  if (SURROGATE.test(a) || SURROGATE.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return a < b ? -1 : 1
}

const SURROGATE = /[\ud800-\udfff]/

/** Marks the repairable findings of one subject with the rules that outrank them (never, then person). */
export function markHeld(findings: readonly Finding[]): Finding[] {
  const holding = findings.filter(({ disposition }) => disposition === 'never' || disposition === 'person')
  if (holding.length === 0) return [...findings]
  const heldBy = [...new Set(holding.map(({ rule }) => rule))].sort(compareBytes)
  return findings.map((finding) => (finding.disposition === 'repair' ? { ...finding, heldBy } : finding))
}

/** Whether the engine may compensate it: its rule says so and nothing on its subject forbids it. */
export function isRepairable(finding: Finding): boolean {
  return finding.disposition === 'repair' && finding.heldBy === undefined
}
