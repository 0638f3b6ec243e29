// What a group reads: the events of a stream, or those of `$all` that it wants, from where it stopped, links resolved.
import type { RecordedEvent } from '../../log/event.js'
import type { EventStore, SubscriptionMessage } from '../../log/event-store.js'
import { StreamTombstonedError } from '../../log/store-errors.js'
import type { Sent } from '../streams/event-encoder.js'
import type { LinkResolver } from '../streams/link-resolver.js'
import { ALL_STREAM, type GroupDefinition, isOfGroups } from './group-definition.js'
import { filterOf } from './group-filter.js'
import type { GroupEvent } from './group-steps.js'
import { pinOf } from './pin.js'
import { isUpTo, placeOfPosition, placeOfRevision, positionAt, revisionAt } from './places.js'
import type { Remainder } from './progress.js'
import { weightOf } from './shown-event.js'

/** An event with all that a consumer is sent of it. */
export interface SourceEvent extends GroupEvent {
  readonly sent: Sent
}

/** The next of a source, in its order. */
export type SourceStep =
  | { readonly kind: 'read'; readonly events: readonly SourceEvent[] }
  /** Nothing that the group wants stands up to here. */
  | { readonly kind: 'passed'; readonly place: string }
  /** All that was there is read; what follows is live. */
  | { readonly kind: 'caughtUp' }

export interface SourceOptions {
  readonly store: EventStore
  readonly definition: GroupDefinition
  readonly links: LinkResolver
  /** What is settled already. */
  readonly left: Remainder
  readonly signal: AbortSignal
}

/** Reads until the signal is aborted, the store is closed or the stream ends in a tombstone. Nothing is read ahead. */
export async function* followSource(options: SourceOptions): AsyncGenerator<SourceStep, void, undefined> {
  const reading = options.definition.source === ALL_STREAM ? new AllReading(options) : new StreamReading(options)
  const isSettled = settledIn(options.left)
  try {
    for await (const message of reading.messages) {
      if (message.kind === 'events') yield* stepsOf(message.events, { ...options, reading, isSettled })
      else if (message.kind === 'checkpoint') yield { kind: 'passed', place: placeOfPosition(message.position) }
      else if (message.kind === 'caughtUp') yield { kind: 'caughtUp' }
    }
  } catch (error) {
    // The tombstone itself came as an event.
    if (!(error instanceof StreamTombstonedError)) throw error
  }
}

/** A reading of one kind of source. */
interface Reading {
  readonly messages: AsyncIterable<SubscriptionMessage>
  placeOf(event: RecordedEvent): string
  wants(event: RecordedEvent): boolean
}

class StreamReading implements Reading {
  readonly messages: AsyncIterable<SubscriptionMessage>

  constructor({ store, definition, left, signal }: SourceOptions) {
    const after = left.place === undefined ? 'start' : (revisionAt(left.place) ?? 'start')
    this.messages = store.subscribeToStream(definition.source, { after, signal })
  }

  placeOf({ revision }: RecordedEvent): string {
    return placeOfRevision(revision)
  }

  wants(): boolean {
    return true
  }
}

class AllReading implements Reading {
  readonly messages: AsyncIterable<SubscriptionMessage>
  readonly #wants: (event: RecordedEvent) => boolean

  constructor({ store, definition, left, signal }: SourceOptions) {
    const after = left.place === undefined ? 'start' : (positionAt(left.place) ?? 'start')
    const filter = definition.filter && filterOf(definition.filter)
    this.#wants = filter ? filter.wants : () => true
    const prefixes = filter?.streamPrefixes
    this.messages = store.subscribeToAll({ after, signal, ...(prefixes && { filter: { streamPrefixes: prefixes } }) })
  }

  placeOf({ position }: RecordedEvent): string {
    return placeOfPosition(position)
  }

  /** What groups write of themselves is not given to groups: by settling a checkpoint they would make the next, without end. */
  wants(event: RecordedEvent): boolean {
    return !isOfGroups(event.stream) && this.#wants(event)
  }
}

type Places = SourceOptions & { readonly reading: Reading; readonly isSettled: (place: string) => boolean }

async function* stepsOf(
  events: readonly RecordedEvent[],
  { definition, links, reading, isSettled }: Places,
): AsyncGenerator<SourceStep, void, undefined> {
  const { settings } = definition
  let read: SourceEvent[] = []
  let passed: string | undefined
  for (const event of events) {
    const place = reading.placeOf(event)
    if (!reading.wants(event)) {
      passed = place
    } else if (isSettled(place)) {
      // Told at once, so that a checkpoint covers it.
      if (read.length > 0) yield { kind: 'read', events: read }
      yield { kind: 'passed', place }
      read = []
    } else {
      const sent = settings.resolveLinks ? await links.resolve(event) : { event }
      read.push({ id: event.id, place, pin: pinOf(sent, settings.strategy), bytes: weightOf(sent), sent })
      passed = undefined
    }
  }
  if (read.length > 0) yield { kind: 'read', events: read }
  if (passed !== undefined) yield { kind: 'passed', place: passed }
}

/** Which of the places behind the last checkpoint are settled all the same. */
function settledIn({ takenTo, open }: Remainder): (place: string) => boolean {
  if (takenTo === undefined) return () => false
  const unsettled = new Set(open)
  return (place) => isUpTo(place, takenTo) && !unsettled.has(place)
}
