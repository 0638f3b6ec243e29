// Turns: the moments at which findings of one rule on one subject came and went, as its history unfolds event by event. Pure; one pass over the
// subject's events where they happened in the order in which they came.
import type { RecordedEvent } from '../log/event.js'
import { describedBy } from '../log/stream.js'
import { msOfTicks, type Ticks } from '../log/ticks.js'
import { detectSubject } from './detect.js'
import type { Finding } from './finding.js'
import { Fold, type FoldedSubject } from './fold.js'
import { happenedAtOf } from './moment.js'
import type { Projection } from './projection.js'

/** By which time a history unfolds: the one at which the log took an event, or the one at which it happened. */
export type TimeAxis = 'known' | 'occurred'

/** An event without what it says. */
export type EventPlace = Pick<RecordedEvent, 'id' | 'stream' | 'revision' | 'type' | 'created' | 'position'>

/** What made a finding true, or no longer true. */
export type TurnCause =
  /** This event; of a rule across subjects it may be another subject's. */
  | { readonly kind: 'event'; readonly event: EventPlace }
  /** The passing of time alone: a grace period or a limit ended. `event`: the subject's last one before. */
  | { readonly kind: 'time'; readonly event: EventPlace }

export interface Turn {
  readonly kind: 'came' | 'went'
  readonly finding: Pick<Finding, 'id' | 'rule' | 'subject' | 'since'>
  /** Milliseconds since the Unix epoch, on the axis asked for. */
  readonly at: number
  readonly cause: TurnCause
}

export interface TurnsQuestion {
  /** The id of a rule over one subject, or of one of the engine's. */
  readonly rule: string
  readonly axis: TimeAxis
  /** When the history ends, in milliseconds since the Unix epoch. */
  readonly now: number
}

/** Lets go of an event's data. */
export function placeOf({ id, stream, revision, type, created, position }: RecordedEvent): EventPlace {
  return { id, stream, revision, type, created, position }
}

/** A place in a history at which the subject's state is another one. */
export interface Step {
  readonly at: number
  readonly event: RecordedEvent
  /** Called once, in order. */
  fold(): FoldedSubject | undefined
}

/** The turns of one subject, from all of its events in log order. */
export function* turnsOf(
  subject: string,
  events: readonly RecordedEvent[],
  { projection, ...question }: TurnsQuestion & { readonly projection: Projection },
): Iterable<Turn> {
  const narrowed = narrowTo(projection, question.rule)
  const history = new History(narrowed, question.rule)
  for (const step of stepsOf(subject, events, { ...question, projection: narrowed })) {
    yield* history.passTime(step.at)
    yield* history.takeStep(step)
  }
  yield* history.passTime(question.now)
}

/** The steps of a subject's history up to its end, in order. */
export function stepsOf(
  subject: string,
  events: readonly RecordedEvent[],
  { projection, axis, now }: Omit<TurnsQuestion, 'rule'> & { readonly projection: Projection },
): Step[] {
  if (axis === 'known') return knownSteps(subject, events, projection)
  return occurredSteps(subject, events, projection).filter(({ at }) => at <= now)
}

/** The projection with no other rule than this one: what is not asked for need not be judged at every event. */
function narrowTo(projection: Projection, rule: string): Projection {
  return { ...projection, rules: projection.rules.filter(({ id }) => id === rule), sharedKeys: [] }
}

/** Clocks may be set back; a subject's history goes on only. */
function knownSteps(subject: string, events: readonly RecordedEvent[], projection: Projection): Step[] {
  const fold = new Fold(projection)
  let at = Number.NEGATIVE_INFINITY
  return events.map((event) => {
    at = Math.max(at, event.created === undefined ? at : msOfTicks(event.created))
    return { at, event, fold: () => foldOne(fold, event, subject) }
  })
}

function foldOne(fold: Fold, event: RecordedEvent, subject: string): FoldedSubject | undefined {
  fold.add(event)
  return fold.subjects.get(subject)
}

function occurredSteps(subject: string, events: readonly RecordedEvent[], projection: Projection): Step[] {
  const timed = events
    .filter(({ stream }) => describedBy(stream) === undefined)
    .map((event) => ({ event, ticks: happenedAtOf(event, projection) ?? 0n }))
  const sorted = timed.toSorted((a, b) => (a.ticks < b.ticks ? -1 : Number(a.ticks > b.ticks)))
  const isInOrder = sorted.every((one, index) => one === timed[index])
  const fold = new Fold(projection)
  return groupByTicks(sorted).map(({ ticks, together }) => ({
    at: msOfTicks(ticks),
    event: together.at(-1) as RecordedEvent,
    fold: () => {
      // A late event changes what comes behind it in the log: then the state is folded anew, as a replay of that moment does it.
      if (!isInOrder) return foldAll(events, projection, { subject, happenedBy: ticks })
      for (const event of together) fold.add(event)
      return fold.subjects.get(subject)
    },
  }))
}

function groupByTicks(sorted: readonly { event: RecordedEvent; ticks: Ticks }[]) {
  const groups: { ticks: Ticks; together: RecordedEvent[] }[] = []
  for (const { event, ticks } of sorted) {
    const last = groups.at(-1)
    if (last?.ticks === ticks) last.together.push(event)
    else groups.push({ ticks, together: [event] })
  }
  return groups
}

function foldAll(
  events: readonly RecordedEvent[],
  projection: Projection,
  { subject, happenedBy }: { subject: string; happenedBy: Ticks },
): FoldedSubject | undefined {
  const fold = new Fold(projection, { happenedBy })
  for (const event of events) fold.add(event)
  return fold.subjects.get(subject)
}

class History {
  readonly #projection: Projection
  readonly #rule: string
  #now = Number.NEGATIVE_INFINITY
  #last: { readonly folded: FoldedSubject | undefined; readonly event: EventPlace } | undefined
  #open = new Map<string, Turn['finding']>()

  constructor(projection: Projection, rule: string) {
    this.#projection = projection
    this.#rule = rule
  }

  /** Judges at each moment up to `until` at which the rules may say something else; before an event at the same moment, which then did not do it. */
  *passTime(until: number): Iterable<Turn> {
    if (!this.#last?.folded) return
    const { folded, event } = this.#last
    const deadlines = [...(this.#projection.live?.deadlines(folded.state) ?? [])]
    const due = [...new Set(deadlines)].filter((at) => at > this.#now && at <= until).sort((a, b) => a - b)
    for (const at of due) yield* this.#judge(at, { kind: 'time', event })
  }

  *takeStep(step: Step): Iterable<Turn> {
    const event = placeOf(step.event)
    this.#last = { folded: step.fold(), event }
    yield* this.#judge(step.at, { kind: 'event', event })
  }

  *#judge(at: number, cause: TurnCause): Iterable<Turn> {
    this.#now = at
    const before = this.#open
    this.#open = new Map(this.#findAt(at).map((finding) => [finding.id, finding]))
    for (const [id, finding] of before) if (!this.#open.has(id)) yield { kind: 'went', finding, at, cause }
    for (const [id, finding] of this.#open) if (!before.has(id)) yield { kind: 'came', finding, at, cause }
  }

  #findAt(now: number): Turn['finding'][] {
    const folded = this.#last?.folded
    if (!folded) return []
    const found = detectSubject(folded, this.#projection, { now, lookups: {} })
    return found
      .filter(({ rule }) => rule === this.#rule)
      .map(({ id, rule, subject, since }) => ({ id, rule, subject, since }))
  }
}
