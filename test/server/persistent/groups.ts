// Consumers of groups for tests, over the official client and by hand.
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import {
  type EventStoreDBClient,
  jsonEvent,
  type PersistentSubscriptionToStreamSettings,
  persistentSubscriptionToStreamSettingsFromDefaults,
  START,
} from '@eventstore/db-client'
import persistent from '@eventstore/db-client/generated/persistent_pb.js'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import { onTestFinished, vi } from 'vitest'
import { beginCall, framed } from '../raw-call.js'

export const PERSISTENT = '/event_store.client.persistent_subscriptions.PersistentSubscriptions'

/** Waits until it is true; fails after 20 seconds. */
export function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const check = async () => {
    if (!(await isTrue())) throw new Error('It did not become true')
  }
  return vi.waitFor(check, { timeout: 20_000, interval: 10 })
}

/** Appends events with these numbers as data. */
export async function appendNumbers(client: EventStoreDBClient, stream: string, numbers: readonly number[]) {
  const events = numbers.map((n) => jsonEvent({ type: 'Counted', data: { n } }))
  return client.appendToStream(stream, events)
}

export async function createGroup(
  client: EventStoreDBClient,
  stream: string,
  settings: Partial<PersistentSubscriptionToStreamSettings> = {},
): Promise<void> {
  const whole = persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: START, ...settings })
  await client.createPersistentSubscriptionToStream(stream, 'clerks', whole)
}

/** What a consumer does with a number: an answer, or nothing. */
export type Decision = 'ack' | 'park' | 'retry' | 'skip' | 'nothing'

export interface Consumer {
  /** The numbers that came, in their order; `1+2` is 1 for the third time. */
  readonly got: string[]
  readonly errors: Error[]
  leave(): Promise<void>
}

/** Consumes `clerks` of a stream, or of `$all`, and decides on each number that comes. */
export function consume(
  client: EventStoreDBClient,
  stream: string,
  { decide = () => 'ack', bufferSize = 50 }: { decide?: (n: number) => Decision; bufferSize?: number } = {},
): Consumer {
  const got: string[] = []
  const errors: Error[] = []
  const subscription =
    stream === '$all'
      ? client.subscribeToPersistentSubscriptionToAll('clerks', { bufferSize })
      : client.subscribeToPersistentSubscriptionToStream(stream, 'clerks', { bufferSize })
  subscription.on('error', (error) => errors.push(error))
  subscription.on('data', (resolved) => {
    const { n } = (resolved.event?.data ?? {}) as { n: number }
    got.push(resolved.retryCount > 0 ? `${n}+${resolved.retryCount}` : `${n}`)
    const decision = decide(n)
    if (decision === 'ack') void subscription.ack(resolved)
    else if (decision !== 'nothing') void subscription.nack(decision, 'because', resolved)
  })
  onTestFinished(() => subscription.unsubscribe())
  return { got, errors, leave: () => subscription.unsubscribe() }
}

/** The first message of a consumer. */
export function readOptions(stream: string, bufferSize: number): persistent.ReadReq {
  const options = new persistent.ReadReq.Options()
    .setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from(stream)))
    .setGroupName('clerks')
    .setBufferSize(bufferSize)
    .setUuidOption(new persistent.ReadReq.Options.UUIDOption().setString(new shared.Empty()))
  return new persistent.ReadReq().setOptions(options)
}

export function ackOf(...ids: readonly string[]): persistent.ReadReq {
  const uuids = ids.map((id) => new shared.UUID().setString(id))
  return new persistent.ReadReq().setAck(new persistent.ReadReq.Ack().setIdsList(uuids))
}

/** A consumer that says what it is told to. */
export function consumeRaw(session: ClientHttp2Session, stream: string, bufferSize = 50): ClientHttp2Stream {
  const call = beginCall(session, `${PERSISTENT}/Read`)
  call.write(framed(readOptions(stream, bufferSize)))
  return call
}
