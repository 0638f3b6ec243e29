// A subscription to one stream.
import { randomUUID } from 'node:crypto'
import { type Reading, type RequestOf, startOf, subscriptionOver } from './reading.js'

export async function subscribeToStream(request: RequestOf<'streamSubscription'>, reading: Reading): Promise<void> {
  const { store, reply, signal } = reading
  let confirmed = false
  for await (const message of store.subscribeToStream(request.stream, { after: startOf(request), signal })) {
    // Only now is it sure that the stream can be subscribed to: a tombstoned one throws before its first message.
    if (!confirmed) await reply.confirmation(randomUUID())
    confirmed = true
    if (message.kind === 'events') await reply.events(message.events)
    else if (message.kind === 'caughtUp') await reply.caughtUp()
    else if (message.kind === 'fellBehind') await reply.fellBehind()
  }
  subscriptionOver(reading)
}
