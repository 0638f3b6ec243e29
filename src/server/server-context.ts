// What every call is given: the log and what the server knows beside it.
import type { EventStore } from '../log/event-store.js'
import type { Principal } from './access/principal.js'
import type { StreamAccess } from './access/stream-access.js'
import type { UserDirectory } from './access/user-directory.js'
import type { PersistentSubscriptions } from './persistent/persistent-subscriptions.js'
import type { SystemProjections } from './system-projections/system-projections.js'
import { frame } from './transport/framing.js'
import type { GrpcCall } from './transport/grpc-call.js'

/** What the server is made of. */
export interface ServerContext {
  readonly store: EventStore
  readonly access: StreamAccess
  /** Undefined on a server without TLS, where there are no users. */
  readonly users: UserDirectory | undefined
  readonly groups: PersistentSubscriptions
  /** Undefined on a server that was started without them. */
  readonly projections: SystemProjections | undefined
  readonly maxAppendBytes: number
  readonly commitTimeoutMs: number
  /** Tells whoever runs the server of an error that is its own trouble; passes over all others. */
  readonly report: (error: unknown) => void
  /** Asks whoever runs the server to stop it. */
  readonly shutDown: () => void
  /** A UUID of this run of the server. */
  readonly instanceId: string
}

/** One method of the protocol. */
export interface Rpc {
  /** `/package.Service/Method`. */
  readonly path: string
  /** What clients may ask of it beyond its name; see GetSupportedMethods. */
  readonly features?: readonly string[]
  /** Answers a call. What it throws is the call's status. */
  handle(call: GrpcCall, server: ServerContext, principal: Principal): Promise<void>
}

/** A method whose client sends one message and gets one. */
export function unary(
  path: string,
  answer: (
    message: Uint8Array,
    server: ServerContext,
    caller: { readonly principal: Principal; readonly call: GrpcCall },
  ) => Promise<{ serializeBinary(): Uint8Array }> | { serializeBinary(): Uint8Array },
): Rpc {
  return {
    path,
    handle: async (call, server, principal) => {
      const response = await answer(await call.message(), server, { principal, call })
      await call.send(frame(response.serializeBinary()))
    },
  }
}
