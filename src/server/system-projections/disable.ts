// Projections.Disable: stops a projection until it is enabled again, also over restarts. Without a checkpoint clients call it aborting.
import projections from '@eventstore/db-client/generated/projections_pb.js'
import { unary } from '../server-context.js'
import { decodeMessage } from '../transport/message-reader.js'
import { named, projectionsManagedBy } from './asked-projections.js'

export const disableProjection = unary(
  '/event_store.client.projections.Projections/Disable',
  async (message, server, { principal }) => {
    const options = decodeMessage(projections.DisableReq, message).getOptions()
    const projection = named(projectionsManagedBy(principal, server), options)
    await projection.disable({ saveCheckpoint: options?.getWriteCheckpoint() ?? false })
    return new projections.DisableResp()
  },
)
