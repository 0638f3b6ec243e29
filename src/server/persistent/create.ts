// PersistentSubscriptions.Create: makes a group.
import persistent from '@eventstore/db-client/generated/persistent_pb.js'
import { type ServerContext, unary } from '../server-context.js'
import { handlerFailed } from '../status.js'
import { mustBeOperator } from './group-access.js'
import { ALL_STREAM, type GroupDefinition } from './group-definition.js'
import { groupFilterIn } from './group-filter.js'
import { allStartIn, mustNotBeAll, revisionIn, settingsIn, sourceIn, streamStartIn } from './group-request.js'
import { beginningInAll, beginningInStream } from './group-start.js'

type Options = persistent.CreateReq.Options

export const createGroup = {
  ...unary(
    '/event_store.client.persistent_subscriptions.PersistentSubscriptions/Create',
    async (message, server, { principal }) => {
      mustBeOperator(principal, server)
      const options = persistent.CreateReq.deserializeBinary(message).getOptions()
      if (!options) throw handlerFailed()
      const definition = options.hasAll() ? await groupOfAll(options, server) : await groupOfStream(options, server)
      await server.groups.create(definition)
      return new persistent.CreateResp()
    },
  ),
  features: ['stream', 'all'],
}

async function groupOfStream(options: Options, { store }: ServerContext): Promise<GroupDefinition> {
  const { source, start } = placeIn(options)
  mustNotBeAll(source, 'Create')
  const name = { source, group: options.getGroupName() }
  const settings = settingsIn(options.getSettings() ?? new persistent.CreateReq.Settings(), name)
  return { ...name, settings, ...(await beginningInStream(store, source, start)) }
}

/** Clients older than 21.10 say it in other fields. */
function placeIn(options: Options) {
  const stream = options.getStream()
  if (stream) return { source: sourceIn(stream.getStreamIdentifier()), start: streamStartIn(stream) }
  const start = revisionIn(options.getSettings()?.getRevision() ?? '0')
  return { source: sourceIn(options.getStreamIdentifier()), start }
}

async function groupOfAll(options: Options, { store }: ServerContext): Promise<GroupDefinition> {
  const all = options.getAll() ?? new persistent.CreateReq.AllOptions()
  const name = { source: ALL_STREAM, group: options.getGroupName() }
  const settings = settingsIn(options.getSettings() ?? new persistent.CreateReq.Settings(), name)
  const filter = all.getFilter()
  const beginning = await beginningInAll(store, name.group, allStartIn(all))
  return { ...name, ...(filter && { filter: groupFilterIn(filter) }), settings, ...beginning }
}
