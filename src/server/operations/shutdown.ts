// Operations.Shutdown: stops the server as SIGTERM does.
import shared from '@eventstore/db-client/generated/shared_pb.js'
import { mustBeOperator } from '../persistent/group-access.js'
import type { Rpc } from '../server-context.js'
import { frame } from '../transport/framing.js'

export const shutdown: Rpc = {
  path: '/event_store.client.operations.Operations/Shutdown',
  handle: async (call, server, principal) => {
    mustBeOperator(principal, server)
    await call.message()
    await call.send(frame(new shared.Empty().serializeBinary()))
    // This call is one of those that a stopping server waits for.
    setImmediate(server.shutDown)
  },
}
