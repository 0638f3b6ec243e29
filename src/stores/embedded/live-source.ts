// What subscriptions read from: the log as it is at each moment, and the waiting for more of it.

import type { RecordedEvent } from '../../log/event.js'
import type { EventFilter } from '../../log/event-store.js'
import type { Revision } from '../../log/revision.js'
import { firstReadable } from '../../log/stream-metadata.js'
import { kindOfStream, limitsOfStream } from '../stream-head.js'
import type { SubscriptionSource } from '../subscription.js'
import { decodeRecord, positionOf } from './event-record.js'
import { type LogReader, StreamChoice } from './log-reader.js'
import type { Fresh } from './readings.js'

/** A source for one subscription. */
export function liveSource(
  fresh: Fresh,
  { clock, nextChange }: { clock: () => number; nextChange: SubscriptionSource['nextChange'] },
): SubscriptionSource {
  const chosen = new Choices()
  return {
    eventsAbove: (stream, after) => eventsAbove(fresh(), stream, after, clock()),
    tombstoneOf: (stream) => {
      const reader = fresh()
      if (!reader || kindOfStream(stream, reader.headOf) !== 'tombstoned') return undefined
      return reader.tombstoneOf(stream) ?? 'closed'
    },
    lastRevisionOf: (stream) => fresh()?.headOf(stream).last ?? -1,
    checkPosition: (position) => void fresh()?.placeOf(position),
    recordsAfter: (after, filter) => {
      const reader = fresh()
      const from = after ? Number(after.commit) + 1 : 0
      const range = { from, to: reader?.lastPlace() ?? 0, reverse: false, maxEvents: Number.POSITIVE_INFINITY }
      return from > range.to ? undefined : reader?.run(range, filter && chosen.of(filter), decodeRecord)
    },
    lastPosition: () => {
      const last = fresh()?.lastPlace() ?? 0
      return last === 0 ? undefined : positionOf(last)
    },
    nextChange,
  }
}

/** Keeps what was decided for the filter of a subscription from one reading to the next. */
class Choices {
  readonly #choices = new WeakMap<EventFilter, StreamChoice>()

  of(filter: EventFilter): StreamChoice {
    const choice = this.#choices.get(filter) ?? new StreamChoice(filter)
    this.#choices.set(filter, choice)
    return choice
  }
}

function eventsAbove(
  reader: LogReader | undefined,
  stream: string,
  after: Revision | -1,
  now: number,
): readonly RecordedEvent[] {
  const head = reader?.headOf(stream)
  if (!reader || !head) return []
  let from = Math.max(after + 1, firstReadable(limitsOfStream(stream, head), head.last))
  while (from <= head.last) {
    const range = { from, to: head.last, step: 1, maxEvents: Number.POSITIVE_INFINITY } as const
    const { events, next } = reader.streamRun(stream, range, { head, now, give: decodeRecord })
    if (events.length > 0) return events
    from = next
  }
  return []
}
