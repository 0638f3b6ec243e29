// A child of the kill tests: appends guarded batches without end and journals, durably, what was acknowledged. A batch names itself, its
// size and each event's place in it, so that half of one would show.
import { randomUUID } from 'node:crypto'
import { fsyncSync, openSync, writeSync } from 'node:fs'
import { openEmbeddedStore } from '../../../dist/src/stores/embedded/embedded-store.js'

const [folder, journalPath, padding = '0', sizeMax = '5'] = process.argv.slice(2)
const journal = openSync(journalPath, 'a')
const store = await openEmbeddedStore({ folder })
await Promise.all(Array.from({ length: 5 }, (_, i) => appendForEver(`killed-${i}`)))

async function appendForEver(stream) {
  let head = await headOf(stream)
  for (;;) {
    const size = 1 + Math.floor(Math.random() * Number(sizeMax))
    const result = await store.append(stream, batchOf(size), head < 0 ? 'noStream' : head)
    if (result.kind !== 'appended') throw new Error(`${stream} at ${head}: ${JSON.stringify(result)}`)
    head = result.revision
    writeSync(journal, `${stream} ${head}\n`)
    fsyncSync(journal)
  }
}

function batchOf(size) {
  const batch = randomUUID()
  return Array.from({ length: size }, (_, index) => ({
    id: randomUUID(),
    type: 'Batched',
    contentType: 'application/json',
    data: Buffer.from(JSON.stringify({ batch, size, index, padding: 'x'.repeat(Number(padding)) })),
    metadata: new Uint8Array(0),
  }))
}

async function headOf(stream) {
  const read = await store.readStream(stream, { direction: 'backwards', maxCount: 1 })
  if (read.kind !== 'found') return -1
  for await (const [event] of read.events) return event.revision
  return -1
}
