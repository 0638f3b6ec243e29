// Consumers that do not keep to the protocol: the group and its other consumers go on, and nothing is lost.
import { once } from 'node:events'
import type { ClientHttp2Session } from 'node:http2'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { binaryEvent, jsonEvent, persistentSubscriptionToStreamSettingsFromDefaults } from '@eventstore/db-client'
import persistent from '@eventstore/db-client/generated/persistent_pb.js'
import shared from '@eventstore/db-client/generated/shared_pb.js'
import { describe, expect, it, onTestFinished } from 'vitest'
import { answerOf, callRaw, connectRaw, framed, type RawAnswer } from '../raw-call.js'
import { collect, type Served, serve } from '../served.js'
import { ackOf, appendNumbers, consume, consumeRaw, createGroup, PERSISTENT, readOptions, until } from './groups.js'

const NUMBERS = [0, 1, 2, 3, 4, 5, 6, 7]

/** A server with a group over events, and a connection to say anything by. */
async function serveGroup(): Promise<{ served: Served; session: ClientHttp2Session }> {
  const served = await serve()
  await appendNumbers(served.client, 'orders', NUMBERS)
  await createGroup(served.client, 'orders')
  return { served, session: connectRaw(served.port) }
}

function textOf({ messages }: RawAnswer): string {
  return Buffer.concat(messages).toString('latin1')
}

/** The ids of the events that a consumer was sent. */
function idsIn({ messages }: RawAnswer): string[] {
  return messages.flatMap((message) => {
    const event = persistent.ReadResp.deserializeBinary(message).getEvent()?.getEvent()
    return event ? [event.getId()?.getString() ?? ''] : []
  })
}

describe('a consumer', () => {
  it.each([
    ['bytes that are no message', framed(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x01])), 2],
    ['a message without content', framed(new persistent.ReadReq()), 2],
    ['its options once more', framed(readOptions('orders', 10)), 2],
    ['a message without end', Buffer.from([0, 0, 0, 1, 0, 1, 2]), 3],
    ['a message that is too large', Buffer.from([0, 0xff, 0xff, 0xff, 0xff]), 8],
  ])('that sends %s is shut out, and what it held goes to another', async (_name, sent, code) => {
    const { served, session } = await serveGroup()
    const call = consumeRaw(session, 'orders')
    const answer = answerOf(call)
    await once(call, 'data')
    call.end(sent)
    expect(await answer).toMatchObject({ code })
    const { got } = consume(served.client, 'orders')
    await until(() => got.length === NUMBERS.length)
    expect(got).toEqual(NUMBERS.map((n) => `${n}+1`))
  })

  it('that answers for what it never got, or twice, settles nothing of the others', async () => {
    const { served, session } = await serveGroup()
    const inFlight = async () => {
      const { stats } = await served.client.getPersistentSubscriptionToStreamInfo('orders', 'clerks')
      return [stats.totalItems, stats.totalInFlightMessages]
    }
    const other = consumeRaw(session, 'orders', 4)
    const otherEnd = answerOf(other)
    await until(async () => isDeepStrictEqual(await inFlight(), [4n, 4]))
    const bad = consumeRaw(session, 'orders', 4)
    const badEnd = answerOf(bad)
    await until(async () => isDeepStrictEqual(await inFlight(), [8n, 8]))
    const resolved = await collect(served.client.readStream('orders'))
    const events = resolved.map(({ event }) => event?.id ?? '')
    bad.write(framed(ackOf(...events, ...events, crypto.randomUUID(), 'no id', '')))
    await until(async () => isDeepStrictEqual(await inFlight(), [8n, 4]))
    bad.close()
    expect(idsIn(await badEnd)).toEqual(events.slice(4))
    other.close()
    expect(idsIn(await otherEnd)).toEqual(events.slice(0, 4))
    const { got } = consume(served.client, 'orders')
    await until(() => got.length === 4)
    expect(got).toEqual(['0+1', '1+1', '2+1', '3+1'])
  })

  it('that never reads is given no more than it can be sent, and another gets the rest at once', async () => {
    const { client, port } = await serve()
    await createGroup(client, 'large', { messageTimeout: 600_000 })
    const stalled = consumeRaw(connectRaw(port), 'large', 1_000_000)
    await once(stalled, 'readable')
    const revisions = new Set<bigint | undefined>()
    const subscription = client.subscribeToPersistentSubscriptionToStream('large', 'clerks', { bufferSize: 100 })
    subscription.on('data', (resolved) => {
      revisions.add(resolved.event?.revision)
      void subscription.ack(resolved)
    })
    for (let n = 0; n < 40; n++) {
      await client.appendToStream('large', binaryEvent({ type: 'Large', data: Buffer.alloc(200_000, 1) }))
    }
    await until(() => revisions.size >= 30)
    const { connections } = await client.getPersistentSubscriptionToStreamInfo('large', 'clerks')
    expect(connections[0]?.totalItems).toBeLessThan(10)
    stalled.close()
    await until(() => revisions.size === 40)
    await subscription.unsubscribe()
  })

  it('that asks for more than can be sent at a time gets all of it all the same', async () => {
    const { client } = await serve()
    const events = () => Array.from({ length: 100 }, () => binaryEvent({ type: 'Large', data: Buffer.alloc(1_000, 1) }))
    for (let n = 0; n < 30; n++) await client.appendToStream('large', events())
    await createGroup(client, 'large')
    const revisions = new Set<bigint | undefined>()
    const subscription = client.subscribeToPersistentSubscriptionToStream('large', 'clerks', { bufferSize: 3_000 })
    subscription.on('data', (resolved) => revisions.add(resolved.event?.revision))
    await until(() => revisions.size === 3_000)
    await subscription.unsubscribe()
  })

  it('that sends its last answer goes on reading', async () => {
    const { served, session } = await serveGroup()
    const call = consumeRaw(session, 'orders', 10)
    const answer = answerOf(call)
    call.end()
    await once(call, 'data')
    await appendNumbers(served.client, 'orders', [1_234])
    let text = ''
    call.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
    })
    await until(() => text.includes('1234'))
    call.close()
    expect(textOf(await answer)).toContain('1234')
  })

  it('that goes on answering when its group is gone holds up nothing, not even a stop of the server', async () => {
    const { client, port, stop } = await serve({ drainMs: 60_000 })
    await appendNumbers(client, 'orders', NUMBERS)
    await createGroup(client, 'orders')
    const call = consumeRaw(connectRaw(port), 'orders')
    const answer = answerOf(call)
    await once(call, 'data')
    const answers = framed(ackOf(...Array.from({ length: 500 }, () => crypto.randomUUID())))
    const flood = setInterval(() => call.writable && call.write(answers), 0)
    onTestFinished(() => clearInterval(flood))
    await client.deletePersistentSubscriptionToStream('orders', 'clerks')
    expect(await answer).toMatchObject({ code: 1 })
    clearInterval(flood)
    await client.dispose()
    const stopped = await Promise.race([stop().then(() => 'stopped'), sleep(20_000, 'held up', { ref: false })])
    expect(stopped).toBe('stopped')
  })

  it('that breaks off leaves what it held to another', async () => {
    const { served, session } = await serveGroup()
    await once(consumeRaw(session, 'orders'), 'data')
    session.destroy()
    const { got } = consume(served.client, 'orders')
    await until(() => got.length === NUMBERS.length)
    expect(got).toEqual(NUMBERS.map((n) => `${n}+1`))
  })
})

describe('a request for a group', () => {
  const creating = (settings: persistent.CreateReq.Settings | undefined, revision = '0') => {
    const orders = new shared.StreamIdentifier().setStreamName(Buffer.from('orders'))
    const stream = new persistent.CreateReq.StreamOptions().setStreamIdentifier(orders).setRevision(revision)
    const options = new persistent.CreateReq.Options().setStream(stream).setGroupName('clerks').setSettings(settings)
    return framed(new persistent.CreateReq().setOptions(options))
  }
  const SOME = new persistent.CreateReq.Settings().setReadBatchSize(1).setHistoryBufferSize(10)

  it.each([
    ['without options', 'Create', framed(new persistent.CreateReq()), 2],
    ['without settings', 'Create', creating(undefined), 13],
    ['from a revision that is none', 'Create', creating(SOME, String(2n ** 63n)), 2],
    ['that is no message', 'Create', framed(Buffer.from([0xff])), 2],
    ['to change without options', 'Update', framed(new persistent.UpdateReq()), 2],
    ['to delete without options', 'Delete', framed(new persistent.DeleteReq()), 2],
    [
      'to delete without a name',
      'Delete',
      framed(new persistent.DeleteReq().setOptions(new persistent.DeleteReq.Options())),
      2,
    ],
    ['to list without options', 'List', framed(new persistent.ListReq()), 2],
    ['to replay without options', 'ReplayParked', framed(new persistent.ReplayParkedReq()), 2],
    ['to know without options', 'GetInfo', framed(new persistent.GetInfoReq()), 2],
    ['to consume without options', 'Read', framed(new persistent.ReadReq()), 2],
  ])('%s is refused', async (_name, method, sent, code) => {
    const { port } = await serve()
    const { code: got } = await callRaw(connectRaw(port), `${PERSISTENT}/${method}`, sent)
    expect(got).toBe(code)
  })

  it('with settings beyond all measure is taken, and the group works', async () => {
    const { client, port } = await serve()
    await appendNumbers(client, 'orders', [0, 1])
    const settings = SOME.clone()
      .setMessageTimeoutTicks(String(2n ** 62n))
      .setCheckpointAfterTicks(String(-(2n ** 62n)))
      .setMaxRetryCount(2 ** 31 - 1)
      .setMinCheckpointCount(-5)
      .setMaxCheckpointCount(-(2 ** 31))
      .setMaxSubscriberCount(-1)
      .setLiveBufferSize(-1)
    expect(await callRaw(connectRaw(port), `${PERSISTENT}/Create`, creating(settings))).toMatchObject({ code: 0 })
    const { got } = consume(client, 'orders')
    await until(() => got.length === 2)
    const info = await client.getPersistentSubscriptionToStreamInfo('orders', 'clerks')
    expect(info.settings).toMatchObject({ messageTimeout: 2 ** 31 - 1, checkPointAfter: -(2 ** 31) })
  })

  it('with a name of thousands of characters is taken, and the group keeps its place', async () => {
    const { client } = await serve()
    const [stream, group] = ['s'.repeat(3_000), 'g\n\u0000 🙂'.repeat(500)]
    await client.appendToStream(stream, jsonEvent({ type: 'Counted', data: { n: 0 } }))
    const settings = persistentSubscriptionToStreamSettingsFromDefaults({
      checkPointUpperBound: 1,
      startFrom: 0n as never,
    })
    await client.createPersistentSubscriptionToStream(stream, group, settings)
    const subscription = client.subscribeToPersistentSubscriptionToStream(stream, group)
    subscription.on('data', (resolved) => void subscription.ack(resolved))
    await until(async () => {
      const { stats } = await client.getPersistentSubscriptionToStreamInfo(stream, group)
      return stats.lastCheckpointedEventRevision === 0n
    })
    await subscription.unsubscribe()
  })
})
