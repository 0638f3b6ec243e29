// PersistentSubscriptions.GetInfo: how a group stands.
import persistent from '@eventstore/db-client/generated/persistent_pb.js'
import { unary } from '../server-context.js'
import { handlerFailed } from '../status.js'
import { mustBeUser } from './group-access.js'
import { groupNameIn } from './group-request.js'
import { infoMessage } from './info-message.js'

export const getGroupInfo = {
  ...unary(
    '/event_store.client.persistent_subscriptions.PersistentSubscriptions/GetInfo',
    async (message, server, { principal }) => {
      mustBeUser(principal, server)
      const options = persistent.GetInfoReq.deserializeBinary(message).getOptions()
      if (!options) throw handlerFailed()
      const info = await server.groups.get(groupNameIn(options)).describe()
      return new persistent.GetInfoResp().setSubscriptionInfo(infoMessage(info))
    },
  ),
  features: ['stream', 'all'],
}
