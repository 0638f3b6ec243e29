// How a group stands, in the protocol's message.
import persistent from '@eventstore/db-client/generated/persistent_pb.js'
import type { ConsumerInfo, GroupInfo } from './group-info.js'

export function infoMessage(info: GroupInfo): persistent.SubscriptionInfo {
  const { source, group, startFrom } = info.definition
  const message = new persistent.SubscriptionInfo()
    .setEventSource(source)
    .setGroupName(group)
    .setStatus(info.status)
    .setStartFrom(startFrom)
    .setConnectionsList(info.consumers.map(connectionMessage))
  setSettings(message, info)
  setStatistics(message, info)
  return message
}

function setSettings(message: persistent.SubscriptionInfo, { definition: { settings } }: GroupInfo): void {
  message
    .setResolveLinkTos(settings.resolveLinks)
    .setExtraStatistics(settings.extraStatistics)
    .setMessageTimeoutMilliseconds(int32(settings.messageTimeoutMs))
    .setMaxRetryCount(settings.maxRetryCount)
    .setCheckPointAfterMilliseconds(int32(settings.checkpointAfterMs))
    .setMinCheckPointCount(settings.checkpointAtLeast)
    .setMaxCheckPointCount(settings.checkpointAtMost)
    .setMaxSubscriberCount(settings.maxSubscriberCount)
    .setLiveBufferSize(settings.liveBufferSize)
    .setReadBatchSize(settings.readBatchSize)
    .setBufferSize(settings.historyBufferSize)
    .setNamedConsumerStrategy(settings.strategy)
}

function setStatistics(message: persistent.SubscriptionInfo, info: GroupInfo): void {
  message
    .setAveragePerSecond(info.givenPerSecond)
    .setTotalItems(String(info.given))
    .setCountSinceLastMeasurement(String(info.givenSince))
    .setReadBufferCount(info.waiting)
    .setLiveBufferCount(String(info.recentlyLive))
    .setRetryBufferCount(info.waitingAgain)
    .setTotalInFlightMessages(info.inFlight)
    .setOutstandingMessagesCount(info.inFlight)
    .setParkedMessageCount(String(info.parked))
    .setLastCheckpointedEventPosition(info.lastCheckpoint)
    .setLastKnownEventPosition(info.lastRead)
}

function connectionMessage(consumer: ConsumerInfo): persistent.SubscriptionInfo.ConnectionInfo {
  const measurements = consumer.latencies.map(({ name, ms }) =>
    new persistent.SubscriptionInfo.Measurement().setKey(name).setValue(String(Math.round(ms))),
  )
  return new persistent.SubscriptionInfo.ConnectionInfo()
    .setUsername(consumer.username)
    .setConnectionName(consumer.connectionName)
    .setAverageItemsPerSecond(consumer.givenPerSecond)
    .setTotalItems(String(consumer.given))
    .setCountSinceLastMeasurement(String(consumer.givenSince))
    .setAvailableSlots(consumer.freeSlots)
    .setInFlightMessages(consumer.inFlight)
    .setObservedMeasurementsList(measurements)
}

/** Times come in as ticks too, and so can be longer than the message can tell. */
function int32(value: number): number {
  return Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(value)))
}
