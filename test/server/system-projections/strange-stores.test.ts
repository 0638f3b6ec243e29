// Projections over stores that are not theirs alone: imported ones, ones that somebody else writes at the same time, and ones that fail.
import { jsonEvent } from '@eventstore/db-client'
import { expect, it } from 'vitest'
import type { AppendResult, EventStore } from '../../../src/log/event-store.js'
import { StoreUnavailableError } from '../../../src/log/store-errors.js'
import { openMemoryStore } from '../../../src/stores/memory/memory-store.js'
import { anEvent } from '../../controls/events.js'
import { until } from '../persistent/groups.js'
import { collect, type Served, serve } from '../served.js'
import { expectedLinks, logOf, writtenIn } from './expected-links.js'

const UNKNOWN: AppendResult = { kind: 'unknown', message: 'No answer' }
const FLOW = { $correlationId: 'flow-1' }

function append({ client }: Served, stream: string, count = 1): Promise<unknown> {
  const events = Array.from({ length: count }, () => jsonEvent({ type: 'Counted', data: {}, metadata: FLOW }))
  return client.appendToStream(stream, events)
}

async function untilAllIsRead({ client }: Served): Promise<void> {
  await until(async () => (await client.listProjections()).every(({ progress }) => progress === 100))
}

async function expectAllLinked(store: EventStore): Promise<void> {
  const log = await logOf(store)
  expect(writtenIn(log)).toEqual(expectedLinks(log))
}

it('in a log that was imported with its links the links go on behind those', async () => {
  const home = await serve({ systemProjections: true })
  for (let n = 0; n < 5; n++) await append(home, `cat-${n}`, 3)
  await untilAllIsRead(home)
  await home.stop()
  const store = openMemoryStore()
  const filler = Array.from({ length: 7 }, () => anEvent())
  await store.append('$filler', filler, 'any')
  const imported = await logOf(home.store)
  expect(await store.restore(imported)).toMatchObject({ kind: 'restored' })
  const [moved] = (await logOf(store)).filter(({ stream }) => stream === 'cat-0')
  expect(moved?.position).not.toEqual(imported.find(({ stream }) => stream === 'cat-0')?.position)
  const served = await serve({ store, systemProjections: true })
  await append(served, 'cat-2', 2)
  await append(served, 'cat-9', 2)
  await untilAllIsRead(served)
  await expectAllLinked(store)
})

it('a projection whose last link is for an event that the log does not hold says so, and a reset puts it right', async () => {
  const home = await serve({ systemProjections: true })
  await append(home, 'cat-1')
  await untilAllIsRead(home)
  const store = openMemoryStore()
  await store.restore(
    (await logOf(home.store)).filter(({ stream }) => stream !== 'cat-1' && !/^\$projections/.test(stream)),
  )
  const served = await serve({ store, systemProjections: true })
  await append(served, 'cat-2')
  const status = () => served.client.getProjectionStatus('$by_category')
  await until(async () => (await status()).status === 'Faulted (Enabled)')
  expect((await status()).stateReason).toMatch(/'\$ce-cat' is for an event that is not in this log. Reset/)
  await served.client.resetProjection('$by_category')
  await until(async () => (await status()).progress === 100)
  const links = await collect(served.client.readStream('$ce-cat'))
  expect(links.map(({ event }) => Buffer.from(event?.data as Uint8Array).toString())).toEqual(['0@cat-2'])
})

it('two servers over one store link each event once', async () => {
  const store = openMemoryStore()
  const servers = [
    await serve({ store, systemProjections: true }),
    await serve({ store, systemProjections: true }),
  ] as const
  for (let n = 0; n < 40; n++) await Promise.all(servers.map((server, at) => append(server, `cat${at}-${n % 7}`, 3)))
  await Promise.all(servers.map(untilAllIsRead))
  await expectAllLinked(store)
})

it('what a store that fails now and then did not take, or does not know, is written once', async () => {
  const errors: unknown[] = []
  const memory = openMemoryStore()
  let appends = 0
  const failing: EventStore['append'] = async (stream, events, expected) => {
    appends += stream.startsWith('$') ? 1 : 0
    const fault = stream.startsWith('$') ? appends % 10 : 0
    if (fault === 5) return UNKNOWN
    if (fault === 7 && appends < 40) throw new StoreUnavailableError('The disk was pulled out')
    const result = await memory.append(stream, events, expected)
    return fault === 3 ? UNKNOWN : result
  }
  const store: EventStore = new Proxy(memory, {
    get: (target, name: keyof EventStore) => (name === 'append' ? failing : target[name]?.bind(target)),
  })
  const served = await serve({ store, systemProjections: true, onInternalError: (error) => errors.push(error) })
  for (let n = 0; n < 30; n++) await append(served, `cat-${n % 4}`)
  await untilAllIsRead(served)
  await expectAllLinked(memory)
  expect(appends).toBeGreaterThan(30)
  expect(errors[0]).toMatchObject({ message: 'The disk was pulled out' })
})
