// What calls about consumer groups say. Built with the client's generated messages, but with the strategy's own name, which the client of 6.2.1
// does not send: it asks for another strategy instead.
import persistent from '@eventstore/db-client/generated/persistent_pb.js'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import { ALL_EVENTS, type GroupName, type GroupSettings, type NackAction } from '../../../log/consumer-group.js'
import type { EventFilter } from '../../../log/event-store.js'

const SERVICE = '/event_store.client.persistent_subscriptions.PersistentSubscriptions'

export const GROUP_PATHS = {
  create: `${SERVICE}/Create`,
  delete: `${SERVICE}/Delete`,
  info: `${SERVICE}/GetInfo`,
  replayParked: `${SERVICE}/ReplayParked`,
  read: `${SERVICE}/Read`,
} as const

/** Records that a server looks at in one go while it searches for those that match. */
const READ_WINDOW = 10_000
/** A checkpoint is due so long after the last, from so many settled events on, and at so many at once. */
const CHECKPOINT = { afterMs: 1_000, atLeast: 10, atMost: 1_000 }

const { Settings, AllOptions, StreamOptions } = persistent.CreateReq
const { FilterOptions } = AllOptions

export function createGroupRequest({ source, group }: GroupName, settings: GroupSettings): Uint8Array {
  const options = new persistent.CreateReq.Options().setGroupName(group).setSettings(settingsOf(settings))
  if (source === ALL_EVENTS) options.setAll(allOptions(settings))
  // Servers before 21.10 know only the other field for the stream's name.
  else options.setStream(streamOptions(source, settings)).setStreamIdentifier(streamNamed(source))
  return new persistent.CreateReq().setOptions(options).serializeBinary()
}

function settingsOf({ strategy, messageTimeoutMs, retriesMax, consumersMax = 0, readyMax }: GroupSettings) {
  return new Settings()
    .setConsumerStrategy(strategy)
    .setMessageTimeoutMs(messageTimeoutMs)
    .setMaxRetryCount(retriesMax)
    .setMaxSubscriberCount(consumersMax)
    .setHistoryBufferSize(readyMax)
    .setLiveBufferSize(readyMax)
    .setReadBatchSize(Math.max(1, Math.floor(readyMax / 10)))
    .setCheckpointAfterMs(CHECKPOINT.afterMs)
    .setMinCheckpointCount(CHECKPOINT.atLeast)
    .setMaxCheckpointCount(CHECKPOINT.atMost)
}

function allOptions({ startFrom, filter }: GroupSettings) {
  const options = new AllOptions()
  if (startFrom === 'start') options.setStart(new shared.Empty())
  else options.setEnd(new shared.Empty())
  return filter ? options.setFilter(filterOf(filter)) : options.setNoFilter(new shared.Empty())
}

function filterOf({ streamPrefixes }: EventFilter) {
  const names = new FilterOptions.Expression().setPrefixList([...streamPrefixes])
  return new FilterOptions().setStreamIdentifier(names).setMax(READ_WINDOW).setCheckpointintervalmultiplier(1)
}

function streamOptions(source: string, { startFrom }: GroupSettings) {
  const options = new StreamOptions().setStreamIdentifier(streamNamed(source))
  return startFrom === 'start' ? options.setStart(new shared.Empty()) : options.setEnd(new shared.Empty())
}

function streamNamed(stream: string): shared.StreamIdentifier {
  return new shared.StreamIdentifier().setStreamName(Buffer.from(stream))
}

/** The options of calls that only name a group have the same fields. */
interface NamingOptions {
  setGroupName(group: string): unknown
  setAll(value: shared.Empty): unknown
  setStreamIdentifier(identifier: shared.StreamIdentifier): unknown
}

function naming<Options extends NamingOptions>(options: Options, { source, group }: GroupName): Options {
  options.setGroupName(group)
  if (source === ALL_EVENTS) options.setAll(new shared.Empty())
  else options.setStreamIdentifier(streamNamed(source))
  return options
}

export function deleteGroupRequest(name: GroupName): Uint8Array {
  return new persistent.DeleteReq().setOptions(naming(new persistent.DeleteReq.Options(), name)).serializeBinary()
}

export function groupInfoRequest(name: GroupName): Uint8Array {
  return new persistent.GetInfoReq().setOptions(naming(new persistent.GetInfoReq.Options(), name)).serializeBinary()
}

export function replayParkedRequest(name: GroupName): Uint8Array {
  const options = naming(new persistent.ReplayParkedReq.Options(), name).setNoLimit(new shared.Empty())
  return new persistent.ReplayParkedReq().setOptions(options).serializeBinary()
}

/** The first message of a consumer. */
export function joinRequest(name: GroupName, heldMax: number): Uint8Array {
  const { Options } = persistent.ReadReq
  const options = naming(new Options(), name)
    .setBufferSize(heldMax)
    .setUuidOption(new Options.UUIDOption().setString(new shared.Empty()))
  return new persistent.ReadReq().setOptions(options).serializeBinary()
}

export function ackRequest(ids: readonly string[]): Uint8Array {
  return new persistent.ReadReq().setAck(new persistent.ReadReq.Ack().setIdsList(uuidsOf(ids))).serializeBinary()
}

const { PARK, RETRY, SKIP, STOP } = persistent.ReadReq.Nack.Action
const ACTIONS = { park: PARK, retry: RETRY, skip: SKIP, stop: STOP } as const

export function nackRequest(ids: readonly string[], action: NackAction, reason: string): Uint8Array {
  const nack = new persistent.ReadReq.Nack().setIdsList(uuidsOf(ids)).setAction(ACTIONS[action]).setReason(reason)
  return new persistent.ReadReq().setNack(nack).serializeBinary()
}

function uuidsOf(ids: readonly string[]): shared.UUID[] {
  return ids.map((id) => new shared.UUID().setString(id))
}
