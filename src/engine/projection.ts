// Projection: all that a domain supplies. It says which streams are read, what their events must look like, how they are
// folded into the state of one subject, which states are wrong, and what would make them good. Everything else is the engine's.
import type { ZodType } from 'zod'
import type { Revision } from '../log/revision.js'
import type { Ticks } from '../log/ticks.js'
import type { JsonObject, JsonValue } from './json.js'
import { problemOfProjection } from './projection-shape.js'

/** Which event, by id and place. Plain data: a state may keep it. */
export interface EventRef {
  readonly id: string
  readonly stream: string
  readonly revision: Revision
}

/** An event whose data passed its schema: what `evolve` is given. It must not be changed. */
export interface DecodedEvent<Type extends string = string, Data = unknown> extends EventRef {
  readonly type: Type
  readonly category: string
  readonly subject: string
  readonly data: Data
  readonly metadata: JsonObject
  /** When the log took it; undefined in logs that keep no time. For rules use times that the data carries. */
  readonly created: Ticks | undefined
}

/** 1 is the worst. */
export type Severity = 1 | 2 | 3 | 4

/**
 * What may be done about a finding. `repair`: the engine may compensate it. `person`: a review case. `never`: as long as it is true
 * nothing may be repaired on its subject. `observe`: worth knowing. On one subject never beats person beats repair beats observe.
 */
export type Disposition = 'repair' | 'person' | 'never' | 'observe'

/** What a rule may look at beside the state. */
export interface RuleContext {
  /** Milliseconds since the Unix epoch: the clock, the cut's time, or what `--now` says. The only time that rules may use. */
  readonly now: number
  /** Answers of the lookups that the caller configured, by the lookup's name; null: asked, and nothing known. */
  readonly lookups: Readonly<Record<string, JsonValue>>
}

/** What proves one finding. */
export interface Evidence {
  /** The event that opened it. Together with `occurrence` it makes the finding's id, so reopened is another finding. */
  readonly opened: EventRef
  /** Further events that prove it, by id. The engine adds the opening event and the revisions of the subject's streams. */
  readonly events?: readonly string[]
  /** What on the subject it is about (a passenger, a capture, a document); default the subject as a whole. */
  readonly occurrence?: string
  /** Since when it is so, RFC 3339, in the domain's own time; left out where the data tells none. */
  readonly since?: string
  /** What a person wants to see; part of the digest. */
  readonly detail?: JsonObject
}

/** What all rules have. */
export interface RuleHead {
  readonly id: string
  /** One sentence for a person. */
  readonly title: string
  readonly severity: Severity
  readonly disposition: Disposition
  /** With `never`: it also opens a case for a person. */
  readonly opensCase?: boolean
  /** A finding of this rule after a repair stops the whole campaign. */
  readonly stopsCampaign?: boolean
}

/** A condition on one state; `item` is what the rule's `each` gave. */
export type Condition<State, Item> = {
  // A method's type, taken out again: so that a projection of some state fits where any projection is expected.
  holds(state: State, context: RuleContext, item: Item): boolean
}['holds']

/**
 * A rule over the state of one subject. Pure. It is true where ALL conditions hold; their names are what a domain expert reads in
 * the documentation and in evidence.
 */
export interface Rule<State, Item = unknown> extends RuleHead {
  /** What the rule is asked about, one after the other; default once for the subject as a whole. */
  each?(state: State, context: RuleContext): Iterable<Item>
  readonly when: Readonly<Record<string, Condition<State, Item>>>
  evidence(state: State, item: Item, context: RuleContext): Evidence
  /** The lookups whose answers it uses; without them it is not asked, with them they are put into the evidence. */
  readonly uses?: readonly string[]
}

/** Lets a rule with typed items stand among others: `rules: [rule<Booking, Passenger>({…}), …]`. */
export function rule<State, Item>(definition: Rule<State, Item>): Rule<State> {
  // The engine gives `when` and `evidence` only what this rule's own `each` gave, so the item's type is kept.
  return definition as unknown as Rule<State>
}

/** One use of a key that should be unique over all subjects. */
export interface KeyUse extends Evidence {
  readonly key: string
}

/** A rule across subjects: a key used by more than one of them (or more than once) is a finding on each of them. */
export interface SharedKeyRule<State> extends RuleHead {
  keys(state: State): Iterable<KeyUse>
}

/** A domain event that a compensation would append. The engine adds id, metadata and guard. */
export interface Draft {
  readonly type: string
  readonly data: JsonObject
}

/**
 * What one compensation would do. Plain data: plans hold it, and what is approved is what is done. Either `events` (nobody outside
 * has to be asked) or `command` (then the projection has a `settlement`).
 */
export interface Intent {
  /**
   * What makes two intents the same, deterministic: passenger, document, count of earlier failures; never the rule, the campaign
   * or the time. With the subject the engine makes of it the idempotency key of the work.
   */
  readonly occurrence: string
  /** Ids of the findings it makes good. */
  readonly answers: readonly string[]
  /** The category of the subject's stream that is appended to. */
  readonly category: string
  readonly events?: readonly Draft[]
  /** What an authority outside is asked to do, in the domain's words. */
  readonly command?: JsonObject
  /** What it moves, for limits by value; integer minor units. */
  readonly value?: { readonly currency: string; readonly amountMinor: number }
}

/** One try of an intent. */
export interface Attempt {
  /** Random, another one a try. */
  readonly id: string
  /** The idempotency key: equal for all tries of one intent. */
  readonly key: string
  /** RFC 3339. */
  readonly at: string
}

/** Why the work was not done. */
export interface Failure {
  /** `abandoned` where the engine itself gave up before anything was issued. */
  readonly code: string
  readonly message: string
  readonly retryable: boolean
}

/** The events that carry a command through: claimed, then done or failed. Pure; each holds the attempt's id, the claim its key too. */
export interface Settlement<State> {
  /** Appended before the authority is asked: it excludes everybody else. */
  claim(intent: Intent, attempt: Attempt): Draft
  /** Records what the authority has done. `answer` is as it came; undefined where it makes no sense (the outcome is then unknown). */
  issued(intent: Intent, attempt: Attempt, answer: JsonObject): readonly Draft[] | undefined
  /** Records that it was not done and will not be under this attempt. */
  failed(intent: Intent, attempt: Attempt, failure: Failure): readonly Draft[]
  /**
   * Whether the state holds what the answer tells already, recorded by somebody else: then it is not recorded a second time. Left out:
   * nobody else records such facts.
   */
  isRecorded?(state: State, intent: Intent, answer: JsonObject): boolean
  /** Whether somebody else is at the same work now, so that it must wait. */
  isUnderWay(state: State, intent: Intent, context: RuleContext): boolean
}

/** A finding as far as a projection needs it to compensate. */
export interface FindingRef {
  readonly id: string
  readonly rule: string
  readonly occurrence: string | undefined
}

/** What the live watch asks of a domain beyond its rules. Pure, as rules are. */
export interface LiveView<State> {
  /**
   * The moments at which what the rules say of a state may change though no event comes, in milliseconds since the Unix epoch: each is the
   * first millisecond of the new. Between two of them the rules must say the same. Past ones, doubles and any order do no harm. A
   * projection whose rules look at `now` cannot be watched without it.
   */
  deadlines(state: State): Iterable<number>
  /** Event types: where many of `from` come and none of `to`, delivery has stopped, whatever single subjects look like. */
  readonly flow?: { readonly from: readonly string[]; readonly to: readonly string[] }
  /** How long the delivery that an event tells of took, in milliseconds; undefined where it tells of none. */
  tookMs?(state: State, eventId: string): number | undefined
  /** What is at stake while the subject has findings; integer minor units. */
  valueAtStake?(state: State): { readonly currency: string; readonly amountMinor: number } | undefined
  /** When it will be too late to make the subject good, in milliseconds since the Unix epoch; undefined where no end is known. */
  lostAt?(state: State): number | undefined
  /** Why somebody must be woken by a finding now, in a few words; undefined where it can wait. It too changes only with events and deadlines. */
  page?(state: State, finding: FindingRef, context: RuleContext): string | undefined
}

/** Schemas by event type; `*` is for any type not named. */
export type EventSchemas = Readonly<Record<string, ZodType>>

/** Lifts the data of one version of an event type to the next. Pure; what it is given must not be changed. */
export type Upcast = (data: JsonObject) => JsonObject

/**
 * Old versions by event type: under each version the function that lifts it to the next, from 1 on without a gap. What the last one gives is the
 * current version, which the type's schema describes.
 */
export type Upcasts = Readonly<Record<string, Readonly<Record<number, Upcast>>>>

/**
 * A domain. States are plain data (they go to snapshots, to other threads, to disk). `evolve` may change the state in place and return
 * nothing, or return a new one; it must be deterministic and must not look at a clock.
 */
export interface Projection<State = unknown, Event extends DecodedEvent = DecodedEvent> {
  readonly name: string
  /** Raised whenever fold or rules change: results and snapshots of another version are not compared or used. */
  readonly version: string
  /** The categories that are read; the log filters by them. A subject's streams are `{category}-{subject}`. */
  readonly categories: readonly string[]
  readonly events: EventSchemas
  /**
   * Event types that had other fields once. Their version is `schemaVersion`, in the data or else in the metadata, a whole number; none is 1.
   * A newer one than is known here cannot be decoded. Types that are not named have their data taken as it is.
   */
  readonly upcasts?: Upcasts
  initial(subject: string): State
  // Written as methods: a projection of some state then fits where any projection is expected.
  evolve(state: State, event: Event): State | undefined
  /** When what an event tells of happened, by its own word; undefined, or left out: when the log took it. */
  occurredAt?(event: Event): Ticks | undefined
  readonly rules: readonly Rule<State>[]
  readonly sharedKeys?: readonly SharedKeyRule<State>[]
  /** Settings that are part of the version (grace periods, margins); printed by `plan`. */
  readonly policy?: JsonObject
  /** Called only where nothing on the subject forbids a repair. `findings` are those with disposition `repair`. */
  compensate?(state: State, findings: readonly FindingRef[], context: RuleContext): readonly Intent[]
  /** Why a subject whose rules allow a repair may not be repaired now: its guards that do not hold, by their names. */
  unmetGuards?(state: State, context: RuleContext): readonly string[]
  /** Needed where intents hold a command. */
  readonly settlement?: Settlement<State>
  /** What somebody outside of the log may be asked about a subject, by the lookup's name; rules name those that they use. */
  readonly lookups?: Readonly<Record<string, (subject: string) => JsonObject>>
  /**
   * A category: a subject with an event in it has no findings and uses no shared keys, whatever else is on it. A replay then need not be
   * given such subjects. Only where events of every type and shape are accepted.
   */
  readonly settledBy?: string
  /** For `watch`. Left out: the rules must not look at `now`. */
  readonly live?: LiveView<State>
}

/** Checks a projection's shape and returns it. Throws InvalidProjectionError naming the field and what to do. */
export function defineProjection<State, Event extends DecodedEvent = DecodedEvent>(
  projection: Projection<State, Event>,
): Projection<State, Event> {
  const problem = problemOfProjection(projection)
  if (problem !== undefined) throw new InvalidProjectionError(problem)
  return projection
}

/** A projection that cannot be run: what is wrong with which field. */
export class InvalidProjectionError extends Error {
  override readonly name = 'InvalidProjectionError'
}
