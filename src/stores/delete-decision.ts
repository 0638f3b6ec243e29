// Decides what a soft delete and a tombstone write, as EventStoreDB does it. Pure, like append-decision.ts.
import { NO_BYTES, type ProposedEvent } from '../log/event.js'
import { type ExpectedRevision, TOMBSTONE_REVISION } from '../log/revision.js'
import { metadataStreamOf } from '../log/stream.js'
import { SOFT_DELETE_TB } from '../log/stream-metadata.js'
import {
  conflict,
  hasMetadata,
  judgeGuard,
  type LogView,
  metadataEvent,
  type PlannedRecord,
  type Refusal,
  streamDeleted,
} from './append-decision.js'

export type DeleteDecision = { readonly kind: 'write'; readonly record: PlannedRecord } | Refusal

const SOFT_DELETE = new TextEncoder().encode(`{"$tb":${SOFT_DELETE_TB}}`)

/** A soft delete: metadata that hides all events. A stream with neither events nor metadata cannot be deleted. */
export function decideDelete(view: LogView, stream: string, expected: ExpectedRevision): DeleteDecision {
  const refusal = judgeDelete(view, stream, expected)
  if (refusal) return refusal
  const head = view.headOf(stream)
  if (head.last < 0 && !hasMetadata(view, stream)) return conflict(head)
  const metadataStream = metadataStreamOf(stream)
  const { last, tombstoned } = view.headOf(metadataStream)
  if (tombstoned) return streamDeleted(metadataStream)
  const event = metadataEvent(view.newId(), SOFT_DELETE)
  return { kind: 'write', record: { stream: metadataStream, revision: last + 1, event } }
}

/** A tombstone: an event that can be followed by none. */
export function decideTombstone(view: LogView, stream: string, expected: ExpectedRevision): DeleteDecision {
  const refusal = judgeDelete(view, stream, expected)
  if (refusal) return refusal
  return { kind: 'write', record: { stream, revision: TOMBSTONE_REVISION, event: tombstoneEvent(view.newId()) } }
}

/** The guard is that of an append of one event whose id nobody knows. */
function judgeDelete(view: LogView, stream: string, expected: ExpectedRevision): Refusal | undefined {
  const verdict = judgeGuard(view, stream, [view.newId()], expected)
  return verdict.kind === 'conflict' || verdict.kind === 'refused' ? verdict : undefined
}

function tombstoneEvent(id: string): ProposedEvent {
  return { id, type: '$streamDeleted', contentType: 'application/octet-stream', data: NO_BYTES, metadata: NO_BYTES }
}
