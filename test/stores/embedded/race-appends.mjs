// A child of the race test: wins so many guarded appends against others on the same streams, and prints each as `stream revision id`.
import { randomUUID } from 'node:crypto'
import { openEmbeddedStore } from '../../../dist/src/stores/embedded/embedded-store.js'

const [folder, wins, streams] = process.argv.slice(2)
const store = await openEmbeddedStore({ folder })
const won = []
for (let i = 0; won.length < Number(wins); i += 1) {
  const stream = `raced-${i % Number(streams)}`
  const head = await headOf(stream)
  const id = randomUUID()
  const result = await store.append(stream, [event(id)], head < 0 ? 'noStream' : head)
  if (result.kind === 'appended') won.push(`${stream} ${result.revision} ${id}`)
  else if (result.kind !== 'conflict') throw new Error(JSON.stringify(result))
}
process.stdout.write(won.join('\n'))
await store.close()

function event(id) {
  return { id, type: 'Raced', contentType: 'application/json', data: Buffer.from('{}'), metadata: new Uint8Array(0) }
}

async function headOf(stream) {
  const read = await store.readStream(stream, { direction: 'backwards', maxCount: 1 })
  if (read.kind !== 'found') return -1
  for await (const [last] of read.events) return last.revision
  return -1
}
