// Projections.Enable: puts a projection to work, from where it stopped.
import projections from '@eventstore/db-client/generated/projections_pb.js'
import { unary } from '../server-context.js'
import { decodeMessage } from '../transport/message-reader.js'
import { named, projectionsManagedBy } from './asked-projections.js'

export const enableProjection = unary(
  '/event_store.client.projections.Projections/Enable',
  async (message, server, { principal }) => {
    const options = decodeMessage(projections.EnableReq, message).getOptions()
    await named(projectionsManagedBy(principal, server), options).enable()
    return new projections.EnableResp()
  },
)
