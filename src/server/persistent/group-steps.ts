// What happens to a group, and what is to be done for it: what goes into its state and what comes out.
import type { Revision } from '../../log/revision.js'
import type { CheckpointBounds, Remainder } from './progress.js'
import type { StrategyName } from './strategies.js'

/** What the state has to know of an event; all else of it is handed through. */
export interface GroupEvent {
  /** The id by which consumers settle it. */
  readonly id: string
  /** Its place in the source. */
  readonly place: string
  /** What pinned strategies go by. */
  readonly pin: string
  /** What it takes of memory, roughly. */
  readonly bytes: number
}

export interface GroupRules {
  readonly strategy: StrategyName
  /** How often an event is given again before it is parked; less than 0 is as 0. */
  readonly maxRetryCount: number
  /** After so long without an answer an event is given again; 0 or less: never. */
  readonly messageTimeoutMs: number
  /** So many events may wait at a time before no more are read. */
  readonly bufferSize: number
  /** So many where there is no consumer. */
  readonly readBatchSize: number
  readonly checkpoints: CheckpointBounds
}

export type NackAction = 'retry' | 'park' | 'skip'

/** What happens to a group. */
export type GroupInput<Event extends GroupEvent> =
  /** The next events of the source, in its order. */
  | { readonly kind: 'read'; readonly events: readonly Event[] }
  /** Nothing that is wanted stands up to this place of the source. */
  | { readonly kind: 'passed'; readonly place: string }
  /** Parked events are to be given again; each with its revision in the stream of parked events. */
  | { readonly kind: 'replayed'; readonly events: readonly { readonly event: Event; readonly parkedAt: Revision }[] }
  /** A consumer comes; it is held until it is said to be ready. */
  | { readonly kind: 'joined'; readonly consumer: string; readonly slots: number }
  | { readonly kind: 'held' | 'ready' | 'left'; readonly consumer: string }
  | { readonly kind: 'acked'; readonly consumer: string; readonly ids: readonly string[] }
  | {
      readonly kind: 'nacked'
      readonly consumer: string
      readonly ids: readonly string[]
      readonly action: NackAction
      readonly reason: string
    }
  /** An event that was to be parked is, or could not be. */
  | { readonly kind: 'parked' | 'notParked'; readonly ticket: number }
  /** Time has passed. */
  | { readonly kind: 'ticked' }
  /** From now on nothing is given out. */
  | { readonly kind: 'stopping' }

/** What is to be done. */
export type GroupEffect<Event extends GroupEvent> =
  | { readonly kind: 'give'; readonly consumer: string; readonly event: Event; readonly retryCount: number }
  /** To be answered by `parked` or `notParked` with this ticket. */
  | { readonly kind: 'park'; readonly ticket: number; readonly event: Event; readonly reason: string }
  | { readonly kind: 'checkpoint'; readonly left: Remainder }

export interface ConsumerState {
  readonly id: string
  readonly slots: number
  readonly held: boolean
  readonly inFlight: number
  readonly inFlightBytes: number
  /** How many events it was given, those given again included. */
  readonly given: number
}
