// PersistentSubscriptions.List: how all groups stand, or those of one source.
import persistent from '@eventstore/db-client/generated/persistent_pb.js'
import { unary } from '../server-context.js'
import { handlerFailed } from '../status.js'
import { mustBeUser } from './group-access.js'
import { ALL_STREAM } from './group-definition.js'
import { sourceIn } from './group-request.js'
import { groupMissing } from './group-statuses.js'
import { infoMessage } from './info-message.js'

export const listGroups = {
  ...unary(
    '/event_store.client.persistent_subscriptions.PersistentSubscriptions/List',
    async (message, server, { principal }) => {
      mustBeUser(principal, server)
      const source = sourceAskedFor(message)
      const groups = server.groups.all.filter(({ definition }) => source === undefined || definition.source === source)
      // As on a real server: a source without groups is an error, a server without groups is not.
      if (source !== undefined && groups.length === 0) throw groupMissing({ source, group: '' })
      const infos = await Promise.all(groups.map((group) => group.describe()))
      return new persistent.ListResp().setSubscriptionsList(infos.map(infoMessage))
    },
  ),
  features: ['stream', 'all'],
}

function sourceAskedFor(message: Uint8Array): string | undefined {
  const options = persistent.ListReq.deserializeBinary(message).getOptions()
  if (!options) throw handlerFailed()
  const stream = options.getListForStream()
  if (!stream) return undefined
  return stream.hasAll() ? ALL_STREAM : sourceIn(stream.getStream())
}
