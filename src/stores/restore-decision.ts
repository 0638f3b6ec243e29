// Decides what restoring a batch writes. Pure, like append-decision.ts: an event stands behind its stream's last one or is there already,
// and one that does neither refuses the batch.
import type { RecordedEvent } from '../log/event.js'
import type { LineEvent } from '../log/event-line.js'
import type { RestoreResult } from '../log/restorable-store.js'
import { type Revision, TOMBSTONE_REVISION } from '../log/revision.js'
import type { PlannedRecord } from './append-decision.js'
import { normaliseEvents, refuseIllFormed, refuseWrite } from './proposal.js'
import type { HeadOf, StreamHead } from './stream-head.js'

/** What the decision may look at. It must not change while the decision is made and carried out. */
export interface RestoreView {
  readonly headOf: HeadOf
  /** The event at a place, readable or not; a tombstone stands at its own revision. */
  eventAt(stream: string, revision: Revision): RecordedEvent | undefined
}

export interface RestoreDecision {
  readonly records: readonly PlannedRecord[]
  readonly result: Extract<RestoreResult, { kind: 'restored' | 'refused' }>
}

/** Decides about a batch; refused, it has no records. */
export function decideRestore(view: RestoreView, events: readonly LineEvent[]): RestoreDecision {
  const planning = new Planning(view)
  for (const [index, event] of normaliseEvents(events).entries()) {
    const message = planning.take(event)
    if (message !== undefined) return { records: [], result: { kind: 'refused', index, message } }
  }
  const { records, present, gaps } = planning
  return { records, result: { kind: 'restored', added: records.length, present, gaps } }
}

/** Takes events one after the other, each on top of those before it. */
class Planning {
  readonly records: PlannedRecord[] = []
  present = 0
  gaps = 0
  readonly #view: RestoreView
  readonly #heads = new Map<string, Pick<StreamHead, 'last' | 'tombstoned'>>()
  /** What this batch puts, by place. */
  readonly #planned = new Map<string, LineEvent>()

  constructor(view: RestoreView) {
    this.#view = view
  }

  /** Why the event does not fit, or undefined. */
  take(event: LineEvent): string | undefined {
    const illFormed = refuseWrite(event.stream, 'any') ?? refuseIllFormed([event])
    if (illFormed?.kind === 'refused') return illFormed.message
    const standing = this.#planned.get(placeKey(event)) ?? this.#view.eventAt(event.stream, event.revision)
    if (!standing) return this.#put(event)
    const differing = differenceOf(event, standing)
    if (differing.length > 0) return `another event stands there: its ${differing.join(', ')} differ`
    this.present += 1
    return undefined
  }

  #put(event: LineEvent): string | undefined {
    const { stream, revision, created } = event
    const { last, tombstoned } = this.#heads.get(stream) ?? this.#view.headOf(stream)
    if (tombstoned) return 'the stream is deleted for ever'
    if (revision <= last) return `the stream goes to revision ${last} and has no such event`
    const isTombstone = revision === TOMBSTONE_REVISION
    if (!isTombstone && revision > last + 1) this.gaps += 1
    this.records.push({ stream, revision, event, ...(created !== undefined && { created }) })
    this.#planned.set(placeKey(event), event)
    this.#heads.set(stream, isTombstone ? { last, tombstoned: true } : { last: revision, tombstoned })
    return undefined
  }
}

function placeKey({ stream, revision }: LineEvent): string {
  return `${revision} ${stream}`
}

/** The names of the fields in which an event differs from the one that stands at its place. A time that is not known differs from none. */
function differenceOf(event: LineEvent, standing: LineEvent): string[] {
  const isLike = {
    id: event.id === standing.id,
    type: event.type === standing.type,
    contentType: event.contentType === standing.contentType,
    data: Buffer.compare(event.data, standing.data) === 0,
    metadata: Buffer.compare(event.metadata, standing.metadata) === 0,
    created: event.created === undefined || event.created === standing.created,
  }
  return Object.entries(isLike).flatMap(([field, like]) => (like ? [] : [field]))
}
