// Where a watch goes on: at its checkpoint, if it is of this projection and of this log; at the log's start where there is none, or
// where the store was restored to a time before it.
import { eventAt, resolveCut } from '../engine/cut.js'
import type { Projection } from '../engine/projection.js'
import type { EventReader, EventStore } from '../log/event-store.js'
import { comparePositions } from '../log/position.js'
import { type Checkpoint, CheckpointLog, positionOfCheckpoint } from './checkpoint.js'
import type { Detection, FlowStep, WatchSource } from './detection.js'
import { KeyLog } from './key-log.js'
import { LiveDetection, type LiveDetectionOptions } from './live-detection.js'
import type { LiveLookups } from './live-lookups.js'
import { LookingDetection } from './looking-detection.js'

/** The checkpoint cannot be gone on from, and going on from the start is a decision that nobody has made. */
export class CheckpointRefusedError extends Error {
  override readonly name = 'CheckpointRefusedError'
}

/** Why a watch begins at the log's start. */
export type FreshStart = 'asked' | 'no checkpoint' | 'the store was restored to a time before the checkpoint'

export interface ResumeOptions extends Omit<LiveDetectionOptions, 'reader' | 'after' | 'now'> {
  readonly store: EventStore
  /** The name of the watch. */
  readonly name: string
  readonly newId: () => string
  /** Left out: the projection's own events. */
  readonly source?: WatchSource
  /** Who outside of the log is asked about subjects; left out: nobody. */
  readonly lookups?: LiveLookups
  /** Told of the domain's flow by a source. */
  readonly onFlow?: (step: FlowStep) => void
  /** Whether to begin at the log's start though there may be a checkpoint. */
  readonly fromStart?: boolean
}

/** A watch's memory: what it knows, and the streams that keep it. */
export interface Resumed {
  readonly detection: Detection
  readonly checkpoints: CheckpointLog
  readonly keys: KeyLog
  /** What it goes on from; undefined at the start. */
  readonly checkpoint: Checkpoint | undefined
  readonly freshStart: FreshStart | undefined
}

/** Opens a watch's memory. Throws CheckpointRefusedError and what the store throws. */
export async function resume(options: ResumeOptions): Promise<Resumed> {
  const { store, name, projection, newId, source, onFlow = () => {}, fromStart = false, lookups, ...rest } = options
  const checkpoints = await CheckpointLog.open(store, name, newId)
  const freshStart = fromStart ? 'asked' : await reasonForFreshStart(store, projection, checkpoints.checkpoint)
  const checkpoint = freshStart === undefined ? checkpoints.checkpoint : undefined
  const from = checkpoint && { after: positionOfCheckpoint(checkpoint), now: checkpoint.head.now }
  const detection = source
    ? source.makeDetection({ ...from, onFlow })
    : logDetection({ ...rest, reader: store, projection, ...from }, lookups)
  const keys = await KeyLog.open(store, name, detection.keys, checkpoint?.head.keysHead ?? -1)
  for (const [subject, { deadline, isOpen }] of checkpoint?.entries ?? []) {
    if (deadline !== null) detection.deadlines.set(subject, deadline)
    if (isOpen) detection.touch(subject)
  }
  return { detection, checkpoints, keys, checkpoint, freshStart }
}

function logDetection(options: LiveDetectionOptions, lookups: LiveLookups | undefined): Detection {
  if (!lookups) return new LiveDetection(options)
  const inner = new LiveDetection({ ...options, answersOf: (subject) => lookups.answersOf(subject) })
  return new LookingDetection(inner, lookups, options.projection)
}

async function reasonForFreshStart(
  store: EventStore,
  { name, version }: Projection,
  checkpoint: Checkpoint | undefined,
): Promise<FreshStart | undefined> {
  if (!checkpoint) return 'no checkpoint'
  const { head } = checkpoint
  if (head.projection !== name || head.version !== version) {
    throw new CheckpointRefusedError(
      `The checkpoint is of projection ${head.projection}, version ${head.version}; this is ${name}, version ${version}. ` +
        'Take another --name to watch beside it, or --from start to replay the log under these rules and go on from there',
    )
  }
  switch (await placeOf(checkpoint, store)) {
    case 'in this log':
      return undefined
    case 'beyond its end':
      return 'the store was restored to a time before the checkpoint'
    case 'elsewhere':
      throw new CheckpointRefusedError(
        `The checkpoint names event ${head.eventId} at position ${head.position}, and another one stands there: it is of another store, or the log was ` +
          'rewritten. Name the store that it belongs to, or take --from start to replay this log',
      )
  }
}

/** Whether a log has the event that a checkpoint was made at. */
export async function placeOf(
  checkpoint: Checkpoint,
  reader: EventReader,
): Promise<'in this log' | 'beyond its end' | 'elsewhere'> {
  const position = positionOfCheckpoint(checkpoint)
  const event = await eventAt(reader, position)
  if (event) return event.id === checkpoint.head.eventId ? 'in this log' : 'elsewhere'
  const end = await resolveCut(reader, { kind: 'head' }, 0)
  return !end || comparePositions(end.position, position) < 0 ? 'beyond its end' : 'elsewhere'
}
