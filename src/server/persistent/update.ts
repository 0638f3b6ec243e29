// PersistentSubscriptions.Update: gives a group other settings. Its consumers are dropped and may come again.
import persistent from '@eventstore/db-client/generated/persistent_pb.js'
import { type ServerContext, unary } from '../server-context.js'
import { handlerFailed } from '../status.js'
import { mustBeOperator } from './group-access.js'
import { ALL_STREAM, type GroupDefinition, type GroupName } from './group-definition.js'
import { allStartIn, mustNotBeAll, revisionIn, settingsIn, sourceIn, streamStartIn } from './group-request.js'
import { type Beginning, beginningInAll, beginningInStream } from './group-start.js'

type Options = persistent.UpdateReq.Options

export const updateGroup = {
  ...unary(
    '/event_store.client.persistent_subscriptions.PersistentSubscriptions/Update',
    async (message, server, { principal }) => {
      mustBeOperator(principal, server)
      const options = persistent.UpdateReq.deserializeBinary(message).getOptions()
      if (!options) throw handlerFailed()
      const { name, beginning } = options.hasAll() ? ofAll(options, server) : ofStream(options, server)
      await server.groups.update(name, async (before) => {
        const settings = settingsIn(options.getSettings() ?? new persistent.UpdateReq.Settings(), name)
        return { ...withoutBeginning(before), settings, ...keptEnd(before, await beginning()) }
      })
      return new persistent.UpdateResp()
    },
  ),
  features: ['stream', 'all'],
}

interface Update {
  readonly name: GroupName
  readonly beginning: () => Promise<Beginning>
}

function ofStream(options: Options, { store }: ServerContext): Update {
  const stream = options.getStream()
  // Clients older than 21.10 say it in other fields.
  const source = sourceIn(stream ? stream.getStreamIdentifier() : options.getStreamIdentifier())
  mustNotBeAll(source, 'Update')
  const start = stream ? streamStartIn(stream) : revisionIn(options.getSettings()?.getRevision() ?? '0')
  return { name: { source, group: options.getGroupName() }, beginning: () => beginningInStream(store, source, start) }
}

function ofAll(options: Options, { store }: ServerContext): Update {
  const group = options.getGroupName()
  const start = allStartIn(options.getAll() ?? new persistent.UpdateReq.AllOptions())
  return { name: { source: ALL_STREAM, group }, beginning: () => beginningInAll(store, group, start) }
}

function withoutBeginning({ source, group, filter, settings }: GroupDefinition) {
  return { source, group, settings, ...(filter && { filter }) }
}

/** A group that began at the end, and is to, began there when it was made: what came since is not passed over. */
function keptEnd({ startFrom, startAfter }: GroupDefinition, beginning: Beginning): Beginning {
  if (startFrom !== beginning.startFrom) return beginning
  return { startFrom, ...(startAfter !== undefined && { startAfter }) }
}
