// How a group stands, as `GET /subscriptions` tells it.
import type { GroupInfo } from '../persistent/group-info.js'
import { revisionAt } from '../persistent/places.js'

export function groupJson(info: GroupInfo, authority: string) {
  const { source, group } = info.definition
  const name = `${encodeURIComponent(source)}/${encodeURIComponent(group)}`
  const url = `${authority}/subscriptions/${name}`
  const parked = `$persistentsubscription-${source}::${group}-parked`
  return {
    links: [{ href: `${url}/info`, rel: 'detail' }],
    eventStreamId: source,
    groupName: group,
    parkedMessageUri: `${authority}/streams/${encodeURIComponent(parked)}`,
    getMessagesUri: `${url}/1`,
    status: info.status,
    averageItemsPerSecond: info.givenPerSecond,
    totalItemsProcessed: info.given,
    lastProcessedEventNumber: revisionAt(info.lastCheckpoint) ?? -1,
    lastCheckpointedEventPosition: info.lastCheckpoint,
    lastKnownEventNumber: revisionAt(info.lastRead) ?? -1,
    lastKnownEventPosition: info.lastRead,
    connectionCount: info.consumers.length,
    totalInFlightMessages: info.inFlight,
  }
}
