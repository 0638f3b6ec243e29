// What groups do over the official client: what survives a stop, a change and a replay, and what is told of them. What a real server
// answers case by case is in ../observed.test.ts.
import {
  END,
  type EventStoreDBClient,
  eventTypeFilter,
  jsonEvent,
  persistentSubscriptionToAllSettingsFromDefaults,
  persistentSubscriptionToStreamSettingsFromDefaults,
  START,
} from '@eventstore/db-client'
import { describe, expect, it } from 'vitest'
import type { EventStore } from '../../../src/log/event-store.js'
import { openMemoryStore } from '../../../src/stores/memory/memory-store.js'
import { collect, serve } from '../served.js'
import { appendNumbers, consume, createGroup, until } from './groups.js'

const PARKED = '$persistentsubscription-orders::clerks-parked'

function infoOf(client: EventStoreDBClient) {
  return client.getPersistentSubscriptionToStreamInfo('orders', 'clerks')
}

/** Serves a store, lets something happen and stops in order. */
async function whileServed(store: EventStore, happen: (client: EventStoreDBClient) => Promise<void>): Promise<void> {
  const served = await serve({ store })
  await happen(served.client)
  await served.stop()
}

describe('a group that is stopped in order', () => {
  it('gives nothing again that was acknowledged, in whatever order, and all that was not', async () => {
    const store = openMemoryStore()
    await whileServed(store, async (client) => {
      await appendNumbers(client, 'orders', [0, 1, 2, 3, 4, 5])
      await createGroup(client, 'orders')
      const { got } = consume(client, 'orders', { decide: (n) => (n === 0 || n === 3 ? 'nothing' : 'ack') })
      await until(() => got.length === 6)
    })
    await whileServed(store, async (client) => {
      await appendNumbers(client, 'orders', [6])
      const { got } = consume(client, 'orders')
      await until(() => got.includes('6'))
      expect(got).toEqual(['0', '3', '6'])
    })
  })

  it('remembers over two stops what the second run did not come to', async () => {
    const store = openMemoryStore()
    const numbers = Array.from({ length: 40 }, (_, n) => n)
    await whileServed(store, async (client) => {
      await appendNumbers(client, 'orders', numbers)
      await createGroup(client, 'orders', { historyBufferSize: 4, readBatchSize: 1 })
      const { got } = consume(client, 'orders', { decide: (n) => (n % 2 === 0 ? 'nothing' : 'ack') })
      await until(() => got.length === 40)
    })
    await whileServed(store, async (client) => {
      const { got } = consume(client, 'orders', { bufferSize: 2, decide: (n) => (n === 0 ? 'ack' : 'nothing') })
      await until(() => got.length === 3)
    })
    await whileServed(store, async (client) => {
      await appendNumbers(client, 'orders', [40])
      const { got } = consume(client, 'orders')
      await until(() => got.includes('40'))
      expect(got).toEqual([...numbers.filter((n) => n > 0 && n % 2 === 0), 40].map(String))
    })
  })

  it('gives nothing again that was acknowledged while it stopped', async () => {
    const store = openMemoryStore()
    const acked = new Set<string>()
    const again: string[] = []
    for (let stop = 0; stop < 4; stop++) {
      await whileServed(store, async (client) => {
        await appendNumbers(
          client,
          'orders',
          Array.from({ length: 200 }, (_, n) => stop * 200 + n),
        )
        if (stop === 0) await createGroup(client, 'orders')
        const before = acked.size
        const decide = (n: number) => {
          if (acked.has(`${n}`)) again.push(`${n}`)
          acked.add(`${n}`)
          return 'ack' as const
        }
        consume(client, 'orders', { decide })
        consume(client, 'orders', { decide })
        await until(() => acked.size > before + 50)
      })
    }
    expect(again).toEqual([])
  })

  it('tells its consumers so, and keeps its settings and what is parked', async () => {
    const store = openMemoryStore()
    const served = await serve({ store })
    await appendNumbers(served.client, 'orders', [0, 1])
    await createGroup(served.client, 'orders', { maxRetryCount: 7, consumerStrategyName: 'Pinned' })
    const { got, errors } = consume(served.client, 'orders', { decide: () => 'park' })
    await until(() => got.length === 2)
    await served.stop()
    await until(() => errors.length > 0)
    expect(errors).toMatchObject([{ type: 'persistent-subscription-dropped', code: 1 }])
    await whileServed(store, async (client) => {
      const { settings, stats } = await infoOf(client)
      expect(settings).toMatchObject({ maxRetryCount: 7, consumerStrategyName: 'Pinned' })
      expect(stats).toMatchObject({ parkedMessageCount: 2n, lastCheckpointedEventRevision: 1n })
    })
  })
})

describe('a group that begins at the end', () => {
  it('gets what comes after it was made, also over a stop, a change and without a consumer', async () => {
    const store = openMemoryStore()
    await whileServed(store, async (client) => {
      await appendNumbers(client, 'orders', [0, 1])
      await createGroup(client, 'orders', { startFrom: END })
      await appendNumbers(client, 'orders', [2])
    })
    await whileServed(store, async (client) => {
      const changed = persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: END, maxRetryCount: 3 })
      await client.updatePersistentSubscriptionToStream('orders', 'clerks', changed)
      const { got } = consume(client, 'orders')
      await until(() => got.length === 1)
      expect(got).toEqual(['2'])
    })
  })
})

describe('a group that is changed', () => {
  it('goes on where it was, whatever start the change names', async () => {
    const { client } = await serve()
    await appendNumbers(client, 'orders', [0, 1])
    await createGroup(client, 'orders')
    const before = consume(client, 'orders')
    await until(() => before.got.length === 2)
    const changed = persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: START, bufferSize: 3 } as object)
    await client.updatePersistentSubscriptionToStream('orders', 'clerks', changed)
    await until(() => before.errors.length > 0)
    await appendNumbers(client, 'orders', [2])
    const after = consume(client, 'orders')
    await until(() => after.got.length > 0)
    expect(after.got).toEqual(['2'])
  })

  it('begins at its new start where it has not begun', async () => {
    const { client } = await serve()
    await appendNumbers(client, 'orders', [0, 1, 2])
    await createGroup(client, 'orders', { startFrom: END })
    const changed = persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: 1n })
    await client.updatePersistentSubscriptionToStream('orders', 'clerks', changed)
    const { got } = consume(client, 'orders')
    await until(() => got.length === 2)
    expect(got).toEqual(['1', '2'])
  })
})

describe('a group that is deleted', () => {
  it('takes what it kept with it: another of its name begins anew', async () => {
    const { client } = await serve()
    await appendNumbers(client, 'orders', [0, 1])
    await createGroup(client, 'orders')
    const before = consume(client, 'orders', { decide: (n) => (n === 0 ? 'park' : 'ack') })
    await until(() => before.got.length === 2)
    await client.deletePersistentSubscriptionToStream('orders', 'clerks')
    await createGroup(client, 'orders')
    expect((await infoOf(client)).stats.parkedMessageCount).toBe(0n)
    const after = consume(client, 'orders')
    await until(() => after.got.length === 2)
    expect(after.got).toEqual(['0', '1'])
  })
})

describe('a group that is deleted while it is consumed', () => {
  it('leaves nothing to the next of its name, whatever is on its way', async () => {
    const { client, store } = await serve()
    await appendNumbers(
      client,
      'orders',
      Array.from({ length: 300 }, (_, n) => n),
    )
    for (let round = 0; round < 5; round++) {
      await createGroup(client, 'orders', { checkPointLowerBound: 1, checkPointUpperBound: 1, checkPointAfter: 0 })
      const { got, errors } = consume(client, 'orders', { decide: (n) => (n % 20 === 0 ? 'park' : 'ack') })
      await until(() => got.length >= 50 * round + 1)
      expect(got[0]).toBe('0')
      await client.deletePersistentSubscriptionToStream('orders', 'clerks')
      await until(() => errors.length > 0)
    }
    await createGroup(client, 'orders')
    expect((await store.readStream('$persistentsubscription-orders::clerks-checkpoint')).kind).toBe('missing')
    expect((await infoOf(client)).stats).toMatchObject({ parkedMessageCount: 0n })
  })
})

describe('parked events', () => {
  it('that were replayed and not acknowledged are parked again when the server stops, and only they', async () => {
    const store = openMemoryStore()
    await whileServed(store, async (client) => {
      await appendNumbers(client, 'orders', [0, 1, 2])
      await createGroup(client, 'orders')
      let decision: 'park' | 'replayed' = 'park'
      const { got } = consume(client, 'orders', {
        decide: (n) => (decision === 'park' ? 'park' : n === 1 ? 'ack' : 'nothing'),
      })
      await until(async () => (await infoOf(client)).stats.parkedMessageCount === 3n)
      decision = 'replayed'
      await client.replayParkedMessagesToStream('orders', 'clerks')
      await until(() => got.length === 6)
    })
    await whileServed(store, async (client) => {
      expect((await infoOf(client)).stats.parkedMessageCount).toBe(2n)
      const { got } = consume(client, 'orders')
      await client.replayParkedMessagesToStream('orders', 'clerks')
      await until(() => got.length === 2)
      expect(got).toEqual(['0', '2'])
    })
  })

  it('that are parked once more lead to the event itself, not to where it was parked', async () => {
    const { client } = await serve()
    await appendNumbers(client, 'orders', [0])
    await createGroup(client, 'orders')
    const { got } = consume(client, 'orders', { decide: () => 'park' })
    await until(async () => (await infoOf(client)).stats.parkedMessageCount === 1n)
    await client.replayParkedMessagesToStream('orders', 'clerks')
    await until(async () => got.length === 2 && (await infoOf(client)).stats.parkedMessageCount === 1n)
    const links = await collect(client.readStream(PARKED, { resolveLinkTos: true }))
    expect(links.map(({ event }) => event?.streamId)).toEqual(['orders'])
    expect(links[0]?.link?.revision).toBe(1n)
  })

  it('are counted as they stand in their stream, whoever truncates it', async () => {
    const { client } = await serve()
    await appendNumbers(client, 'orders', [0, 1, 2])
    await createGroup(client, 'orders')
    consume(client, 'orders', { decide: () => 'park' })
    await until(async () => (await infoOf(client)).stats.parkedMessageCount === 3n)
    await client.setStreamMetadata(PARKED, { truncateBefore: 2 })
    expect((await infoOf(client)).stats.parkedMessageCount).toBe(1n)
  })
})

describe('a group over $all', () => {
  const ALL = persistentSubscriptionToAllSettingsFromDefaults

  it('gives what its filter wants, from a position on (inclusive), over a stop', async () => {
    const store = openMemoryStore()
    await whileServed(store, async (client) => {
      await appendNumbers(client, 'orders', [0])
      const { position } = await appendNumbers(client, 'invoices', [1])
      await client.appendToStream('orders', jsonEvent({ type: 'Noted', data: { n: 2 } }))
      await appendNumbers(client, 'orders', [3])
      if (!position) throw new Error('The append has no position')
      const filter = eventTypeFilter({ regex: '^Coun' })
      await client.createPersistentSubscriptionToAll('clerks', ALL({ startFrom: position }), { filter })
      const { got } = consume(client, '$all', { decide: (n) => (n === 1 ? 'nothing' : 'ack') })
      await until(() => got.length === 2)
      expect(got).toEqual(['1', '3'])
    })
    await whileServed(store, async (client) => {
      await appendNumbers(client, 'orders', [4])
      const { got } = consume(client, '$all')
      await until(() => got.length === 2)
      expect(got).toEqual(['1', '4'])
      const { eventSource, stats } = await client.getPersistentSubscriptionToAllInfo('clerks')
      expect(eventSource).toBe('$all')
      expect(stats.lastKnownEventPosition).toBeDefined()
    })
  })

  it('is given nothing of what groups write, and so is not kept busy by its own checkpoints', async () => {
    const { client, store } = await serve()
    const busy = ALL({ startFrom: END, checkPointLowerBound: 1, checkPointUpperBound: 1, checkPointAfter: 0 })
    await client.createPersistentSubscriptionToAll('clerks', busy)
    const { got } = consume(client, '$all')
    await appendNumbers(client, 'orders', [0])
    await until(() => got.length === 1)
    const stream = '$persistentsubscription-$all::clerks-checkpoint'
    await until(async () => (await store.readStream(stream)).kind === 'found')
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect(await collect(client.readStream(stream))).toHaveLength(1)
    expect(got).toEqual(['0'])
  })

  it('cannot begin where no record stands', async () => {
    const { client } = await serve()
    const { position } = await appendNumbers(client, 'orders', [0, 1])
    const startFrom = { commit: (position?.commit ?? 0n) - 1n, prepare: 0n }
    const creating = client.createPersistentSubscriptionToAll('clerks', ALL({ startFrom }))
    await expect(creating).rejects.toMatchObject({ type: 'persistent-subscription-failed', code: 13 })
  })
})

describe('what is told of a group', () => {
  it('is what happened: who consumes, what it holds, how long it takes, how far the group is', async () => {
    const { client } = await serve()
    await appendNumbers(client, 'orders', [0, 1, 2])
    await createGroup(client, 'orders', { extraStatistics: true, checkPointUpperBound: 1, checkPointLowerBound: 1 })
    const { got } = consume(client, 'orders', { bufferSize: 2, decide: (n) => (n === 0 ? 'ack' : 'nothing') })
    await until(() => got.length === 3)
    await until(async () => (await infoOf(client)).stats.lastCheckpointedEventRevision === 0n)
    const { connections, stats, status } = await infoOf(client)
    expect(status).toBe('Live')
    expect(stats).toMatchObject({ totalItems: 3n, totalInFlightMessages: 2, readBufferCount: 0 })
    expect(stats.lastKnownEventRevision).toBe(2n)
    expect(connections).toMatchObject([{ totalItems: 3n, inFlightMessages: 2, availableSlots: 0, username: 'system' }])
    expect(connections[0]?.extraStatistics?.get('highest' as never)).toBeDefined()
  })

  it('is Live without a consumer while all that waits would find room, and then Behind', async () => {
    const { client } = await serve()
    await appendNumbers(client, 'orders', [0, 1, 2])
    await createGroup(client, 'orders', { historyBufferSize: 4, readBatchSize: 1 })
    const whole = persistentSubscriptionToAllSettingsFromDefaults({
      historyBufferSize: 10,
      readBatchSize: 1,
      startFrom: END,
    })
    await client.createPersistentSubscriptionToAll('clerks', whole)
    const statuses = async () => [
      (await infoOf(client)).status,
      (await client.getPersistentSubscriptionToAllInfo('clerks')).status,
    ]
    expect(await statuses()).toEqual(['Live', 'Live'])
    await appendNumbers(client, 'orders', [3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    expect(await statuses()).toEqual(['Behind', 'Behind'])
  })

  it('is Behind while more waits than it may hold', async () => {
    const { client } = await serve()
    await appendNumbers(client, 'orders', [0, 1, 2, 3, 4, 5])
    await createGroup(client, 'orders', { historyBufferSize: 2, readBatchSize: 1 })
    const { got } = consume(client, 'orders', { bufferSize: 1, decide: () => 'nothing' })
    await until(() => got.length === 1)
    expect((await infoOf(client)).status).toBe('Behind')
  })

  it('is told of all groups, and of those of a stream', async () => {
    const { client } = await serve()
    expect(await client.listAllPersistentSubscriptions()).toEqual([])
    await createGroup(client, 'orders')
    await createGroup(client, 'invoices')
    const all = await client.listAllPersistentSubscriptions()
    expect(all.map(({ eventSource }) => eventSource)).toEqual(['orders', 'invoices'])
    const some = await client.listPersistentSubscriptionsToStream('invoices')
    expect(some.map(({ eventSource }) => eventSource)).toEqual(['invoices'])
  })
})

describe('names', () => {
  it('of two groups that would share their streams exclude each other', async () => {
    const { client } = await serve()
    const settings = persistentSubscriptionToStreamSettingsFromDefaults()
    await client.createPersistentSubscriptionToStream('a::b', 'c', settings)
    const creating = client.createPersistentSubscriptionToStream('a', 'b::c', settings)
    await expect(creating).rejects.toMatchObject({ type: 'persistent-subscription-exists' })
    const asking = client.getPersistentSubscriptionToStreamInfo('a', 'b::c')
    await expect(asking).rejects.toMatchObject({ type: 'persistent-subscription-does-not-exist' })
  })
})
