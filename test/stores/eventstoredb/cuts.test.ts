// Connections cut at random bytes, for writers, readers and followers at once: what was acknowledged is there once, and everybody saw all of it.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import type { RecordedEvent } from '../../../src/log/event.js'
import type { EventStore } from '../../../src/log/event-store.js'
import { appendSettled } from '../../../src/repair/settled-append.js'
import { startServer } from '../../../src/server/start-server.js'
import { openMemoryStore } from '../../../src/stores/memory/memory-store.js'
import { Random } from '../../../src/workload/random.js'
import { anEvent, eventsOfLog } from '../../controls/events.js'
import { asPoured, pouredOf } from '../../controls/poured.js'
import { seedFor } from '../../controls/seed.js'
import { startCuttingProxy } from './cutting-proxy.js'
import { open, until } from './opened.js'

const STREAMS = 8
const APPENDS = 25
/** Behind all events. */
const BEYOND = { commit: 10n ** 15n, prepare: 10n ** 15n }
const FILTER = { streamPrefixes: ['cut-'] }

test('cuts at random bytes lose no acknowledged event, double none, and hide none from readers', {
  timeout: 120_000,
}, async () => {
  const random = new Random(seedFor('cuts'))
  const home = openMemoryStore()
  const server = await startServer({ store: home, drainMs: 200 })
  onTestFinished(() => server.stop())
  const proxy = await startCuttingProxy(server.port, () => ({
    toServer: random.between(300, 9_000),
    toClient: random.between(300, 30_000),
  }))
  const store = await open(`esdb://127.0.0.1:${proxy.port}?tls=false&maxDiscoverAttempts=100`, { outageMsMax: 60_000 })
  const followed: string[] = []
  const ending = new AbortController()
  const following = follow(store, followed, ending.signal)
  const reading = readAgain(store, ending.signal)
  const acknowledged = (await Promise.all(Array.from({ length: STREAMS }, (_, i) => write(store, `cut-${i}`)))).flat()
  proxy.heal()
  expect(proxy.cuts).toBeGreaterThan(5)
  const held = await eventsOfLog(home, { filter: FILTER })
  await until(() => followed.length >= held.length)
  ending.abort()
  await following
  const readings = await reading
  const ids = held.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  expect(acknowledged.filter((id) => !ids.includes(id))).toEqual([])
  expect(followed).toEqual(ids)
  expect(await eventsOfLog(store, { filter: FILTER })).toEqual(held.map(asRead))
  expect(readings.length).toBeGreaterThan(0)
  expect(await pouredOf(store, { to: BEYOND, filter: FILTER })).toEqual(held.map(asPoured))
  for (const seen of readings) expect(seen).toEqual(ids.slice(0, seen.length))
})

/** Appends one after the other behind the guard of the last revision, and gives the ids of what was acknowledged. */
async function write(store: EventStore, stream: string): Promise<string[]> {
  const acknowledged: string[] = []
  let head: number | 'noStream' = 'noStream'
  for (let i = 0; i < APPENDS; i += 1) {
    const event = anEvent()
    const result = await appendSettled(store, stream, [event], head, (ms) => sleep(ms))
    if (result.kind === 'appended') {
      acknowledged.push(event.id)
      head = result.revision ?? head
    } else if (result.kind === 'conflict') head = result.actual
    // Still unknown: where the stream stands has to be read.
    else head = (await lastRevision(store, stream)) ?? head
  }
  return acknowledged
}

async function lastRevision(store: EventStore, stream: string): Promise<number | undefined> {
  const read = await store.readStream(stream, { direction: 'backwards', maxCount: 1 })
  for await (const [last] of read.kind === 'found' ? read.events : []) return last?.revision
  return undefined
}

async function follow(store: EventStore, ids: string[], signal: AbortSignal): Promise<void> {
  for await (const message of store.subscribeToAll({ filter: FILTER, signal })) {
    if (message.kind === 'events') ids.push(...message.events.map(({ id }) => id))
  }
}

/** Reads the log over and over; each reading gives the ids it saw. */
async function readAgain(store: EventStore, signal: AbortSignal): Promise<string[][]> {
  const readings: string[][] = []
  while (!signal.aborted) {
    readings.push((await eventsOfLog(store, { filter: FILTER })).map(({ id }) => id))
    const poured = await pouredOf(store, { to: BEYOND, filter: FILTER })
    readings.push(poured?.map(({ id }) => id) ?? [])
    await sleep(20)
  }
  return readings
}

/** The wire's buffers are no other bytes than the home's. */
function asRead(event: RecordedEvent): RecordedEvent {
  return { ...event, data: Buffer.from(event.data), metadata: new Uint8Array(event.metadata) }
}
