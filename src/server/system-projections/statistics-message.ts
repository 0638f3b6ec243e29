// What can be told of a projection, in the words of the protocol and in those of the HTTP API.
import projections from '@eventstore/db-client/generated/projections_pb.js'
import type { Position } from '../../log/position.js'
import { ALL_ENDS, placeOfPosition } from '../persistent/places.js'
import type { ProjectionStatistics } from './managed-projection.js'

export function statisticsMessage(statistics: ProjectionStatistics): projections.StatisticsResp.Details {
  const { name, settings, progress } = statistics
  return new projections.StatisticsResp.Details()
    .setName(name)
    .setEffectivename(name)
    .setMode('Continuous')
    .setStatus(statistics.status)
    .setStatereason(statistics.reason)
    .setVersion(String(settings.version))
    .setEpoch(String(settings.epoch))
    .setPosition(placeOf(statistics.readTo))
    .setLastcheckpoint(placeOf(statistics.savedAt))
    .setProgress(progress)
    .setEventsprocessedafterrestart(String(statistics.handled))
    .setCoreprocessingtime(String(Math.round(statistics.workingMs)))
    .setWritesinprogress(statistics.writing)
    .setPartitionscached(1)
    .setBufferedevents('0')
}

/** As `GET /projection/{name}` tells it. */
export function statisticsJson(statistics: ProjectionStatistics, authority: string) {
  const { name, settings } = statistics
  const url = `${authority}/projection/${encodeURIComponent(name)}`
  return {
    coreProcessingTime: Math.round(statistics.workingMs),
    version: settings.version,
    epoch: settings.epoch,
    effectiveName: name,
    writesInProgress: statistics.writing,
    readsInProgress: 0,
    partitionsCached: 1,
    status: statistics.status,
    stateReason: statistics.reason,
    name,
    mode: 'Continuous',
    position: placeOf(statistics.readTo),
    progress: statistics.progress,
    lastCheckpoint: placeOf(statistics.savedAt),
    eventsProcessedAfterRestart: statistics.handled,
    statusUrl: url,
    stateUrl: `${url}/state`,
    resultUrl: `${url}/result`,
    queryUrl: `${url}/query?config=yes`,
    resultStreamUrl: `${authority}/streams/${encodeURIComponent(`$projections-${name}-result`)}`,
    enableCommandUrl: `${url}/command/enable`,
    disableCommandUrl: `${url}/command/disable`,
    checkpointStatus: '',
    bufferedEvents: 0,
    writePendingEventsBeforeCheckpoint: 0,
    writePendingEventsAfterCheckpoint: 0,
  }
}

function placeOf(position: Position | undefined): string {
  return position ? placeOfPosition(position) : ALL_ENDS.start
}
