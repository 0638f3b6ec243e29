// The PORT to consumer groups: several processes share the events of one source, each event is given to one of them, again and again until
// somebody has settled it. Only servers have groups (EventStoreDB calls them persistent subscriptions).
import type { RecordedEvent } from './event.js'
import type { EventFilter, EventStore } from './event-store.js'
import { StoreUnavailableError } from './store-errors.js'

/** How the log of all streams is named where groups are. */
export const ALL_EVENTS = '$all'

/** Which group: its name, and the stream (or `$all`) whose events it shares. */
export interface GroupName {
  readonly source: string
  readonly group: string
}

/**
 * Whom an event goes to. `PinnedByCorrelation`: events with one `$correlationId` in their metadata to one consumer, as long as it is there; those
 * without one by their stream. A preference of the server's, and no promise: after a change of consumers two may hold events of one stream.
 */
export type GroupStrategy = 'RoundRobin' | 'DispatchToSingle' | 'Pinned' | 'PinnedByCorrelation'

/** What a group is made with. */
export interface GroupSettings {
  /** The first event it gives: the source's first, or what comes after the group was made. */
  readonly startFrom: 'start' | 'end'
  readonly strategy: GroupStrategy
  /** Of `$all` only. Left out: all events. */
  readonly filter?: EventFilter
  /** An event without an answer for so long is given again, maybe to another consumer. */
  readonly messageTimeoutMs: number
  /** Given again so often, an event is parked. */
  readonly retriesMax: number
  /** Default any number. */
  readonly consumersMax?: number
  /** Events that the server keeps ready in memory; at least what all consumers hold at a time. */
  readonly readyMax: number
}

/** How a group stands, as its server counts it. */
export interface GroupInfo {
  readonly strategy: string
  readonly consumers: number
  /** Given and not answered. */
  readonly inFlight: number
  /** Put aside: they come again only when somebody has them replayed. */
  readonly parked: number
}

/** One event given to this consumer, to be answered once. */
export interface Delivery {
  readonly event: RecordedEvent
  /** How often it was given before, as far as its server remembers. */
  readonly retries: number
}

/**
 * What is done with an event that was not dealt with. `park`: put aside for a person. `retry`: given again at once. `skip`, `stop`: settled without
 * having been dealt with.
 */
export type NackAction = 'park' | 'retry' | 'skip' | 'stop'

/** What a consumer is told, in order. */
export type GroupMessage =
  /** It is one of the group's consumers from here on. */
  | { readonly kind: 'joined' }
  | { readonly kind: 'deliveries'; readonly deliveries: readonly Delivery[] }
  /** The connection is gone; what was not answered will be given again, to anybody. It joins again by itself. */
  | { readonly kind: 'left' }

/**
 * A consumer. At least once: an event comes again until an answer to it has arrived, and answers have no answer, so whoever acts on events
 * must bear them twice. An answer to what was given before a `left` does nothing.
 */
export interface GroupConsumer {
  /**
   * Ends without an error when the signal is aborted, or the consumer of this iterable leaves. Never more than `heldMax` events are unanswered.
   * Throws GroupRefusedError, and StoreUnavailableError after too long an outage. Read once.
   */
  readonly messages: AsyncIterable<GroupMessage>
  ack(deliveries: readonly Delivery[]): void
  nack(deliveries: readonly Delivery[], action: NackAction, reason: string): void
}

/** All throw StoreUnavailableError; where the server says no, GroupRefusedError. */
export interface ConsumerGroups {
  /** Makes a group, durably. `exists`: there is one of this name, with whatever settings. */
  create(name: GroupName, settings: GroupSettings): Promise<'created' | 'exists'>
  /** Undefined: there is no such group. */
  info(name: GroupName): Promise<GroupInfo | undefined>
  /** Gives everything that is parked again. */
  replayParked(name: GroupName): Promise<void>
  /** Ends it for all of its consumers, for ever. */
  delete(name: GroupName): Promise<'deleted' | 'missing'>
  /** `heldMax`: how many events it holds unanswered at a time, at least 1. */
  consume(name: GroupName, options: { readonly heldMax: number; readonly signal?: AbortSignal }): GroupConsumer
}

/** A home that has groups. */
export interface GroupedStore extends EventStore {
  readonly groups: ConsumerGroups
}

/** The groups of a home; undefined where it has none: nobody is there to share events out. */
export function groupsOf(store: EventStore | GroupedStore): ConsumerGroups | undefined {
  return 'groups' in store ? store.groups : undefined
}

/**
 * A group cannot be had. `missing`: it was never made, or was deleted (also while it was consumed). `full`: it has as many consumers as it may, and
 * none left for a while. `denied`: not to this user. `failed`: the server cannot make it so.
 */
export class GroupRefusedError extends StoreUnavailableError {
  constructor(
    readonly group: GroupName,
    readonly reason: 'missing' | 'full' | 'denied' | 'failed',
    details: string,
    options?: ErrorOptions,
  ) {
    super(`Group ${JSON.stringify(group.group)} of ${group.source}: ${details}`, options)
  }
}

/** The stream in which a group keeps what was parked: links to the events, with the reason in their metadata. */
export function parkedStreamOf({ source, group }: GroupName): string {
  return `$persistentsubscription-${source}::${group}-parked`
}
