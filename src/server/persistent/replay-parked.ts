// PersistentSubscriptions.ReplayParked: gives parked events to the group's consumers again.
import persistent from '@eventstore/db-client/generated/persistent_pb.js'
import { unary } from '../server-context.js'
import { handlerFailed } from '../status.js'
import { mustBeOperator } from './group-access.js'
import { groupNameIn } from './group-request.js'
import { groupFailed } from './group-statuses.js'

export const replayParked = {
  ...unary(
    '/event_store.client.persistent_subscriptions.PersistentSubscriptions/ReplayParked',
    async (message, server, { principal }) => {
      mustBeOperator(principal, server)
      const options = persistent.ReplayParkedReq.deserializeBinary(message).getOptions()
      if (!options) throw handlerFailed()
      const name = groupNameIn(options)
      const group = server.groups.get(name)
      const stopAt = options.hasStopAt() ? Number(options.getStopAt()) : undefined
      if (stopAt !== undefined && stopAt < 0) throw groupFailed(name, NEGATIVE)
      await group.replayParked(stopAt)
      return new persistent.ReplayParkedResp()
    },
  ),
  features: ['stream', 'all'],
}

const NEGATIVE = 'Cannot stop replaying parked message at a negative version.'
