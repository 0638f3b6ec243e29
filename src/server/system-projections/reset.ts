// Projections.Reset: a projection begins anew, at the start of the log, and with empty streams.
import projections from '@eventstore/db-client/generated/projections_pb.js'
import { unary } from '../server-context.js'
import { decodeMessage } from '../transport/message-reader.js'
import { named, projectionsManagedBy } from './asked-projections.js'

export const resetProjection = unary(
  '/event_store.client.projections.Projections/Reset',
  async (message, server, { principal }) => {
    const options = decodeMessage(projections.ResetReq, message).getOptions()
    await named(projectionsManagedBy(principal, server), options).reset()
    return new projections.ResetResp()
  },
)
