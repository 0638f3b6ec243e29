// Streams.Read: readings and subscriptions, of one stream or of the whole log. Which it is stands in the request.
import type { Principal } from '../access/principal.js'
import type { Rpc, ServerContext } from '../server-context.js'
import type { GrpcCall } from '../transport/grpc-call.js'
import { LinkResolver } from './link-resolver.js'
import { readAll } from './read-all.js'
import { ReadAnswer } from './read-answer.js'
import { type ReadRequest, readRequestIn } from './read-request.js'
import { readStream } from './read-stream.js'
import { subscribeToAll } from './subscribe-to-all.js'
import { subscribeToStream } from './subscribe-to-stream.js'

/** The log's name where streams are named. */
const ALL_STREAM = '$all'

export const read: Rpc = {
  path: '/event_store.client.streams.Streams/Read',
  features: ['position', 'events'],
  handle: async (call, server, principal) => {
    const request = readRequestIn(await call.message())
    const stream = 'stream' in request ? request.stream : ALL_STREAM
    await server.access.check(principal, 'read', stream)
    if (request.start === undefined) return
    call.endless = request.kind === 'streamSubscription' || request.kind === 'allSubscription'
    await answer(request, call, { server, principal })
  },
}

function answer(
  request: ReadRequest,
  call: GrpcCall,
  { server, principal }: { server: ServerContext; principal: Principal },
): Promise<void> {
  const { store } = server
  const links = request.resolveLinks ? new LinkResolver(store, server.access, principal) : undefined
  const reply = new ReadAnswer(call, { uuidForm: request.uuidForm, links })
  switch (request.kind) {
    case 'stream':
      return readStream(request, { store, reply, signal: call.signal })
    case 'all':
      return readAll(request, { store, reply, signal: call.signal })
    case 'streamSubscription':
      return subscribeToStream(request, { store, reply, signal: call.signal })
    case 'allSubscription':
      return subscribeToAll(request, { store, reply, signal: call.signal })
  }
}
