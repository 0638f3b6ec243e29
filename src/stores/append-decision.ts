// Decides what an append does, as EventStoreDB does it (observed on 24.6.0). Pure: it looks at the log and writes nothing.
import type { ProposedEvent } from '../log/event.js'
import { NO_BYTES } from '../log/event.js'
import type { AppendResult, RefusalReason } from '../log/event-store.js'
import type { ExpectedRevision, Revision } from '../log/revision.js'
import { describedBy, metadataStreamOf } from '../log/stream.js'
import { limitsOf } from '../log/stream-metadata.js'
import type { Ticks } from '../log/ticks.js'
import { actualRevision, type HeadOf, limitsOfStream, type StreamHead } from './stream-head.js'

/** What a decision may look at. It must not change while the decision is made and carried out. */
export interface LogView {
  readonly headOf: HeadOf
  /** The id of the event at a place, readable or not. */
  idAt(stream: string, revision: Revision): string | undefined
  /** Where the cache of recent ids says that this stream got an id first; see id-cache.ts. */
  revisionOfId(stream: string, id: string): Revision | undefined
  /** The data of a stream's last event. */
  lastDataOf(stream: string): Uint8Array | undefined
  /** A fresh id, for events that the store itself writes. */
  newId(): string
}

/** An event with its place, ready to be written. */
export interface PlannedRecord {
  readonly stream: string
  readonly revision: Revision
  readonly event: ProposedEvent
  /** When the event was taken, where that was before; default now. */
  readonly created?: Ticks
}

/** Nothing is to be written. */
export type Refusal = Extract<AppendResult, { kind: 'conflict' | 'refused' }>

export type AppendDecision =
  /** `records` begin with the events sent and may end with metadata that undeletes; `revision` is that of the last event sent, or the head's. */
  | { readonly kind: 'write'; readonly records: readonly PlannedRecord[]; readonly revision?: Revision }
  /** A retry: the last event sent stands at `revision` since an earlier append. */
  | { readonly kind: 'alreadyThere'; readonly revision: Revision }
  | Refusal

/** Whether the guard lets something be written: `write`, or why not. */
export type Verdict = { readonly kind: 'write' } | Exclude<AppendDecision, { kind: 'write' }>

const WRITE: Verdict = { kind: 'write' }
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Decides an append whose events are well-formed (see proposal.ts). */
export function decideAppend(
  view: LogView,
  stream: string,
  events: readonly ProposedEvent[],
  expected: ExpectedRevision,
): AppendDecision {
  const ids = events.map((event) => event.id)
  const verdict = judgeGuard(view, stream, ids, expected)
  return verdict.kind === 'write' ? planWrite(view, stream, events) : verdict
}

/** Looks at the guard alone: may events with these ids be appended to the stream now? */
export function judgeGuard(view: LogView, stream: string, ids: readonly string[], expected: ExpectedRevision): Verdict {
  const head = view.headOf(stream)
  if (isClosed(view, stream, head)) return streamDeleted(stream)
  if (expected === 'any') return judgeByCache(view, stream, ids, head)
  if (expected === 'streamExists') return judgeExisting(view, stream, ids, head)
  return judgeByLog(view, stream, ids, expected === 'noStream' ? -1 : expected, head)
}

/** A tombstone closes the stream, and its metadata stream as well if that never had an event. */
function isClosed(view: LogView, stream: string, head: StreamHead): boolean {
  const described = describedBy(stream)
  return head.tombstoned || (described !== undefined && head.last < 0 && view.headOf(described).tombstoned)
}

function judgeExisting(view: LogView, stream: string, ids: readonly string[], head: StreamHead): Verdict {
  if (limitsOfStream(stream, head).softDeleted) return streamDeleted(stream)
  if (head.last < 0 && !hasMetadata(view, stream)) return conflict(head)
  return judgeByCache(view, stream, ids, head)
}

/** Without a revision only recent ids tell a retry: the first id decides whether it is one, and then all must be known. */
function judgeByCache(view: LogView, stream: string, ids: readonly string[], head: StreamHead): Verdict {
  const [first] = ids
  if (first === undefined || view.revisionOfId(stream, first) === undefined) return WRITE
  const revisions = ids.map((id) => view.revisionOfId(stream, id))
  const last = revisions.at(-1)
  if (last === undefined || revisions.includes(undefined)) return conflict(head)
  return { kind: 'alreadyThere', revision: last }
}

/** With a revision below the head's the log itself tells a retry, place by place; at the head ids are not looked at. */
function judgeByLog(view: LogView, stream: string, ids: readonly string[], after: Revision, head: StreamHead): Verdict {
  if (after === head.last) return WRITE
  if (after > head.last || ids.length === 0) return conflict(head)
  const firstDiffering = ids.findIndex((id, i) => view.idAt(stream, after + 1 + i) !== id)
  if (firstDiffering < 0) return { kind: 'alreadyThere', revision: after + ids.length }
  const maybeNew = firstDiffering === 0 && after === -1 && limitsOfStream(stream, head).softDeleted
  return maybeNew ? WRITE : conflict(head)
}

function planWrite(view: LogView, stream: string, events: readonly ProposedEvent[]): AppendDecision {
  const { last } = view.headOf(stream)
  const records = events.map((event, i) => ({ stream, revision: last + 1 + i, event }))
  const revision = last + events.length
  const undelete = planUndelete(view, stream, events)
  return {
    kind: 'write',
    records: undelete ? [...records, undelete] : records,
    ...(revision >= 0 && { revision }),
  }
}

/** The metadata that ends a soft delete: on an append to the stream itself, or on metadata written to it. */
function planUndelete(view: LogView, stream: string, events: readonly ProposedEvent[]): PlannedRecord | undefined {
  const described = describedBy(stream)
  const subject = described ?? stream
  if (!view.headOf(subject).limits.softDeleted) return undefined
  const metadataStream = metadataStreamOf(subject)
  const written = described === undefined ? view.lastDataOf(metadataStream) : events.at(-1)?.data
  if (!written || (described !== undefined && limitsOf(written).softDeleted)) return undefined
  const data = withTruncateBefore(written, view.headOf(subject).last + 1)
  if (!data) return undefined
  const earlier = described === undefined ? 0 : events.length
  const revision = view.headOf(metadataStream).last + 1 + earlier
  return { stream: metadataStream, revision, event: metadataEvent(view.newId(), data) }
}

/** The same metadata with `$tb` set, or undefined where it is not a JSON object (then it lifts the soft delete by itself). */
function withTruncateBefore(metadata: Uint8Array, revision: Revision): Uint8Array | undefined {
  try {
    const json: unknown = JSON.parse(decoder.decode(metadata))
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined
    return encoder.encode(JSON.stringify({ ...json, $tb: revision }))
  } catch {
    return undefined
  }
}

/** A `$metadata` event as the store writes it. */
export function metadataEvent(id: string, data: Uint8Array): ProposedEvent {
  return { id, type: '$metadata', contentType: 'application/json', data, metadata: NO_BYTES }
}

/** Whether the stream's metadata stream has an event. */
export function hasMetadata(view: LogView, stream: string): boolean {
  const head = view.headOf(metadataStreamOf(stream))
  return head.last >= 0 && !head.tombstoned
}

export function conflict(head: StreamHead): Refusal {
  return { kind: 'conflict', actual: actualRevision(head) }
}

/** The answer to any write on a stream that is closed. */
export function streamDeleted(stream: string): Refusal {
  return refused('stream-deleted', `Stream ${JSON.stringify(stream)} is deleted`)
}

export function refused(reason: RefusalReason, message: string): Refusal {
  return { kind: 'refused', reason, message }
}
