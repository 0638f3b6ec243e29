// The log read by the official client's own loop. Arguments: a connection string; `count` to do nothing with the events. Prints the digest of a
// scan, or how many events came.
import { EventStoreDBClient } from '@eventstore/db-client'
import { booking } from '../dist/projections/booking/booking.js'
import { replay } from '../dist/src/engine/replay.js'

const BATCH = 500
const [where, mode] = process.argv.slice(2)
const client = EventStoreDBClient.connectionString(where)

async function* events() {
  for await (const { event } of client.readAll()) if (event && !event.streamId.startsWith('$')) yield event
}

/** What the pipeline looks at of an event; its JSON has been parsed by the client and is parsed once more. */
function recorded(event) {
  return {
    stream: event.streamId,
    revision: Number(event.revision),
    id: event.id,
    type: event.type,
    contentType: event.isJson ? 'application/json' : 'application/octet-stream',
    data: Buffer.from(event.isJson ? JSON.stringify(event.data) : event.data),
    metadata: Buffer.alloc(0),
    created: BigInt(event.created.getTime()) * 10_000n,
    position: event.position,
  }
}

async function* batches() {
  let batch = []
  for await (const event of events()) {
    if (batch.push(recorded(event)) < BATCH) continue
    yield { events: batch, position: batch.at(-1).position }
    batch = []
  }
  if (batch.length > 0) yield { events: batch, position: batch.at(-1).position }
}

async function count() {
  let counted = 0
  for await (const _ of events()) counted += 1
  return counted
}

async function markedNow() {
  for await (const { event } of client.readAll()) if (event?.data?.now) return Date.parse(event.data.now)
  throw new Error('the store is not a generated one')
}

const told =
  mode === 'count'
    ? await count()
    : (await replay({ readAll: batches }, booking, { now: await markedNow() })).summary.digest
process.stdout.write(`${told}\n`)
await client.dispose()
