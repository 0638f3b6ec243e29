// Detection: folded subjects become findings. The engine's own rules (is the history whole, was everything read) hold for every
// projection; the projection's rules look at one state each, its shared-key rules at all of them.
import { type Finding, makeFinding, markHeld } from './finding.js'
import { type FoldedSubject, incompletenessOf, revisionsOf } from './fold.js'
import type { JsonObject } from './json.js'
import type { Evidence, FindingRef, Intent, KeyUse, Projection, Rule, RuleContext, RuleHead } from './projection.js'

/** The engine's rule of histories that are not whole. */
export const HISTORY_INCOMPLETE: RuleHead = {
  id: 'history-incomplete',
  title: 'The history is not whole: absence of an event proves nothing.',
  severity: 1,
  disposition: 'never',
}

const UNKNOWN_EVENT: RuleHead = {
  id: 'unknown-event',
  title: 'An event could not be decoded: it could be the one that seems to be missing.',
  severity: 1,
  disposition: 'never',
}

/** All rules that can open findings under a projection, the engine's own first. */
export function rulesOf(projection: Projection): readonly RuleHead[] {
  return [HISTORY_INCOMPLETE, UNKNOWN_EVENT, ...projection.rules, ...(projection.sharedKeys ?? [])]
}

/** The findings of one subject, unsorted, those that may not be repaired marked with what holds them. */
export function detectSubject(folded: FoldedSubject, projection: Projection, context: RuleContext): Finding[] {
  const proofs = integrityProofs(folded)
  for (const tested of testedRulesOf(projection)) prove(tested, folded.state, context, proofs)
  // Most subjects are well, and many: nothing is made for them.
  if (proofs.length === 0) return []
  const { subject } = folded
  const revisions = revisionsOf(folded, projection)
  return markHeld(
    proofs.map(({ rule, evidence, lookups }) =>
      makeFinding(projection.name, rule, { subject, revisions, evidence, ...(lookups && { lookups }) }),
    ),
  )
}

/** A rule that is true of a subject. */
interface Proof {
  readonly rule: RuleHead
  readonly evidence: Evidence
  readonly lookups?: JsonObject
}

/** A rule with its conditions as a list. */
interface TestedRule {
  readonly rule: Rule<unknown>
  readonly conditions: readonly Rule<unknown>['when'][string][]
}

const testedRules = new WeakMap<Projection, readonly TestedRule[]>()

function testedRulesOf(projection: Projection): readonly TestedRule[] {
  const known = testedRules.get(projection)
  if (known) return known
  const tested = projection.rules.map((rule) => ({ rule, conditions: Object.values(rule.when) }))
  testedRules.set(projection, tested)
  return tested
}

const ONCE = [undefined]

function prove({ rule, conditions }: TestedRule, state: unknown, context: RuleContext, proofs: Proof[]): void {
  const lookups = rule.uses && lookupsOf(rule.uses, context)
  if (rule.uses && !lookups) return
  for (const item of rule.each?.(state, context) ?? ONCE) {
    if (!allHold(conditions, state, context, item)) continue
    proofs.push({ rule, evidence: rule.evidence(state, item, context), ...(lookups && { lookups }) })
  }
}

function allHold(conditions: TestedRule['conditions'], state: unknown, context: RuleContext, item: unknown): boolean {
  for (const holds of conditions) if (!holds(state, context, item)) return false
  return true
}

/** The answers that a rule uses; undefined where not all of them are configured. */
function lookupsOf(uses: readonly string[], { lookups }: RuleContext): JsonObject | undefined {
  if (!uses.every((name) => Object.hasOwn(lookups, name))) return undefined
  return Object.fromEntries(uses.map((name) => [name, lookups[name]]))
}

function integrityProofs(folded: FoldedSubject): Proof[] {
  const incomplete = incompletenessOf(folded)
  const [firstHole] = incomplete
  const [firstUnknown] = folded.undecodable
  const proofs: Proof[] = []
  if (firstHole) {
    const why = incomplete.map((hole) => ({ stream: hole.shownBy.stream, why: hole.why }))
    proofs.push({ rule: HISTORY_INCOMPLETE, evidence: { opened: firstHole.shownBy, detail: { why } } })
  }
  if (firstUnknown) {
    const events = folded.undecodable.map(({ id }) => id)
    const why = folded.undecodable.map((event) => ({
      stream: event.stream,
      revision: event.revision,
      type: event.type,
      why: event.why,
    }))
    proofs.push({ rule: UNKNOWN_EVENT, evidence: { opened: firstUnknown, events, detail: { why } } })
  }
  return proofs
}

/** One use of a key that should be unique, by which subject, under which of the projection's `sharedKeys` (its index). */
export interface SharedUse {
  readonly rule: number
  readonly subject: string
  /** As of FoldedSubject: orders the uses of a key by when their subjects came. */
  readonly ordinal: number
  readonly use: KeyUse
}

/** All uses of a key that are more than one. */
export type SharedUses = readonly SharedUse[]

/** The uses of one subject. */
export function* sharedUsesOf(
  { subject, ordinal, state }: FoldedSubject,
  { sharedKeys = [] }: Projection,
): Iterable<SharedUse> {
  for (const [index, rule] of sharedKeys.entries()) {
    for (const use of rule.keys(state)) yield { rule: index, subject, ordinal, use }
  }
}

/** Keys that are used more than once, by the subjects that use them. */
export function groupSharedUses(uses: Iterable<SharedUse>): Map<string, SharedUses[]> {
  const byKey = new Map<string, SharedUse[]>()
  for (const used of uses) {
    const key = `${used.rule} ${used.use.key}`
    const known = byKey.get(key)
    if (known) known.push(used)
    else byKey.set(key, [used])
  }
  const bySubject = new Map<string, SharedUses[]>()
  for (const group of byKey.values()) {
    if (group.length < 2) continue
    group.sort((a, b) => a.ordinal - b.ordinal)
    for (const subject of new Set(group.map((used) => used.subject))) {
      const groups = bySubject.get(subject) ?? []
      groups.push(group)
      bySubject.set(subject, groups)
    }
  }
  return bySubject
}

/** The findings of one subject that come of keys it shares. */
export function detectShared(folded: FoldedSubject, groups: readonly SharedUses[], projection: Projection): Finding[] {
  const { subject } = folded
  return sharedFindings({ subject, revisions: revisionsOf(folded, projection) }, groups, projection)
}

/** The same of a subject that is not at hand: `revisions` as `revisionsOf` tells them. */
export function sharedFindings(
  { subject, revisions }: { readonly subject: string; readonly revisions: Finding['evidence']['revisions'] },
  groups: readonly SharedUses[],
  projection: Projection,
): Finding[] {
  return groups.flatMap((group) => {
    const events = group.map(({ use }) => use.opened.id)
    const sharedBy = [...new Set(group.map((used) => used.subject))].sort()
    return group
      .filter((used) => used.subject === subject)
      .map(({ rule, use }) => {
        const evidence = { ...use, events, detail: { ...use.detail, key: use.key, sharedBy } }
        return makeFinding(projection.name, projection.sharedKeys?.[rule] as RuleHead, { subject, revisions, evidence })
      })
  })
}

/** The second pass: keys that should be unique over all subjects and are not, as findings by subject. */
export function detectSharedKeys(subjects: Iterable<FoldedSubject>, projection: Projection): Map<string, Finding[]> {
  const bySubject = new Map([...subjects].map((folded) => [folded.subject, folded]))
  const uses = [...bySubject.values()].flatMap((folded) => [...sharedUsesOf(folded, projection)])
  return new Map(
    [...groupSharedUses(uses)].map(([subject, groups]) => [
      subject,
      detectShared(bySubject.get(subject) as FoldedSubject, groups, projection),
    ]),
  )
}

/** The compensations of one subject: empty unless it has a repairable finding and nothing that holds it. */
export function compensateSubject(
  folded: FoldedSubject,
  findings: readonly Finding[],
  projection: Projection,
  context: RuleContext,
): readonly Intent[] {
  const repairable = findings.filter((finding) => finding.disposition === 'repair')
  if (repairable.length === 0 || repairable.some((finding) => finding.heldBy)) return []
  const refs: FindingRef[] = repairable.map(({ id, rule, occurrence }) => ({ id, rule, occurrence }))
  return projection.compensate?.(folded.state, refs, context) ?? []
}
