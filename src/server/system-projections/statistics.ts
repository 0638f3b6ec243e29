// Projections.Statistics: how one projection stands, or all of a mode. All that there are here are continuous.
import projections from '@eventstore/db-client/generated/projections_pb.js'
import type { Rpc } from '../server-context.js'
import { handlerFailed } from '../status.js'
import { frame } from '../transport/framing.js'
import { decodeMessage } from '../transport/message-reader.js'
import { named, projectionsFor } from './asked-projections.js'
import type { ManagedProjection } from './managed-projection.js'
import { statisticsMessage } from './statistics-message.js'
import type { SystemProjections } from './system-projections.js'

export const projectionStatistics: Rpc = {
  path: '/event_store.client.projections.Projections/Statistics',
  handle: async (call, server, principal) => {
    const all = projectionsFor(principal, server)
    const options = decodeMessage(projections.StatisticsReq, await call.message()).getOptions()
    if (!options) throw handlerFailed()
    for (const projection of asked(all, options)) {
      const details = statisticsMessage(await projection.statistics())
      await call.send(frame(new projections.StatisticsResp().setDetails(details).serializeBinary()))
    }
  },
}

function asked(all: SystemProjections, options: projections.StatisticsReq.Options): readonly ManagedProjection[] {
  if (options.hasTransient() || options.hasOneTime()) return []
  return options.hasAll() || options.hasContinuous() ? all.all : [named(all, options)]
}
