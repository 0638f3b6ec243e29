// `serve` in figures: how soon it answers, what it holds at rest, and appends and reads a second through the official client and
// through our own reader, beside the embedded store used directly. The events are 290 bytes of JSON, as in the figures of a real server.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { openStore } from '../dist/src/open-store.js'
import { startServing } from './serving.mjs'

const SPAN_MS = 3000
const STARTS = 5
const data = { text: 'x'.repeat(278) }
const bytes = Buffer.from(JSON.stringify(data))

export async function bench({ folder, main }) {
  const starts = []
  for (let n = 0; n < STARTS; n += 1) starts.push(await startOnce(main))
  const direct = await openStore(join(folder, 'direct'), 'write')
  const served = await startServing(main, join(folder, 'served'))
  const client = EventStoreDBClient.connectionString(served.where)
  const own = await openStore(served.where, 'read')
  try {
    const rest = privateMbOf(served.server.pid)
    const rows = [...(await appends(client, direct)), ...(await reads({ client, own, direct }))]
    return {
      about: 'Events a second; appends are durable when they are answered.',
      table: [
        '| work | official client, batch | official client, plain | our reader | embedded store directly |',
        '| --- | --- | --- | --- | --- |',
        ...rows.map(
          (row) =>
            `| ${row.map((cell) => (typeof cell === 'number' ? Math.round(cell).toLocaleString('en') : cell)).join(' | ')} |`,
        ),
      ],
      notes: [
        `From the start of the process to its first answer: ${median(starts).toFixed(2)} s (median of ${STARTS}). Private memory at rest: ${rest.toFixed(0)} MB; after all this: ${privateMbOf(served.server.pid).toFixed(0)} MB.`,
        `Each append figure is one span of ${SPAN_MS / 1000} s, each read one pass over what was appended.`,
      ],
    }
  } finally {
    await own.close()
    await client.dispose()
    await direct.close()
    await served.stop()
  }
}

async function startOnce(main) {
  const startedAt = performance.now()
  const { where, stop } = await startServing(main, 'memory:')
  const client = EventStoreDBClient.connectionString(where)
  await client.appendToStream('first', jsonEvent({ type: 'Noted', data }))
  const seconds = (performance.now() - startedAt) / 1000
  await client.dispose()
  await stop()
  return seconds
}

async function appends(client, direct) {
  const through = (options) => (count, stream) =>
    client.appendToStream(
      stream,
      Array.from({ length: count }, () => jsonEvent({ type: 'Noted', data })),
      options,
    )
  const ways = [
    through({}),
    // Credentials of its own make the client take the plain call; a server without TLS does not look at them.
    through({ credentials: { username: 'admin', password: 'changeit' } }),
  ]
  const put = (count, stream) => direct.append(stream, Array.from({ length: count }, proposed), 'any')
  const rows = []
  for (const [what, askers, count] of [
    ['one awaited append after another', 1, 1],
    ['64 concurrent single appends', 64, 1],
    ['awaited batches of 100', 1, 100],
    ['64 concurrent batches of 100', 64, 100],
  ]) {
    const [batch, plain] = [await rateOf(ways[0], askers, count), await rateOf(ways[1], askers, count)]
    rows.push([what, batch, plain, '', await rateOf(put, askers, count)])
  }
  return rows
}

function proposed() {
  return { id: randomUUID(), type: 'Noted', contentType: 'application/json', data: bytes, metadata: Buffer.alloc(0) }
}

async function rateOf(append, askers, count) {
  const startedAt = performance.now()
  let done = 0
  const ask = async (asker) => {
    const stream = `notes-${asker}-${randomUUID()}`
    while (performance.now() - startedAt < SPAN_MS) {
      await append(count, stream)
      done += count
    }
  }
  await Promise.all(Array.from({ length: askers }, (_, asker) => ask(asker)))
  return (done / (performance.now() - startedAt)) * 1000
}

async function reads({ client, own, direct }) {
  const [byClient, byOwn, byDirect] = [
    await readRate(clientEvents(client)),
    await readRate(storeEvents(own)),
    await readRate(storeEvents(direct)),
  ]
  return [['reading all of $all', byClient, '', byOwn, byDirect]]
}

async function* clientEvents(client) {
  for await (const _ of client.readAll()) yield 1
}

async function* storeEvents(store) {
  for await (const { events } of store.readAll()) yield events.length
}

async function readRate(counts) {
  const startedAt = performance.now()
  let read = 0
  for await (const count of counts) read += count
  return (read / (performance.now() - startedAt)) * 1000
}

function privateMbOf(pid) {
  return Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1000
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}
