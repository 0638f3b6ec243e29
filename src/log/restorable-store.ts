// The PORT of homes that take a log back as it was: events keep their revisions, times and ids, which no append can give them. Homes
// whose log is another program's (a server) have no such door; see transfer/append-lines.ts for what is lost there.
import type { LineEvent } from './event-line.js'
import type { AppendResult, EventStore } from './event-store.js'
import type { Revision } from './revision.js'

/** What became of a batch. */
export type RestoreResult =
  /** All of the batch is in the log, durably: `added` since now, `present` since before, each as it was given. */
  | {
      readonly kind: 'restored'
      readonly added: number
      readonly present: number
      /** How often revisions are missing before an event added, at a stream's beginning or further on. */
      readonly gaps: number
    }
  /** Nothing of the batch was written: the event at `index` does not fit, and why (for a person, without naming the event). */
  | { readonly kind: 'refused'; readonly index: number; readonly message: string }
  | Extract<AppendResult, { kind: 'unknown' }>

/** A home that can restore. */
export interface RestorableStore extends EventStore {
  /**
   * Puts events behind the end of the log, in the order given, as one batch: whole or not at all, durable when told. Each keeps its revision,
   * its id and, where it has one, its time. It must stand behind its stream's last event; what is missing in between stays missing, and reads
   * as revisions that the stream does not have. An event that already stands at its place, alike in everything but its position, is
   * present: so restoring again adds nothing, and goes on where it was broken off. The size of an append is not limited here.
   *
   * Metadata takes effect, a tombstone closes its stream. Nothing is written but what is given: no metadata that undeletes.
   *
   * Throws StoreUnavailableError and StoreCorruptError.
   */
  restore(events: readonly LineEvent[]): Promise<RestoreResult>
}

/** Whether a home can restore. */
export function isRestorable(store: EventStore): store is RestorableStore {
  return 'restore' in store && typeof store.restore === 'function'
}

/** An event's place as people write it: `payment-42@3`, or `payment-42@deleted` for a tombstone. */
export function placeName({ stream, revision }: { readonly stream: string; readonly revision: Revision }): string {
  return `${stream}@${Number.isSafeInteger(revision) ? revision : 'deleted'}`
}
