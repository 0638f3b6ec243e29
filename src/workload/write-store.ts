// A workload into a store: marked first, then its events behind the guard of the revision where each belongs. The same workload again adds
// nothing, and one that was broken off goes on.
import type { ProposedEvent } from '../log/event.js'
import type { AppendResult, EventStore } from '../log/event-store.js'
import type { ExpectedRevision, Revision } from '../log/revision.js'
import { markStore, readStoreMarker, type StoreMarker } from '../log/store-marker.js'
import { metadataStreamOf, prefixesOf } from '../log/stream.js'
import type { Workload } from './generate.js'
import { deletionEvent, type Operation, type Outline } from './operation.js'

/**
 * How many operations are in flight together. Always the same number: what goes into a stream together must be the same when a workload that
 * was broken off is written again, or the store would not know it.
 */
const WINDOW_LENGTH = 512

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

/** An append did not go through. */
export class WorkloadWriteError extends Error {
  override readonly name = 'WorkloadWriteError'
  constructor(
    readonly stream: string,
    readonly result: AppendResult,
  ) {
    super(`${stream} could not be written: ${JSON.stringify(result)}`)
  }
}

/**
 * Writes a workload. Streams are written in order; across streams, what is written together keeps the order of each stream's first event only.
 * Throws StoreNotFreeError, WorkloadWriteError and what the store throws.
 */
export async function writeWorkload(
  store: EventStore,
  workload: Workload,
  { onOutline, onProgress, signal }: WriteOptions = {},
): Promise<WrittenCounts> {
  await claimStore(store, workload)
  const counts = { bookings: 0, events: 0 }
  let window: Operation[] = []
  const flush = async () => {
    signal?.throwIfAborted()
    await Promise.all(runsOf(window).map((run) => writeRun(store, run)))
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
    if (window.length >= WINDOW_LENGTH) await flush()
  }
  await flush()
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

/** Events that go into one stream together, and the deletion behind them. */
interface Run {
  readonly stream: string
  /** Where the last event before them stands. */
  readonly expected: ExpectedRevision
  readonly events: ProposedEvent[]
  deletion?: Extract<Operation, { kind: 'delete' }>
}

function runsOf(operations: readonly Operation[]): Run[] {
  const runs = new Map<string, Run>()
  for (const operation of operations) {
    const { stream, revision } = operation
    const before = operation.kind === 'append' ? revision - 1 : revision
    const run = runs.get(stream) ?? { stream, expected: guardBehind(before), events: [] }
    if (operation.kind === 'append') run.events.push(operation.event)
    else run.deletion = operation
    runs.set(stream, run)
  }
  return [...runs.values()]
}

async function writeRun(store: EventStore, { stream, expected, events, deletion }: Run): Promise<void> {
  if (events.length > 0) await append(store, stream, { events, expected })
  if (deletion === undefined) return
  const expectedMetadata = guardBehind(deletion.metadataRevision - 1)
  await append(store, metadataStreamOf(stream), { events: [deletionEvent(deletion)], expected: expectedMetadata })
}

function guardBehind(revision: Revision | -1): ExpectedRevision {
  return revision < 0 ? 'noStream' : revision
}

async function append(
  store: EventStore,
  stream: string,
  { events, expected }: { events: readonly ProposedEvent[]; expected: ExpectedRevision },
): Promise<void> {
  const result = await settle(() => store.append(stream, events, expected))
  if (result.kind !== 'appended') throw new WorkloadWriteError(stream, result)
}

const TRIES_MAX = 5

/** In doubt the identical request is made again: same ids, same guard. */
async function settle<Result extends { readonly kind: string }>(write: () => Promise<Result>): Promise<Result> {
  let result = await write()
  for (let tries = 1; tries < TRIES_MAX && result.kind === 'unknown'; tries += 1) result = await write()
  return result
}
