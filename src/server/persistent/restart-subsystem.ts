// PersistentSubscriptions.RestartSubsystem: stops all groups and takes them up again.
import shared from '@eventstore/db-client/generated/shared_pb.js'
import { unary } from '../server-context.js'
import { mustBeOperator } from './group-access.js'

export const restartSubsystem = {
  ...unary(
    '/event_store.client.persistent_subscriptions.PersistentSubscriptions/RestartSubsystem',
    async (_message, server, { principal }) => {
      mustBeOperator(principal, server)
      await server.groups.restart()
      return new shared.Empty()
    },
  ),
  features: ['stream', 'all'],
}
