// Consumer groups through the adapter's port, against a server: made by their settings' real names, consumed, answered, and joined again
// whatever becomes of server, group and connection.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import {
  ALL_EVENTS,
  type Delivery,
  GroupRefusedError,
  groupsOf,
  parkedStreamOf,
} from '../../../src/log/consumer-group.js'
import { jsonEvent } from '../../../src/log/event.js'
import type { EventStore } from '../../../src/log/event-store.js'
import { StoreUnavailableError } from '../../../src/log/store-errors.js'
import { startServer } from '../../../src/server/start-server.js'
import { openMemoryStore } from '../../../src/stores/memory/memory-store.js'
import { eventsOf } from '../../controls/events.js'
import { makeCertificate } from '../../server/certificate.js'
import { serve } from '../../server/served.js'
import { Consumer, type Decide, groups, SETTINGS } from './consumers.js'
import { open, until } from './opened.js'

const NAME = { source: 'orders', group: 'clerks' }
const OF_ALL = { source: ALL_EVENTS, group: 'clerks' }

async function append(store: EventStore, stream: string, words: string, correlation?: string): Promise<void> {
  const metadata = correlation === undefined ? undefined : { $correlationId: correlation }
  const events = words.split(' ').map((word) => jsonEvent({ id: randomUUID(), type: 'Said', data: { word }, metadata }))
  expect(await store.append(stream, events, 'any')).toMatchObject({ kind: 'appended' })
}

describe('a group', () => {
  test('is made once, has the strategy that was asked for by its name, and can be deleted', async () => {
    const store = await open((await serve()).connectionString)
    expect(await groups(store).info(NAME)).toBeUndefined()
    expect(await groups(store).create(NAME, SETTINGS)).toBe('created')
    expect(await groups(store).create(NAME, SETTINGS)).toBe('exists')
    expect(await groups(store).info(NAME)).toEqual({
      strategy: 'PinnedByCorrelation',
      consumers: 0,
      inFlight: 0,
      parked: 0,
    })
    expect(await groups(store).delete(NAME)).toBe('deleted')
    expect(await groups(store).delete(NAME)).toBe('missing')
    await expect(groups(store).replayParked(NAME)).rejects.toMatchObject({ reason: 'missing' })
  })

  test('that the server cannot make is refused with its reason', async () => {
    const store = await open((await serve()).connectionString)
    const settings = { ...SETTINGS, strategy: 'Alphabetical' as 'Pinned' }
    await expect(groups(store).create(NAME, settings)).rejects.toThrow(/Alphabetical does not exist/)
    await expect(groups(store).create(NAME, settings)).rejects.toBeInstanceOf(GroupRefusedError)
  })

  test('is nothing that a store without a server has', () => {
    expect(groupsOf(openMemoryStore())).toBeUndefined()
  })

  test.each([NAME, OF_ALL])(
    'gives each event of $source byte for byte, and what is acknowledged not again',
    async (name) => {
      const store = await open((await serve()).connectionString)
      await append(store, 'orders', 'a b', 'x')
      await append(store, 'other', 'no')
      await groups(store).create(name, { ...SETTINGS, filter: { streamPrefixes: ['orders'] } })
      const first = new Consumer(store, name)
      await append(store, 'orders', 'c')
      await until(() => first.got.length === 3)
      expect(first.words).toEqual(['a', 'b', 'c'])
      expect(first.kinds[0]).toBe('joined')
      expect(first.got.map(({ event }) => event)).toEqual(await eventsOf(store, 'orders'))
      await first.leave()
      const second = new Consumer(store, name)
      await append(store, 'orders', 'd')
      await until(() => second.got.length === 1)
      expect(second.words).toEqual(['d'])
    },
  )

  test('from its end gives only what comes after it was made', async () => {
    const store = await open((await serve()).connectionString)
    await append(store, 'orders', 'before')
    await groups(store).create(NAME, { ...SETTINGS, startFrom: 'end' })
    await append(store, 'orders', 'after')
    const consumer = new Consumer(store, NAME)
    await until(() => consumer.got.length === 1)
    expect(consumer.words).toEqual(['after'])
  })

  test('gives a consumer no more than it may hold', async () => {
    const store = await open((await serve()).connectionString)
    await groups(store).create(NAME, SETTINGS)
    await append(store, 'orders', 'a b c d e')
    const consumer = new Consumer(store, NAME, { heldMax: 2, decide: () => 'nothing' })
    await until(() => consumer.got.length === 2)
    expect((await groups(store).info(NAME))?.inFlight).toBe(2)
    expect(consumer.words).toEqual(['a', 'b'])
  })

  test('keeps events of one correlation with one consumer, though they are of several streams', async () => {
    const store = await open((await serve()).connectionString)
    await groups(store).create(OF_ALL, { ...SETTINGS, filter: { streamPrefixes: ['payment-', 'ticket-'] } })
    const consumers = [1, 2, 3].map(() => new Consumer(store, OF_ALL))
    await until(() => consumers.every(({ kinds }) => kinds.includes('joined')))
    for (let n = 0; n < 20; n += 1) {
      await append(store, `payment-${n}`, `${n}`, `${n}`)
      await append(store, `ticket-${n}`, `${n}`, `${n}`)
    }
    await until(() => consumers.reduce((sum, { got }) => sum + got.length, 0) === 40)
    const streamsOf = consumers.map(({ words }) => new Set(words))
    for (let n = 0; n < 20; n += 1) expect(streamsOf.filter((words) => words.has(`${n}`))).toHaveLength(1)
    expect(streamsOf.filter(({ size }) => size > 0).length).toBeGreaterThan(1)
  })
})

describe('answers', () => {
  test('retry gives it again at once, park puts it aside until it is replayed, skip and stop settle it', async () => {
    const store = await open((await serve()).connectionString)
    await groups(store).create(NAME, SETTINGS)
    await append(store, 'orders', 'again aside skipped stopped')
    const decisions: Record<string, ReturnType<Decide>> = {
      again: 'retry',
      aside: 'park',
      skipped: 'skip',
      stopped: 'stop',
    }
    const consumer: Consumer = new Consumer(store, NAME, {
      decide: ({ event, retries }) =>
        retries > 0
          ? 'ack'
          : (decisions[(JSON.parse(new TextDecoder().decode(event.data)) as { word: string }).word] ?? 'ack'),
    })
    await until(() => consumer.got.length === 5)
    expect(consumer.words).toEqual(['again', 'aside', 'skipped', 'stopped', 'again+1'])
    await until(() => consumer.words.includes('again+1'))
    await expect.poll(async () => (await groups(store).info(NAME))?.parked).toBe(1)
    const [parked] = await eventsOf(store, parkedStreamOf(NAME))
    expect(new TextDecoder().decode(parked?.data)).toBe('1@orders')
    expect(new TextDecoder().decode(parked?.metadata)).toContain('because')
    await groups(store).replayParked(NAME)
    await until(() => consumer.got.length === 6)
    expect((await groups(store).info(NAME))?.inFlight).toBeLessThanOrEqual(1)
  })

  test('that never come give the event again after the time-out, and park it at last', async () => {
    const store = await open((await serve()).connectionString)
    await groups(store).create(NAME, { ...SETTINGS, messageTimeoutMs: 50, retriesMax: 2 })
    await append(store, 'orders', 'a')
    const consumer = new Consumer(store, NAME, { decide: () => 'nothing' })
    await expect.poll(async () => (await groups(store).info(NAME))?.parked, { timeout: 10_000 }).toBe(1)
    expect(consumer.words).toEqual(['a', 'a+1', 'a+2'])
  })

  test('to what was given before the connection broke do nothing', async () => {
    const served = await serve()
    const store = await open(served.connectionString)
    await groups(store).create(NAME, SETTINGS)
    await append(store, 'orders', 'a')
    const held = groups(store).consume(NAME, { heldMax: 5 })
    let given: readonly Delivery[] = []
    for await (const message of held.messages) {
      if (message.kind !== 'deliveries') continue
      given = message.deliveries
      // Leaving the iterable is leaving the group.
      break
    }
    const other = new Consumer(store, NAME, { decide: () => 'nothing' })
    await until(() => other.got.length === 1)
    held.ack(given)
    for (let look = 0; look < 3; look += 1) expect((await groups(store).info(NAME))?.inFlight).toBe(1)
  })
})

describe('a consumer', () => {
  test('of a group that there is not is told so', async () => {
    const store = await open((await serve()).connectionString)
    const consumer = new Consumer(store, NAME)
    await consumer.done
    expect(consumer.failure).toMatchObject({ reason: 'missing', group: NAME })
    expect(String(consumer.failure)).toContain('Group "clerks" of orders')
  })

  test('whose group is deleted under it is told so, and what is left unanswered does no harm', async () => {
    const store = await open((await serve()).connectionString)
    await groups(store).create(NAME, SETTINGS)
    const consumer = new Consumer(store, NAME, { decide: () => 'nothing' })
    await append(store, 'orders', 'a')
    await until(() => consumer.got.length === 1)
    await groups(store).delete(NAME)
    await consumer.done
    expect(consumer.kinds).toEqual(['joined', 'deliveries', 'left'])
    expect(consumer.failure).toMatchObject({ reason: 'missing' })
  })

  test('too many waits for a place, joins when one comes free, and is told so where none does', async () => {
    const { connectionString } = await serve()
    const store = await open(connectionString)
    const impatient = await open(connectionString, { outageMsMax: 100 })
    await groups(store).create(NAME, { ...SETTINGS, consumersMax: 1 })
    const first = new Consumer(store, NAME)
    await until(() => first.kinds.includes('joined'))
    const refused = new Consumer(impatient, NAME)
    await refused.done
    expect(refused.failure).toMatchObject({ reason: 'full' })
    const waiting = new Consumer(store, NAME)
    await first.leave()
    await until(() => waiting.kinds.includes('joined'))
  })

  test('joins again where the server was stopped and started, and gets what nobody had answered', async () => {
    const backing = openMemoryStore()
    const first = await serve({ store: backing })
    const store = await open(first.connectionString)
    await groups(store).create(NAME, SETTINGS)
    await append(store, 'orders', 'a b')
    let isForgetful = true
    const consumer = new Consumer(store, NAME, { decide: () => (isForgetful ? 'nothing' : 'ack') })
    await until(() => consumer.got.length === 2)
    await first.stop()
    isForgetful = false
    const again = await startServer({ store: backing, port: first.port, drainMs: 500 })
    onTestFinished(() => again.stop())
    await until(() => consumer.got.length === 4)
    expect(consumer.got.slice(2).map(({ event }) => event.revision)).toEqual([0, 1])
    expect(consumer.kinds.filter((kind) => kind === 'left').length).toBeGreaterThanOrEqual(1)
    expect(consumer.failure).toBeUndefined()
  })

  test('keeps its connection while thousands of small streams are read over it', async () => {
    const store = await open((await serve()).connectionString)
    await groups(store).create(NAME, SETTINGS)
    const consumer = new Consumer(store, NAME)
    await until(() => consumer.kinds.includes('joined'))
    await append(store, 'other', 'a')
    // Servers close a connection on which a thousand calls are reset.
    for (let round = 0; round < 50; round += 1) {
      await Promise.all(
        Array.from({ length: 50 }, () => eventsOf(store, 'other', { direction: 'backwards', maxCount: 1 })),
      )
    }
    await append(store, 'orders', 'b')
    await until(() => consumer.got.length === 1)
    expect(consumer.kinds).toEqual(['joined', 'deliveries'])
  })

  test('of a server that stays away is told of the outage', async () => {
    const served = await serve()
    const store = await open(served.connectionString, { outageMsMax: 200 })
    await groups(store).create(NAME, SETTINGS)
    const consumer = new Consumer(store, NAME)
    await until(() => consumer.kinds.includes('joined'))
    await served.stop()
    await consumer.done
    expect(consumer.failure).toBeInstanceOf(StoreUnavailableError)
  })

  test('ends with its store, without an error', async () => {
    const store = await open((await serve()).connectionString)
    await groups(store).create(NAME, SETTINGS)
    const consumer = new Consumer(store, NAME)
    await until(() => consumer.kinds.includes('joined'))
    await store.close()
    await consumer.done
    expect(consumer.failure).toBeUndefined()
  })
})

describe('over TLS', () => {
  test('operators make groups, readers of the stream consume them, nobody else does', async () => {
    const tls = makeCertificate()
    const folder = mkdtempSync(join(tmpdir(), 'makegood-groups-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const ca = join(folder, 'ca.pem')
    writeFileSync(ca, tls.cert)
    const users = [{ login: 'clerk', password: 'p4ss word', groups: ['desk'] }]
    const { port } = await serveOver(tls, users)
    const as = (user: string) => open(`esdb://${user}@localhost:${port}?tlsCAFile=${encodeURIComponent(ca)}`)
    const [admin, clerk] = [await as('admin:changeit'), await as('clerk:p4ss%20word')]
    await expect(groups(clerk).create(NAME, SETTINGS)).rejects.toMatchObject({ reason: 'denied' })
    expect(await groups(admin).create(NAME, SETTINGS)).toBe('created')
    await append(admin, 'orders', 'a')
    const consumer = new Consumer(clerk, NAME)
    await until(() => consumer.got.length === 1)
    await groups(admin).create(OF_ALL, SETTINGS)
    const denied = new Consumer(clerk, OF_ALL)
    await denied.done
    expect(denied.failure).toMatchObject({ reason: 'denied' })
  })
})

async function serveOver(
  tls: ReturnType<typeof makeCertificate>,
  users: { login: string; password: string; groups: string[] }[],
) {
  const store = openMemoryStore()
  const server = await startServer({ store, tls, users, drainMs: 500 })
  onTestFinished(async () => {
    await server.stop()
    await store.close()
  })
  return server
}
