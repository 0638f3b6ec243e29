// Differences of two lists of findings: what came, what went, what changed. Exact: applied to the first list they give the second.
import { canonicalize } from './digest.js'
import { compareFindings, type Finding } from './finding.js'
import type { JsonValue } from './json.js'

/** One finding that is not the same in both lists. */
export type FindingChange =
  | { readonly kind: 'came'; readonly finding: Finding }
  /** `finding` as it was. */
  | { readonly kind: 'went'; readonly finding: Finding }
  | {
      readonly kind: 'changed'
      readonly finding: Finding
      readonly before: Finding
      /** Which of its fields, such as `detail` or `evidence.revisions`; in the order of a finding's fields. */
      readonly fields: readonly string[]
    }

/** The changes from one list to the other, in the order of findings. Both lists are in that order. */
export function diffFindings(before: readonly Finding[], after: readonly Finding[]): FindingChange[] {
  const known = numbered(before)
  const changes: FindingChange[] = []
  for (const [key, finding] of numbered(after)) {
    const old = known.get(key)
    known.delete(key)
    const change = changeOf(old, finding)
    if (change) changes.push(change)
  }
  for (const finding of known.values()) changes.push({ kind: 'went', finding })
  return changes.sort((a, b) => compareFindings(a.finding, b.finding))
}

function changeOf(before: Finding | undefined, finding: Finding): FindingChange | undefined {
  if (!before) return { kind: 'came', finding }
  const fields = changedFields(before, finding)
  return fields.length === 0 ? undefined : { kind: 'changed', finding, before, fields }
}

/** Findings by id; of one id the how-many-eth, for rules that tell the same thing twice. */
function numbered(findings: readonly Finding[]): Map<string, Finding> {
  const counts = new Map<string, number>()
  const byKey = new Map<string, Finding>()
  for (const finding of findings) {
    const count = (counts.get(finding.id) ?? 0) + 1
    counts.set(finding.id, count)
    byKey.set(`${finding.id} ${count}`, finding)
  }
  return byKey
}

/** What makes up a finding beside its id, which is the same in both. */
const FIELDS: readonly [string, (finding: Finding) => JsonValue | undefined][] = [
  ['severity', ({ severity }) => severity],
  ['disposition', ({ disposition }) => disposition],
  ['since', ({ since }) => since],
  ['evidence.events', ({ evidence }) => evidence.events],
  ['evidence.revisions', ({ evidence }) => evidence.revisions],
  ['evidence.lookups', ({ evidence }) => evidence.lookups],
  ['detail', ({ detail }) => detail],
  ['heldBy', ({ heldBy }) => heldBy],
  ['opensCase', ({ opensCase }) => opensCase],
]

function changedFields(before: Finding, after: Finding): string[] {
  return FIELDS.filter(([, of]) => canonicalize([of(before) ?? null]) !== canonicalize([of(after) ?? null])).map(
    ([name]) => name,
  )
}
