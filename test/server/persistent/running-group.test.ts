// What must hold of a group at work at moments that no client can bring about.
import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import { jsonEvent } from '../../../src/log/event.js'
import type { EventStore } from '../../../src/log/event-store.js'
import type { GroupDefinition } from '../../../src/server/persistent/group-definition.js'
import { PersistentSubscriptions } from '../../../src/server/persistent/persistent-subscriptions.js'
import { RunningGroup } from '../../../src/server/persistent/running-group.js'
import { openMemoryStore } from '../../../src/stores/memory/memory-store.js'
import { until } from './groups.js'

const CHECKPOINTS = '$persistentsubscription-orders::clerks-checkpoint'

const DEFINITION: GroupDefinition = {
  source: 'orders',
  group: 'clerks',
  startFrom: '0',
  settings: {
    resolveLinks: false,
    extraStatistics: false,
    messageTimeoutMs: 30_000,
    maxRetryCount: 10,
    checkpointAfterMs: 2_000,
    checkpointAtLeast: 1,
    checkpointAtMost: 1,
    maxSubscriberCount: 0,
    liveBufferSize: 500,
    readBatchSize: 20,
    historyBufferSize: 500,
    strategy: 'RoundRobin',
  },
}

async function storeWithOrders(): Promise<EventStore> {
  const store = openMemoryStore()
  const events = [0, 1].map((n) => jsonEvent({ id: randomUUID(), type: 'Counted', data: { n } }))
  await store.append('orders', events, 'noStream')
  return store
}

function surroundingsOf(store: EventStore) {
  return {
    store,
    onError: (error: unknown) => {
      throw error
    },
  }
}

/** A consumer and the ids of what it was given. */
function joinTo(group: RunningGroup) {
  const ids: string[] = []
  const dropped: Error[] = []
  const membership = group.join({
    username: 'clerk',
    connectionName: '',
    slots: 10,
    give: ({ event }) => ids.push(event?.id ?? ''),
    drop: (reason) => dropped.push(reason),
  })
  membership.ready()
  return { ids, dropped, membership }
}

it.each(['delete', 'stop'] as const)('an answer that comes after %s changes nothing', async (end) => {
  const store = await storeWithOrders()
  const group = await RunningGroup.start(DEFINITION, surroundingsOf(store))
  const { ids, dropped, membership } = joinTo(group)
  await until(() => ids.length === 2)
  await group[end]()
  membership.ack(ids)
  membership.leave()
  group.tick()
  await new Promise((resolve) => setImmediate(resolve))
  expect((await store.readStream(CHECKPOINTS)).kind).toBe('missing')
  expect(dropped).toMatchObject([{ code: 1 }])
  expect(() => joinTo(group)).toThrow(/was dropped/)
})

it('a group that is made begins anew, whatever a process that was killed has left of its name', async () => {
  const store = await storeWithOrders()
  await store.append(CHECKPOINTS, [jsonEvent({ id: randomUUID(), type: '$SubscriptionCheckpoint', data: '1' })], 'any')
  const groups = await PersistentSubscriptions.open(surroundingsOf(store))
  await groups.create(DEFINITION)
  const { ids } = joinTo(groups.get(DEFINITION))
  await until(() => ids.length === 2)
  await groups.stop()
})

it.each(['"a place"', '5', 'no JSON', '""'])('a checkpoint that says %s is passed over', async (data) => {
  const store = await storeWithOrders()
  const event = {
    ...jsonEvent({ id: randomUUID(), type: '$SubscriptionCheckpoint', data: '' }),
    data: Buffer.from(data),
  }
  await store.append(CHECKPOINTS, [event], 'any')
  const group = await RunningGroup.start(DEFINITION, surroundingsOf(store))
  const { ids } = joinTo(group)
  await until(() => ids.length === 2)
  await group.stop()
})

it('a change in the catalogue that is not to be understood is told and passed over', async () => {
  const store = await storeWithOrders()
  const groups = await PersistentSubscriptions.open(surroundingsOf(store))
  await groups.create(DEFINITION)
  await groups.stop()
  const odd = jsonEvent({ id: randomUUID(), type: '$PersistentSubscriptionSet', data: { source: 7 } })
  const foreign = jsonEvent({ id: randomUUID(), type: '$PersistentConfig1', data: { version: '2' } })
  await store.append('$persistentSubscriptionConfig', [odd, foreign], 'any')
  const errors: unknown[] = []
  const again = await PersistentSubscriptions.open({ store, onError: (error) => errors.push(error) })
  expect(again.all.map(({ definition }) => definition)).toEqual([DEFINITION])
  expect(errors).toMatchObject([{ message: 'Event 1 of $persistentSubscriptionConfig is no change of a group' }])
  await again.stop()
})
