// A workload into a store: marked first, then its events, each at the revision where it belongs: by the thousand where the store can restore, else
// appended behind that guard. The same workload again adds nothing, and one that was broken off goes on.
import type { EventStore } from '../log/event-store.js'
import { isRestorable } from '../log/restorable-store.js'
import { markStore, readStoreMarker, type StoreMarker } from '../log/store-marker.js'
import { prefixesOf } from '../log/stream.js'
import { appendingWriter } from './appending-writer.js'
import type { Workload } from './generate.js'
import type { Operation, Outline } from './operation.js'
import { settle, WorkloadWriteError } from './operation-writer.js'
import { restoringWriter } from './restoring-writer.js'

/** How much was written. */
export interface WrittenCounts {
  readonly bookings: number
  /** Operations on the log; the marker is not counted. */
  readonly events: number
}

export interface WriteOptions {
  /** Is told of each booking before its first event is written. */
  readonly onOutline?: (outline: Outline) => void
  /** Is told from time to time how far it has come. */
  readonly onProgress?: (counts: WrittenCounts) => void
  /** Ends the writing between two batches by throwing the signal's reason. */
  readonly signal?: AbortSignal
}

/** The store holds events that are not of this workload: made-up bookings must not be mixed with others. */
export class StoreNotFreeError extends Error {
  override readonly name = 'StoreNotFreeError'
}

/**
 * Writes a workload. Streams are written in order; across streams a store that cannot restore gets what is written together in the order of each
 * stream's first event only. Throws StoreNotFreeError, WorkloadWriteError and what the store throws.
 */
export async function writeWorkload(
  store: EventStore,
  workload: Workload,
  { onOutline, onProgress, signal }: WriteOptions = {},
): Promise<WrittenCounts> {
  await claimStore(store, workload)
  const writer = isRestorable(store) ? restoringWriter(store) : appendingWriter(store)
  const counts = { bookings: 0, events: 0 }
  let window: Operation[] = []
  const flush = async () => {
    signal?.throwIfAborted()
    await writer.write(window)
    counts.events += window.length
    window = []
    onProgress?.(counts)
  }
  for (const item of workload.items()) {
    if (item.kind === 'opened') {
      onOutline?.(item.outline)
      counts.bookings += 1
      continue
    }
    window.push(item)
    if (window.length >= writer.length) await flush()
  }
  await flush()
  await writer.written()
  return counts
}

const CATEGORIES = ['payment', 'ticket']

async function claimStore(store: EventStore, { marker, markerId }: Workload): Promise<void> {
  const standing = await readStoreMarker(store)
  if (standing && !isSame(standing, marker))
    throw new StoreNotFreeError(
      `The store holds another workload: ${standing.bookings} bookings, ${standing.scenario}, seed ${standing.seed}`,
    )
  if (standing) return
  if (await holdsBookings(store)) throw new StoreNotFreeError('The store holds bookings that were not generated')
  const result = await settle(() => markStore(store, marker, markerId))
  if (result.kind !== 'appended') throw new WorkloadWriteError('makegood.store', result)
}

function isSame(a: StoreMarker, b: StoreMarker): boolean {
  return a.seed === b.seed && a.scenario === b.scenario && a.bookings === b.bookings && a.now === b.now
}

async function holdsBookings(store: EventStore): Promise<boolean> {
  const filter = { streamPrefixes: prefixesOf(CATEGORIES) }
  for await (const { events } of store.readAll({ filter, maxCount: 1 })) {
    if (events.length > 0) return true
  }
  return false
}
