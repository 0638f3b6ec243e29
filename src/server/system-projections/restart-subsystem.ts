// Projections.RestartSubsystem: stops all projections and takes them up again from their checkpoints.
import shared from '@eventstore/db-client/generated/shared_pb.js'
import { unary } from '../server-context.js'
import { projectionsManagedBy } from './asked-projections.js'

export const restartProjections = unary(
  '/event_store.client.projections.Projections/RestartSubsystem',
  async (_message, server, { principal }) => {
    await projectionsManagedBy(principal, server).restart()
    return new shared.Empty()
  },
)
