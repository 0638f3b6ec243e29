// One subject read again from its own streams: what a decision about it must rest on, and what `state` and `timeline` show.
import type { RecordedEvent } from '../log/event.js'
import type { EventReader } from '../log/event-store.js'
import { comparePositions, type Position } from '../log/position.js'
import { TOMBSTONE_REVISION } from '../log/revision.js'
import { StoreCorruptError } from '../log/store-errors.js'
import { metadataStreamOf, streamOf } from '../log/stream.js'
import { emptySubject, Fold, type FoldedSubject, type FoldOptions } from './fold.js'
import { readRange } from './log-range.js'
import type { Projection } from './projection.js'

export interface SubjectRead<State = unknown> {
  readonly folded: FoldedSubject<State>
  /** The events read, in log order. */
  readonly events: readonly RecordedEvent[]
  /** What says how much of the streams can be read: their last metadata, or the tombstone; also where it limits nothing. */
  readonly limiting: readonly RecordedEvent[]
}

interface SubjectReadOptions {
  /** Events after it are left out. What is deleted or cut off by now is not there for an older cut either, and told all the same. */
  readonly upTo?: Position
  readonly signal?: AbortSignal
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
  { upTo, signal, ...foldOptions }: SubjectReadOptions & FoldOptions = {},
): Promise<SubjectRead<State>> {
  const events: RecordedEvent[] = []
  const limiting: RecordedEvent[] = []
  for (const category of projection.categories) {
    const stream = streamOf(category, subject)
    const read = await readEvents(reader, stream, signal)
    if (read === 'tombstoned') limiting.push(await findTombstone(reader, stream, signal))
    else for (const event of read) if (!upTo || comparePositions(event.position, upTo) <= 0) events.push(event)
    const metadata = await readEvents(reader, metadataStreamOf(stream), signal)
    if (metadata !== 'tombstoned') limiting.push(...metadata)
  }
  events.sort((a, b) => comparePositions(a.position, b.position))
  const fold = new Fold(projection, foldOptions)
  for (const event of [...limiting, ...events]) fold.add(event)
  return { folded: fold.subjects.get(subject) ?? emptySubject(projection, subject, 0), events, limiting }
}

/**
 * The same as it was at an older cut. What was deleted or cut off since is in the log of all streams until that is scavenged: where anything ever limited
 * one of the streams, the whole log is read up to the cut.
 */
export async function readSubjectAsOf<State>(
  reader: EventReader,
  projection: Projection<State>,
  subject: string,
  options: SubjectReadOptions & FoldOptions,
): Promise<SubjectRead<State>> {
  const read = await readSubject(reader, projection, subject, options)
  return read.limiting.length === 0 ? read : readFromLog(reader, projection, subject, options)
}

async function readFromLog<State>(
  reader: EventReader,
  projection: Projection<State>,
  subject: string,
  { upTo, signal, ...foldOptions }: SubjectReadOptions & FoldOptions,
): Promise<SubjectRead<State>> {
  const fold = new Fold(projection, foldOptions)
  const streams = new Set(projection.categories.map((category) => streamOf(category, subject)))
  const describing = new Set([...streams].map(metadataStreamOf))
  const events: RecordedEvent[] = []
  const limiting: RecordedEvent[] = []
  const range = { streamPrefixes: [...streams, ...describing], ...(upTo && { upTo }), ...(signal && { signal }) }
  for await (const event of readRange(reader, range)) {
    // A prefix is that of other subjects' streams too.
    if (!streams.has(event.stream) && !describing.has(event.stream)) continue
    const read = streams.has(event.stream) ? events : limiting
    read.push(event)
    fold.add(event)
  }
  return { folded: fold.subjects.get(subject) ?? emptySubject(projection, subject, 0), events, limiting }
}

async function readEvents(
  reader: EventReader,
  stream: string,
  signal: AbortSignal | undefined,
): Promise<RecordedEvent[] | 'tombstoned'> {
  const read = await reader.readStream(stream, signal ? { signal } : {})
  if (read.kind === 'tombstoned') return 'tombstoned'
  const events: RecordedEvent[] = []
  if (read.kind === 'missing') return events
  for await (const batch of read.events) for (const event of batch) events.push(event)
  return events
}

/** The event that deleted a stream for ever: the stream itself does not give it, so the log is looked through from its end. */
async function findTombstone(
  reader: EventReader,
  stream: string,
  signal: AbortSignal | undefined,
): Promise<RecordedEvent> {
  const filter = { streamPrefixes: [stream] }
  for await (const { events } of reader.readAll({ direction: 'backwards', filter, ...(signal && { signal }) })) {
    const found = events.find((event) => event.stream === stream && event.revision === TOMBSTONE_REVISION)
    if (found) return found
  }
  throw new StoreCorruptError(`Stream ${JSON.stringify(stream)} is tombstoned, and the log has no event that did it`)
}
