// Consumer groups of `serve` in figures: events a second through one group with 1, 2 and 4 consumers of the official client, how many were given
// again, and what groups without consumers hold. One process consumes for all of them, another serves.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { EventStoreDBClient, persistentSubscriptionToStreamSettingsFromDefaults, START } from '@eventstore/db-client'
import { openStore } from '../dist/src/open-store.js'
import { privateBytesOf } from './measure.mjs'
import { startServing } from './serving.mjs'

const STREAM = 'numbers-1'
const BATCH = 1_000
const IDLE_GROUPS = 500
const CONSUMERS = [1, 2, 4]
const BUFFER = 200

export async function bench({ folder, main, short }) {
  const events = short ? 5_000 : 100_000
  const store = join(folder, `groups-${randomUUID()}`)
  await writeNumbers(store, events)
  const { where, server, stop } = await startServing(main, store)
  const client = EventStoreDBClient.connectionString(where)
  try {
    const rows = []
    for (const consumers of CONSUMERS) rows.push(await consumeAll(client, { consumers, events }))
    const before = privateBytesOf(server.pid)
    for (let n = 0; n < IDLE_GROUPS; n += 1)
      await client.createPersistentSubscriptionToStream(`idle-${n}`, 'group', settings())
    const held = (privateBytesOf(server.pid) - before) / 2 ** 20
    return {
      about: `${events.toLocaleString('en')} events of one stream through a group, each acknowledged; ${BUFFER} held by a consumer at a time.`,
      table: [
        '| consumers | events a second | given again |',
        '| --- | --- | --- |',
        ...rows.map(
          ({ consumers, perSecond, again }) => `| ${consumers} | ${perSecond.toLocaleString('en')} | ${again} |`,
        ),
      ],
      notes: [`${IDLE_GROUPS} groups without consumers: ${held.toFixed(0)} MiB.`],
    }
  } finally {
    await client.dispose()
    await stop()
  }
}

async function writeNumbers(folder, events) {
  const store = await openStore(folder, 'write')
  for (let start = 0; start < events; start += BATCH) {
    const batch = Array.from({ length: BATCH }, (_, index) => ({
      id: randomUUID(),
      type: 'Counted',
      contentType: 'application/json',
      data: Buffer.from(JSON.stringify({ number: start + index })),
      metadata: new Uint8Array(0),
    }))
    await store.append(STREAM, batch, 'any')
  }
  await store.close()
}

function settings() {
  return persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: START })
}

async function consumeAll(client, { consumers, events }) {
  const group = `group-${consumers}`
  await client.createPersistentSubscriptionToStream(STREAM, group, settings())
  const seen = new Set()
  let again = 0
  const startedAt = performance.now()
  const subscriptions = Array.from({ length: consumers }, () =>
    client.subscribeToPersistentSubscriptionToStream(STREAM, group, { bufferSize: BUFFER }),
  )
  await Promise.all(
    subscriptions.map(async (subscription) => {
      for await (const given of subscription) {
        if (seen.has(given.event.id)) again += 1
        seen.add(given.event.id)
        subscription.ack(given)
        if (seen.size === events) await Promise.all(subscriptions.map((each) => each.unsubscribe()))
      }
    }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  await client.deletePersistentSubscriptionToStream(STREAM, group)
  return { consumers, perSecond: Math.round(events / seconds), again }
}
