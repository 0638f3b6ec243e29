// PersistentSubscriptions.Delete: drops a group, its consumers and what it kept.
import persistent from '@eventstore/db-client/generated/persistent_pb.js'
import { unary } from '../server-context.js'
import { handlerFailed } from '../status.js'
import { mustBeOperator } from './group-access.js'
import { groupNameIn } from './group-request.js'

export const deleteGroup = {
  ...unary(
    '/event_store.client.persistent_subscriptions.PersistentSubscriptions/Delete',
    async (message, server, { principal }) => {
      mustBeOperator(principal, server)
      const options = persistent.DeleteReq.deserializeBinary(message).getOptions()
      if (!options) throw handlerFailed()
      await server.groups.delete(groupNameIn(options))
      return new persistent.DeleteResp()
    },
  ),
  features: ['stream', 'all'],
}
