// Several processes that watch as one group. Each is a consumer: it is given a share of the events, notes their subjects, and acknowledges. One of
// them, whoever holds the lease of the group's name, also keeps the alerts: it reads the notes, waits for deadlines, judges and tells, exactly as a
// watch of its own would. When it dies another takes over from its checkpoint and the notes since. An event is therefore not held unanswered until
// its deadline is over (a group gives out only so many at a time, and a grace period is long): its deadline is in the log before it is acknowledged.
import {
  ALL_EVENTS,
  type ConsumerGroups,
  type GroupName,
  GroupRefusedError,
  type GroupSettings,
  parkedStreamOf,
} from '../log/consumer-group.js'
import type { RecordedEvent } from '../log/event.js'
import type { EventStore } from '../log/event-store.js'
import { StoreUnavailableError } from '../log/store-errors.js'
import { metadataStreamOf, prefixesOf } from '../log/stream.js'
import type { WatchSource } from './detection.js'
import { GroupDetection } from './group-detection.js'
import { type Begun, begunEvent, begunIn, begunStreamOf, notesStreamOf } from './group-notes.js'
import { EVENT_PARKED } from './group-parked.js'
import { GroupWorker } from './group-worker.js'
import { CheckpointRefusedError } from './resume.js'
import { type WatchOptions, watch } from './watch.js'

export interface GroupOptions
  extends Omit<WatchOptions, 'name' | 'source' | 'fromStart' | 'once' | 'wasReached' | 'onStep'> {
  readonly groups: ConsumerGroups
  /** The group's name on the server. */
  readonly group: string
  /** Milliseconds since the Unix epoch, whatever rules take for the present. */
  readonly wallClock: () => number
  readonly onWorker?: (worker: GroupWorker) => void
  readonly onJoined?: () => void
  readonly onStep?: ((step: string) => Promise<void>) | undefined
}

/** The name under which a group watches. No watch that is named by hand is called so. */
export function watchNameOf(group: string): string {
  return `group.${group}`
}

/** The group as its server knows it. */
export function groupNameOf(group: string): GroupName {
  return { source: ALL_EVENTS, group }
}

/** Well above what a round of reading takes, also on a server under load. */
const MESSAGE_TIMEOUT_MS = 60_000
const RETRIES_MAX = 10
/** Ten consumers' worth. */
const READY_MAX = 5_000

/**
 * Watches as one of a group until the signal is aborted. Throws CheckpointRefusedError where the group is not of this projection, GroupRefusedError
 * where it cannot be had or was deleted, and what a watch throws.
 */
export async function watchInGroup(options: GroupOptions): Promise<void> {
  await beginGroup(options)
  const { groups, group, signal, onWorker } = options
  const name = watchNameOf(group)
  const notesStream = notesStreamOf(name)
  const worker = new GroupWorker({ ...options, groups, group: groupNameOf(group), notesStream })
  onWorker?.(worker)
  const failed = new AbortController()
  const ending = AbortSignal.any([signal, failed.signal])
  const abortOnFailure = async (running: Promise<void>) => {
    try {
      await running
    } finally {
      failed.abort()
    }
  }
  const source = sourceOf(options, notesStream)
  const watching = watch({ ...options, name, source, wasReached: true, signal: ending })
  const ends = await Promise.allSettled([worker.run(ending), watching].map(abortOnFailure))
  for (const end of ends) if (end.status === 'rejected') throw failureOf(end.reason, group)
}

/** What a watch of its own advises does not go with a group. */
function failureOf(cause: unknown, group: string): unknown {
  if (!(cause instanceof CheckpointRefusedError)) return cause
  const why = 'the log is not the one that its keeper has read: it was rewritten, or is of another store'
  return new CheckpointRefusedError(
    `Group ${group} cannot go on, since ${why}. Name the store that it belongs to, or take another --group: it begins at the start of the log`,
    { cause },
  )
}

function sourceOf({ store, projection, group, lagAlarmMs, wallClock }: GroupOptions, notesStream: string): WatchSource {
  const parkedStream = parkedStreamOf(groupNameOf(group))
  const about = { reader: store, projection, notesStream, parkedStream, wallClock, behindMsMax: lagAlarmMs }
  return {
    streamPrefixes: [notesStream, parkedStream, metadataStreamOf(parkedStream)],
    rules: [EVENT_PARKED.id],
    makeDetection: (options) => new GroupDetection({ ...about, ...options }),
  }
}

/**
 * Makes the group, or sees that the one that is there is ours and for the same projection. That it was begun is written before it is made, so a group
 * without that is somebody else's.
 */
async function beginGroup({ store, groups, group, projection, newId }: GroupOptions): Promise<void> {
  const name = groupNameOf(group)
  const isThere = (await groups.info(name)) !== undefined
  const stream = begunStreamOf(group)
  const begun = await readBegun(store, stream)
  if (begun) mustBeSame(begun, projection, group)
  else if (isThere) {
    const why =
      'there is one of this name, and it is not of makegood watch: its events are for others. Take another --group'
    throw new GroupRefusedError(name, 'failed', why)
  }
  const { name: projectionName, version, categories } = projection
  const event = begunEvent({ projection: projectionName, version, categories: [...categories] }, newId)
  const written = begun ? undefined : await store.append(stream, [event], 'noStream')
  if (written && written.kind !== 'appended' && written.kind !== 'conflict') {
    throw new StoreUnavailableError(`Stream ${stream} could not be written: ${written.message}`)
  }
  if (written?.kind === 'conflict') mustBeSame(await readBegun(store, stream), projection, group)
  if (!isThere) await groups.create(name, settingsFor(projection))
}

function settingsFor({ categories }: GroupOptions['projection']): GroupSettings {
  return {
    startFrom: 'start',
    strategy: 'PinnedByCorrelation',
    filter: { streamPrefixes: prefixesOf(categories) },
    messageTimeoutMs: MESSAGE_TIMEOUT_MS,
    retriesMax: RETRIES_MAX,
    readyMax: READY_MAX,
  }
}

async function readBegun(store: EventStore, stream: string): Promise<Begun | undefined> {
  const read = await store.readStream(stream, { maxCount: 1 })
  let first: RecordedEvent | undefined
  if (read.kind === 'found') for await (const [event] of read.events) first ??= event
  return first && begunIn(first)
}

function mustBeSame(begun: Begun | undefined, projection: GroupOptions['projection'], group: string): void {
  const { name, version, categories } = projection
  if (!begun) throw new StoreUnavailableError(`What group ${group} was made for cannot be read`)
  const isSame = begun.projection === name && begun.version === version
  if (isSame && begun.categories.join() === categories.join()) return
  throw new CheckpointRefusedError(
    `Group ${group} is of projection ${begun.projection}, version ${begun.version}; this is ${name}, version ${version}. ` +
      'Take another --group to watch beside it: it begins at the start of the log',
  )
}
