// PersistentSubscriptions.Read: a consumer takes events of a group and answers for each. The first message says which group; the
// others are its answers.
import persistent from '@eventstore/db-client/generated/persistent_pb.js'
import type shared from '@eventstore/db-client/generated/shared_pb.js'
import type { Principal } from '../access/principal.js'
import type { Rpc, ServerContext } from '../server-context.js'
import { handlerFailed, statusOf } from '../status.js'
import { type UuidForm, uuidIn } from '../streams/uuids.js'
import { frame } from '../transport/framing.js'
import type { GrpcCall } from '../transport/grpc-call.js'
import type { Membership } from './consumer.js'
import { ConsumerOutput } from './consumer-output.js'
import { loginOf } from './group-access.js'
import { type GroupName, keyOf } from './group-definition.js'
import { groupNameIn } from './group-request.js'
import type { NackAction } from './group-steps.js'

export const readGroup: Rpc = {
  path: '/event_store.client.persistent_subscriptions.PersistentSubscriptions/Read',
  features: ['stream', 'all'],
  handle: async (call, server, principal) => {
    const messages = call.messages()
    const request = await readOptions(messages)
    await server.access.check(principal, 'read', request.name.source)
    const membership = join(call, request, { server, principal })
    try {
      await call.send(confirmation(request.name))
      membership.ready()
      for await (const message of messages) answer(membership, message)
      // A consumer that has sent its last answer may go on reading.
      await untilOver(call)
    } finally {
      membership.leave()
    }
  },
}

interface Request {
  readonly name: GroupName
  readonly slots: number
  readonly uuidForm: UuidForm
}

async function readOptions(messages: AsyncGenerator<Uint8Array>): Promise<Request> {
  const first = await messages.next()
  const options = first.done ? undefined : persistent.ReadReq.deserializeBinary(first.value).getOptions()
  if (!options) throw handlerFailed()
  const uuidForm = options.getUuidOption()?.hasStructured() ? 'structured' : 'string'
  return { name: groupNameIn(options), slots: Math.max(0, options.getBufferSize()), uuidForm }
}

function join(
  call: GrpcCall,
  { name, slots, uuidForm }: Request,
  { server, principal }: { server: ServerContext; principal: Principal },
): Membership {
  const output = new ConsumerOutput(call, {
    uuidForm,
    onHeld: (held) => (held ? membership.held() : membership.ready()),
  })
  const membership = server.groups.get(name).join({
    username: loginOf(principal),
    connectionName: call.connectionName,
    slots,
    give: (sent) => output.send(sent),
    drop: (reason) => call.abort(statusOf(reason)),
  })
  return membership
}

function confirmation(name: GroupName): Uint8Array {
  const confirmed = new persistent.ReadResp.SubscriptionConfirmation().setSubscriptionId(keyOf(name))
  return frame(new persistent.ReadResp().setSubscriptionConfirmation(confirmed).serializeBinary())
}

function answer(membership: Membership, message: Uint8Array): void {
  const request = persistent.ReadReq.deserializeBinary(message)
  const [ack, nack] = [request.getAck(), request.getNack()]
  if (ack) membership.ack(idsIn(ack.getIdsList()))
  else if (nack) {
    membership.nack(idsIn(nack.getIdsList()), { action: actionIn(nack.getAction()), reason: nack.getReason() })
  } else throw handlerFailed()
}

/** What is no id is none that was given. */
function idsIn(messages: readonly shared.UUID[]): string[] {
  return messages.map(uuidIn).filter((id) => id !== undefined)
}

/** As on a real server, what is not known is tried again, and `stop` does what `skip` does. */
function actionIn(action: persistent.ReadReq.Nack.Action): NackAction {
  const { PARK, SKIP, STOP } = persistent.ReadReq.Nack.Action
  if (action === PARK) return 'park'
  return action === SKIP || action === STOP ? 'skip' : 'retry'
}

async function untilOver({ signal }: GrpcCall): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  signal.throwIfAborted()
}
