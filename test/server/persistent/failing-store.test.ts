// A store that fails now and then under a group: what cannot be parked, read or kept is tried again, and nothing is lost or given twice.
import { expect, it } from 'vitest'
import type { AppendResult, EventStore } from '../../../src/log/event-store.js'
import { StoreUnavailableError } from '../../../src/log/store-errors.js'
import { openMemoryStore } from '../../../src/stores/memory/memory-store.js'
import { serve } from '../served.js'
import { appendNumbers, consume, createGroup, until } from './groups.js'

/** The same store, but for some of its methods. */
function withMethods(store: EventStore, changed: Partial<EventStore>): EventStore {
  return new Proxy(store, {
    get: (target, name: keyof EventStore) => changed[name] ?? target[name]?.bind(target),
  })
}

/** Fails each append to streams whose name ends so, for so many times. */
function failingAppends(store: EventStore, suffix: string, failures: (() => AppendResult)[]): EventStore {
  return withMethods(store, {
    append: async (stream, events, expected) => {
      const failure = stream.endsWith(suffix) ? failures.shift() : undefined
      return failure ? failure() : store.append(stream, events, expected)
    },
  })
}

function unavailable(): never {
  throw new StoreUnavailableError('The disk is full')
}

it('an event that cannot be parked comes again, until it is parked', async () => {
  const errors: unknown[] = []
  const failures = [unavailable, () => ({ kind: 'unknown', message: 'no answer' }) as const]
  const store = failingAppends(openMemoryStore(), '-parked', failures)
  const { client } = await serve({ store, onInternalError: (error) => errors.push(error) })
  await appendNumbers(client, 'orders', [0])
  await createGroup(client, 'orders')
  const { got } = consume(client, 'orders', { decide: () => 'park' })
  await until(async () => {
    const info = await client.getPersistentSubscriptionToStreamInfo('orders', 'clerks')
    return info.stats.parkedMessageCount === 1n
  })
  expect(got).toEqual(['0', '0', '0'])
  expect(errors).toMatchObject([{ name: 'StoreUnavailableError' }])
})

it('a source that fails is read on from where it failed', async () => {
  const memory = openMemoryStore()
  let failures = 2
  const store = withMethods(memory, {
    subscribeToStream: async function* (stream, options) {
      for await (const message of memory.subscribeToStream(stream, options)) {
        if (message.kind === 'events' && failures > 0) {
          failures -= 1
          yield { kind: 'events', events: message.events.slice(0, 2) }
          throw new StoreUnavailableError('The disk was pulled out')
        }
        yield message
      }
    },
  })
  const { client } = await serve({ store })
  await appendNumbers(client, 'orders', [0, 1, 2, 3, 4, 5])
  await createGroup(client, 'orders')
  const { got } = consume(client, 'orders')
  await until(() => got.length >= 6)
  expect(got).toEqual(['0', '1', '2', '3', '4', '5'])
  expect(failures).toBe(0)
})

it('a checkpoint that cannot be written is made up for by the next, and at the latest when the group stops', async () => {
  const memory = openMemoryStore()
  const store = failingAppends(memory, '-checkpoint', [unavailable, unavailable])
  const first = await serve({ store })
  await appendNumbers(first.client, 'orders', [0, 1])
  await createGroup(first.client, 'orders', { checkPointUpperBound: 1, checkPointLowerBound: 1 })
  const before = consume(first.client, 'orders')
  await until(() => before.got.length === 2)
  await first.stop()
  const second = await serve({ store })
  await appendNumbers(second.client, 'orders', [2])
  const after = consume(second.client, 'orders')
  await until(() => after.got.length > 0)
  expect(after.got).toEqual(['2'])
})

it('a change of a group that cannot be written leaves it as it was', async () => {
  const failures: (() => AppendResult)[] = []
  const { client } = await serve({ store: failingAppends(openMemoryStore(), 'SubscriptionConfig', failures) })
  await appendNumbers(client, 'orders', [0])
  await createGroup(client, 'orders')
  const { got, errors } = consume(client, 'orders')
  await until(() => got.length === 1)
  failures.push(
    unavailable,
    () => ({ kind: 'conflict', actual: 7 }),
    () => ({ kind: 'unknown', message: 'no answer' }),
  )
  for (const code of [14, 14, 10]) {
    const deleting = client.deletePersistentSubscriptionToStream('orders', 'clerks')
    await expect(deleting).rejects.toMatchObject({ code })
  }
  await appendNumbers(client, 'orders', [1])
  await until(() => got.length === 2)
  expect(errors).toEqual([])
  await client.deletePersistentSubscriptionToStream('orders', 'clerks')
})
