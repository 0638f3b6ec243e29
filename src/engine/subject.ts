// One subject read again from its own streams: what a decision about it must rest on, and what `state` and `timeline` show.
import type { RecordedEvent } from '../log/event.js'
import type { EventReader } from '../log/event-store.js'
import { comparePositions, type Position } from '../log/position.js'
import { metadataStreamOf, streamOf } from '../log/stream.js'
import { emptySubject, Fold, type FoldedSubject } from './fold.js'
import type { Projection } from './projection.js'

export interface SubjectRead<State = unknown> {
  readonly folded: FoldedSubject<State>
  /** The events read, in log order. */
  readonly events: readonly RecordedEvent[]
}

/**
 * Reads all streams of a subject to their ends (or to `upTo`) and folds them. Streams' metadata is read too: a stream that was deleted
 * softly reads as missing, and its absence must not be trusted. Reads come one after the other, so an event that is
 * acknowledged before the call is seen; one appended while reading may be.
 */
export async function readSubject<State>(
  reader: EventReader,
  projection: Projection<State>,
  subject: string,
  options: { upTo?: Position; signal?: AbortSignal } = {},
): Promise<SubjectRead<State>> {
  const events: RecordedEvent[] = []
  const metadata: RecordedEvent[] = []
  for (const category of projection.categories) {
    const stream = streamOf(category, subject)
    await readInto(events, reader, stream, options)
    await readInto(metadata, reader, metadataStreamOf(stream), options)
  }
  events.sort((a, b) => comparePositions(a.position, b.position))
  const fold = new Fold(projection)
  for (const event of [...metadata, ...events]) fold.add(event)
  return { folded: fold.subjects.get(subject) ?? emptySubject(projection, subject, 0), events }
}

async function readInto(
  events: RecordedEvent[],
  reader: EventReader,
  stream: string,
  { upTo, signal }: { upTo?: Position; signal?: AbortSignal },
): Promise<void> {
  const read = await reader.readStream(stream, signal ? { signal } : {})
  if (read.kind !== 'found') return
  for await (const batch of read.events) {
    for (const event of batch) {
      if (!upTo || comparePositions(event.position, upTo) <= 0) events.push(event)
    }
  }
}
