// Turns of a rule across subjects: when a key came to be used more than once, and when it no longer was. First each subject's own uses over time, then
// all uses of a key in order. Memory grows with the number of keys.

import type { RecordedEvent } from '../log/event.js'
import { comparePositions } from '../log/position.js'
import { makeFinding } from './finding.js'
import type { FoldedSubject } from './fold.js'
import type { KeyUse, Projection, SharedKeyRule } from './projection.js'
import { type EventPlace, placeOf, stepsOf, type TimeAxis, type Turn, type TurnsQuestion } from './turns.js'

/** The uses of one key by one subject, from an event on. */
interface UseChange {
  readonly subject: string
  readonly key: string
  readonly uses: readonly KeyUse[]
  readonly at: number
  readonly event: EventPlace
}

export interface SharedQuestion extends TurnsQuestion {
  readonly projection: Projection
  readonly sharedRule: SharedKeyRule<unknown>
}

/** All turns of the rule, from the events of each subject in log order. */
export function* sharedTurnsOf(
  groups: Iterable<readonly [subject: string, events: readonly RecordedEvent[]]>,
  question: SharedQuestion,
): Iterable<Turn> {
  const byKey = new Map<string, UseChange[]>()
  for (const [subject, events] of groups) {
    for (const change of useChangesOf(subject, events, question)) {
      const known = byKey.get(change.key)
      if (known) known.push(change)
      else byKey.set(change.key, [change])
    }
  }
  for (const changes of byKey.values()) yield* turnsOfKey(changes.sort(orderOn(question.axis)), question)
}

function* useChangesOf(
  subject: string,
  events: readonly RecordedEvent[],
  { projection, sharedRule, axis, now }: SharedQuestion,
): Iterable<UseChange> {
  let before = new Map<string, KeyUse[]>()
  for (const step of stepsOf(subject, events, { projection, axis, now })) {
    const after = usesIn(step.fold(), sharedRule)
    for (const key of new Set([...before.keys(), ...after.keys()])) {
      const uses = after.get(key) ?? []
      if (namesOf(before.get(key) ?? []) === namesOf(uses)) continue
      yield { subject, key, uses, at: step.at, event: placeOf(step.event) }
    }
    before = after
  }
}

function usesIn(folded: FoldedSubject | undefined, { keys }: SharedKeyRule<unknown>): Map<string, KeyUse[]> {
  const byKey = new Map<string, KeyUse[]>()
  for (const use of folded ? keys(folded.state) : []) byKey.set(use.key, [...(byKey.get(use.key) ?? []), use])
  return byKey
}

/** What tells one use from another, as it does the findings that they make. */
function namesOf(uses: readonly KeyUse[]): string {
  return JSON.stringify(uses.map(({ opened, occurrence }) => [opened.id, occurrence ?? null]))
}

/** Clocks may be set back: what was known goes by the log's own order. */
function orderOn(axis: TimeAxis): (a: UseChange, b: UseChange) => number {
  const byPlace = (a: UseChange, b: UseChange) => comparePositions(a.event.position, b.event.position)
  return axis === 'known' ? byPlace : (a, b) => a.at - b.at || byPlace(a, b)
}

function* turnsOfKey(changes: readonly UseChange[], question: SharedQuestion): Iterable<Turn> {
  const uses = new Map<string, readonly KeyUse[]>()
  let total = 0
  for (const change of changes) {
    const before = total
    const own = uses.get(change.subject) ?? []
    total += change.uses.length - own.length
    // Only where the key begins or ceases to be shared does a change touch others, and then there is one other use at most.
    const touched = before < 2 !== total < 2 ? new Set([...uses.keys(), change.subject]) : [change.subject]
    const was = findingsOf(touched, uses, { isShared: before >= 2, question })
    uses.set(change.subject, change.uses)
    if (change.uses.length === 0) uses.delete(change.subject)
    const is = findingsOf(touched, uses, { isShared: total >= 2, question })
    yield* turnsBetween(was, is, change)
  }
}

type Findings = ReadonlyMap<string, Turn['finding']>

function findingsOf(
  subjects: Iterable<string>,
  uses: ReadonlyMap<string, readonly KeyUse[]>,
  { isShared, question }: { readonly isShared: boolean; readonly question: SharedQuestion },
): Findings {
  const findings = new Map<string, Turn['finding']>()
  if (!isShared) return findings
  for (const subject of subjects) {
    for (const evidence of uses.get(subject) ?? []) {
      const { projection, sharedRule } = question
      const { id, rule, since } = makeFinding(projection.name, sharedRule, { subject, revisions: {}, evidence })
      findings.set(id, { id, rule, subject, since })
    }
  }
  return findings
}

function* turnsBetween(was: Findings, is: Findings, { at, event }: UseChange): Iterable<Turn> {
  const cause = { kind: 'event', event } as const
  for (const [id, finding] of was) if (!is.has(id)) yield { kind: 'went', finding, at, cause }
  for (const [id, finding] of is) if (!was.has(id)) yield { kind: 'came', finding, at, cause }
}
