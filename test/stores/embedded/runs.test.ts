// Readings come in bounded runs, so that memory stays flat however long the log is; a filter decides for any number of streams.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { EventStore } from '../../../src/log/event-store.js'
import { openEmbeddedStore } from '../../../src/stores/embedded/embedded-store.js'
import { anEvent, eventsOfLog, gather, someEvents } from '../../controls/events.js'
import { testFolder } from './child.js'

test('a run holds at most 1,000 events', async () => {
  const store = await openStore()
  for (let i = 0; i < 5; i += 1) await store.append('long', someEvents(500), 'any')
  expect((await gather(store.readAll())).map(({ events }) => events.length)).toEqual([1000, 1000, 500])
  const read = await store.readStream('long', { direction: 'backwards' })
  const runs = read.kind === 'found' ? await gather(read.events) : []
  expect(runs.map((run) => run.length)).toEqual([1000, 1000, 500])
  await store.close()
})

test('a run ends once it holds a mebibyte', async () => {
  const store = await openStore()
  const event = () => anEvent({ data: Buffer.alloc(300_000), contentType: 'application/octet-stream' })
  for (let i = 0; i < 9; i += 1) await store.append('heavy', [event()], 'any')
  expect((await gather(store.readAll())).map(({ events }) => events.length)).toEqual([4, 4, 1])
  const read = await store.readStream('heavy')
  const runs = read.kind === 'found' ? await gather(read.events) : []
  expect(runs.map((run) => run.length)).toEqual([4, 4, 1])
  await store.close()
})

test('a filter finds its streams among thousands, and tells how far it has come where it finds none', async () => {
  const store = await openStore()
  const names = Array.from({ length: 2500 }, (_, i) => `${i % 50 === 0 ? 'rare' : 'common'}-${i}`)
  await Promise.all(names.map((name) => store.append(name, [anEvent()], 'noStream')))
  const found = await eventsOfLog(store, { filter: { streamPrefixes: ['rare-'] } })
  expect(found.map(({ stream }) => stream)).toEqual(names.filter((name) => name.startsWith('rare-')))
  const [all] = await gather(store.readAll({ direction: 'backwards', maxCount: 1 }))
  const [none] = await gather(store.readAll({ filter: { streamPrefixes: ['none-'] } }))
  expect(none).toEqual({ events: [], position: all?.position })
  await store.close()
})

async function openStore(): Promise<EventStore> {
  return openEmbeddedStore({ folder: join(await testFolder(), 'store') })
}
