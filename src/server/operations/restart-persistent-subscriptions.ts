// Operations.RestartPersistentSubscriptions: the same as PersistentSubscriptions.RestartSubsystem.
import shared from '@eventstore/db-client/generated/shared_pb.js'
import { mustBeOperator } from '../persistent/group-access.js'
import { unary } from '../server-context.js'

export const restartPersistentSubscriptions = unary(
  '/event_store.client.operations.Operations/RestartPersistentSubscriptions',
  async (_message, server, { principal }) => {
    mustBeOperator(principal, server)
    await server.groups.restart()
    return new shared.Empty()
  },
)
