// The five system projections: which stream each writes for an event, and what. Pure. What a real server writes was observed; where nobody
// looked (`$et-$metadata`, `$et-$deleted`) it follows that server's documented and published behaviour.
import { categoryOf, describedBy } from '../../log/stream.js'
import { formatTicks } from '../../log/ticks.js'
import { placeOfRevision } from '../persistent/places.js'
import { correlationIdOf, LINK_TYPE, linkDataOf, type SourceEvent } from './source-event.js'

/** What is to be written for one event. */
export interface Emission {
  readonly target: string
  /** A link, or in `$category-…` the name of a stream. */
  readonly type: '$>' | '$@'
  readonly data: string
  /** Metadata between the position and the cause. */
  readonly extra: Readonly<Record<string, string | number>>
}

export interface SystemProjection {
  readonly name: string
  /** The number by which links name their projection, as on a fresh real server. */
  readonly id: number
  /** Undefined: nothing is to be written. */
  emit(source: SourceEvent): Emission | undefined
}

const NO_EXTRA = {}

const streams: SystemProjection = {
  name: '$streams',
  id: 1,
  emit: ({ record }) => {
    if (record.revision !== 0) return undefined
    return { target: '$streams', type: '$>', data: `0@${record.stream}`, extra: NO_EXTRA }
  },
}

const streamByCategory: SystemProjection = {
  name: '$stream_by_category',
  id: 2,
  emit: ({ record: { stream, revision } }) => {
    const category = projectedCategoryOf(stream)
    if (revision !== 0 || category === undefined) return undefined
    return { target: `$category-${category}`, type: '$@', data: stream, extra: NO_EXTRA }
  },
}

const byCategory: SystemProjection = {
  name: '$by_category',
  id: 3,
  emit: (source) => {
    const { record, deletedStream } = source
    const stream = deletedStream ?? record.stream
    const category = projectedCategoryOf(stream)
    if (category === undefined) return undefined
    const extra = { $o: stream, ...deletionOf(source) }
    return { target: `$ce-${category}`, type: '$>', data: linkDataOf(source), extra }
  },
}

const byEventType: SystemProjection = {
  name: '$by_event_type',
  id: 4,
  emit: (source) => {
    const { record, deletedStream } = source
    if (record.type === LINK_TYPE) return undefined
    const type = deletedStream === undefined ? record.type : '$deleted'
    // Also for an event of a metadata stream a real server names the stream that it describes.
    const stream = describedBy(record.stream) ?? record.stream
    const data = `${placeOfRevision(record.revision)}@${stream}`
    return { target: `$et-${type}`, type: '$>', data, extra: deletionOf(source) }
  },
}

const byCorrelationId: SystemProjection = {
  name: '$by_correlation_id',
  id: 5,
  emit: (source) => {
    const { record } = source
    const id = record.type === LINK_TYPE ? undefined : correlationIdOf(source)
    if (id === undefined) return undefined
    // Microseconds, as on a real server.
    const $eventTimestamp = formatTicks(record.created ?? 0n).replace(/\dZ$/, 'Z')
    return { target: `$bc-${id}`, type: '$>', data: linkDataOf(source), extra: { $eventTimestamp } }
  },
}

export const SYSTEM_PROJECTIONS: readonly SystemProjection[] = [
  byCategory,
  byCorrelationId,
  byEventType,
  streamByCategory,
  streams,
]

/** Neither system streams nor names that begin with the dash have a category. */
function projectedCategoryOf(stream: string): string | undefined {
  const category = stream.startsWith('$') ? undefined : categoryOf(stream)
  return category === '' ? undefined : category
}

function deletionOf({ deletedStream }: SourceEvent): Emission['extra'] {
  return deletedStream === undefined ? NO_EXTRA : { $deleted: -1 }
}
