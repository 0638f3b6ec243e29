// What requests about groups have in common: the group's name, its settings, and where it is to start.
import persistent from '@eventstore/db-client/generated/persistent_pb.js'
import type shared from '@eventstore/db-client/generated/shared_pb.js'
import type { Position } from '../../log/position.js'
import type { Revision } from '../../log/revision.js'
import { CODE, handlerFailed, invalidArgument, StatusError } from '../status.js'
import { nameIn } from '../streams/identifiers.js'
import { ALL_STREAM, type GroupName, type GroupSettings } from './group-definition.js'
import { groupFailed } from './group-statuses.js'
import { isStrategyName } from './strategies.js'

const MAX_INT64 = 2n ** 63n - 1n
const MAX_UINT64 = 2n ** 64n - 1n
const TICKS_PER_MS = 10_000

/** Throws the status of a source that can have no groups. */
export function sourceIn(identifier: shared.StreamIdentifier | undefined): string {
  const stream = nameIn(identifier)
  // A real server never answers.
  if (stream === '') throw invalidArgument('A group needs a stream: its name is empty')
  return stream
}

/** Throws the status of options that name no group. */
export function groupNameIn(options: {
  hasAll(): boolean
  hasStreamIdentifier(): boolean
  getStreamIdentifier(): shared.StreamIdentifier | undefined
  getGroupName(): string
}): GroupName {
  const group = options.getGroupName()
  if (options.hasAll()) return { source: ALL_STREAM, group }
  if (!options.hasStreamIdentifier()) throw handlerFailed()
  return { source: sourceIn(options.getStreamIdentifier()), group }
}

/** `$all` as the name of a stream: what a real server says. */
export function mustNotBeAll(source: string, operation: 'Create' | 'Update'): void {
  if (source !== ALL_STREAM) return
  const [wanted, got] = ['ToAll', 'ToStream'].map((to) => `${operation}PersistentSubscription${to}Completed`)
  const details = `Envelope callback expected either ${wanted} or NotHandled, received ${got} instead`
  throw new StatusError(CODE.unknown, details)
}

type Settings = persistent.CreateReq.Settings | persistent.UpdateReq.Settings

/** Throws the status of settings that no group can have. */
export function settingsIn(settings: Settings, name: GroupName): GroupSettings {
  const strategy = strategyNameIn(settings)
  if (!isStrategyName(strategy)) throw groupFailed(name, `Consumer strategy ${strategy} does not exist.`)
  if (settings.getReadBatchSize() >= settings.getHistoryBufferSize()) throw groupFailed(name, BATCH_TOO_LARGE)
  return {
    strategy,
    resolveLinks: settings.getResolveLinks(),
    extraStatistics: settings.getExtraStatistics(),
    messageTimeoutMs: settings.hasMessageTimeoutTicks()
      ? Number(settings.getMessageTimeoutTicks()) / TICKS_PER_MS
      : settings.getMessageTimeoutMs(),
    maxRetryCount: settings.getMaxRetryCount(),
    checkpointAfterMs: settings.hasCheckpointAfterTicks()
      ? Number(settings.getCheckpointAfterTicks()) / TICKS_PER_MS
      : settings.getCheckpointAfterMs(),
    checkpointAtLeast: settings.getMinCheckpointCount(),
    checkpointAtMost: settings.getMaxCheckpointCount(),
    maxSubscriberCount: settings.getMaxSubscriberCount(),
    liveBufferSize: settings.getLiveBufferSize(),
    readBatchSize: settings.getReadBatchSize(),
    historyBufferSize: settings.getHistoryBufferSize(),
  }
}

const BATCH_TOO_LARGE =
  "Specified argument was out of the range of valid values. (Parameter 'ReadBatchSize may not be greater than or equal to BufferSize')"

/** Only a new group can be given a strategy by its name. */
function strategyNameIn(settings: Settings): string {
  const name = settings instanceof persistent.CreateReq.Settings ? settings.getConsumerStrategy() : ''
  if (name !== '') return name
  // Old clients have a number for it.
  const number: number = settings.getNamedConsumerStrategy()
  return ['DispatchToSingle', 'RoundRobin', 'Pinned'][number] ?? String(number)
}

/** Where a group is to start. */
export type Start<Place> = 'start' | 'end' | Place

type StreamOptions = persistent.CreateReq.StreamOptions | persistent.UpdateReq.StreamOptions

/** Throws the status of a revision that is none. */
export function streamStartIn(options: StreamOptions): Start<Revision> {
  if (options.hasStart()) return 'start'
  if (options.hasEnd()) return 'end'
  return revisionIn(options.getRevision())
}

/** A revision as text; the largest number stands for the end. */
export function revisionIn(text: string): Start<Revision> {
  const revision = BigInt(text)
  if (revision === MAX_UINT64) return 'end'
  if (revision > MAX_INT64) throw handlerFailed()
  return Number(revision)
}

type AllOptions = persistent.CreateReq.AllOptions | persistent.UpdateReq.AllOptions

/** Throws the status of a position that is none. */
export function allStartIn(options: AllOptions): Start<Position> {
  if (options.hasStart()) return 'start'
  if (options.hasEnd()) return 'end'
  const place = options.getPosition()
  if (!place) throw handlerFailed()
  const position = { commit: BigInt(place.getCommitPosition()), prepare: BigInt(place.getPreparePosition()) }
  if (position.commit === MAX_UINT64 && position.prepare === MAX_UINT64) return 'end'
  if (position.commit > MAX_INT64 || position.prepare > position.commit) throw handlerFailed()
  return position
}
