// The pace of a subscription: it reads on only when the consumer asks, and says again that it caught up once it had fallen behind.
import { describe, expect, test } from 'vitest'
import type { EventStore, SubscriptionMessage } from '../../src/log/event-store.js'
import { ChangeSignal } from '../../src/stores/change-signal.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { anEvent, someEvents } from '../controls/events.js'

describe('a subscription', () => {
  test('says caughtUp once, and again after a wake-up that took several runs to read', async () => {
    const store = await storeOf(10)
    const messages = store.subscribeToAll()[Symbol.asyncIterator]()
    expect(await kinds(messages, 2)).toEqual(['events 10', 'caughtUp'])
    await store.append('a-1', someEvents(3), 'any')
    expect(await kinds(messages, 1)).toEqual(['events 3'])
    const next = messages.next()
    for (let i = 0; i < 5; i += 1) await store.append('a-1', someEvents(500), 'any')
    const first = described((await next).value)
    const rest = await kinds(messages, 3)
    const counts = [first, ...rest]
      .filter((kind) => kind.startsWith('events'))
      .map((kind) => Number(kind.split(' ')[1]))
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(2_500)
    expect(rest.at(-1)).toBe('caughtUp')
    await store.close()
  })

  test('reads nothing ahead of its consumer: events appended meanwhile come in one run', async () => {
    const store = await storeOf(1)
    const messages = store.subscribeToStream('a-1')[Symbol.asyncIterator]()
    expect(await kinds(messages, 1)).toEqual(['events 1'])
    for (const event of someEvents(200)) await store.append('a-1', [event], 'any')
    expect(await kinds(messages, 1)).toEqual(['events 200'])
    await store.close()
  })

  test('hears of an event that is appended in the very turn in which it begins to wait', async () => {
    const store = await storeOf(1)
    for (const subscription of [
      store.subscribeToStream('a-1', { after: 'end' }),
      store.subscribeToAll({ after: 'end' }),
    ]) {
      const messages = subscription[Symbol.asyncIterator]()
      expect(await kinds(messages, 1)).toEqual(['caughtUp'])
      const next = messages.next()
      await store.append('a-1', [anEvent()], 'any')
      expect(described((await next).value)).toBe('events 1')
      await messages.return?.()
    }
    await store.close()
  })

  test('a filtered one tells the place it came to where the last records do not match', async () => {
    const store = await storeOf(2)
    await store.append('b-1', [anEvent()], 'any')
    const messages = store.subscribeToAll({ filter: { streamPrefixes: ['a-'] } })[Symbol.asyncIterator]()
    expect(await kinds(messages, 3)).toEqual(['events 2', 'checkpoint', 'caughtUp'])
    await store.close()
  })

  test('five hundred of them all hear of one event, and leave nothing behind', async () => {
    const store = await storeOf(1)
    const ending = new AbortController()
    const all = Array.from({ length: 500 }, () =>
      store.subscribeToStream('a-1', { after: 'end', signal: ending.signal })[Symbol.asyncIterator](),
    )
    for (const messages of all) expect(await kinds(messages, 1)).toEqual(['caughtUp'])
    const heard = Promise.all(all.map((messages) => kinds(messages, 1)))
    await store.append('a-1', [anEvent()], 'any')
    expect(new Set((await heard).flat())).toEqual(new Set(['events 1']))
    const ends = Promise.all(all.map((messages) => messages.next()))
    ending.abort()
    expect((await ends).every(({ done }) => done)).toBe(true)
    await store.close()
  })
})

describe('the signal of changes', () => {
  test('wakes who waits for the stream and who waits for any, and nobody else', async () => {
    const changes = new ChangeSignal()
    const ending = new AbortController()
    const woken: string[] = []
    const waits = ['a', 'b', undefined].map((stream) =>
      changes.next(stream, ending.signal).then(() => woken.push(stream ?? 'any')),
    )
    changes.notify(['a', 'a'])
    await Promise.all([waits[0], waits[2]])
    expect(woken.sort()).toEqual(['a', 'any'])
    expect(changes.awaited).toBe(true)
    changes.notifyAll()
    await waits[1]
    expect(changes.awaited).toBe(false)
  })

  test('lets go of who waits once its signal is aborted, before or during the wait', async () => {
    const changes = new ChangeSignal()
    await changes.next('a', AbortSignal.abort())
    const ending = new AbortController()
    const wait = changes.next('a', ending.signal)
    ending.abort()
    await wait
    expect(changes.awaited).toBe(false)
  })
})

async function storeOf(count: number): Promise<EventStore> {
  const store = openMemoryStore()
  await store.append('a-1', someEvents(count), 'noStream')
  return store
}

async function kinds(messages: AsyncIterator<SubscriptionMessage>, count: number): Promise<string[]> {
  const taken: string[] = []
  while (taken.length < count) taken.push(described((await messages.next()).value))
  return taken
}

function described(message: SubscriptionMessage | undefined): string {
  return message?.kind === 'events' ? `events ${message.events.length}` : (message?.kind ?? 'end')
}
