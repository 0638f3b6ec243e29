// A child that appends events of a size one after the other until it has so many or one fails; prints, as JSON, how many were acknowledged,
// how the last one ended, and whether what was there can still be read and written afterwards.
import { randomUUID } from 'node:crypto'
import { openEmbeddedStore } from '../../../dist/src/stores/embedded/embedded-store.js'

const [folder, stream, count, size] = process.argv.slice(2)
const store = await openEmbeddedStore({ folder })
let acknowledged = 0
let failure
while (acknowledged < Number(count) && !failure) {
  failure = await append(Number(size))
  if (!failure) acknowledged += 1
}
const readable = await countReadable()
process.stdout.write(JSON.stringify({ acknowledged, failure, readable }))
await store.close()

async function append(bytes) {
  const data = Buffer.alloc(bytes, 120)
  const event = {
    id: randomUUID(),
    type: 'Some',
    contentType: 'application/octet-stream',
    data,
    metadata: Buffer.alloc(0),
  }
  try {
    const result = await store.append(stream, [event, { ...event, id: randomUUID() }], 'any')
    return result.kind === 'appended' ? undefined : result
  } catch ({ name, message }) {
    return { name, message }
  }
}

async function countReadable() {
  const read = await store.readStream(stream)
  let events = 0
  if (read.kind === 'found') for await (const run of read.events) events += run.length
  return events
}
