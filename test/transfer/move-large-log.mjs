// A child of the memory test: fills a store, exports it into a packed file and imports that into another store, watching its own memory.
import { join } from 'node:path'
import { openWholeFile } from '../../dist/src/cli/whole-file.js'
import { openEmbeddedStore } from '../../dist/src/stores/embedded/embedded-store.js'
import { readLinesOf } from '../../dist/src/stores/files/lines.js'
import { exportEvents } from '../../dist/src/transfer/export-events.js'
import { importLines } from '../../dist/src/transfer/import-lines.js'

const [folder, events, dataBytes] = process.argv.slice(2)
const data = Buffer.from(JSON.stringify({ padding: 'x'.repeat(Number(dataBytes)) }))
const file = join(folder, 'log.jsonl.gz')
let peak = 0

/** What this process holds by itself: pages of the store's file are the system's. */
function look() {
  const { heapUsed, external } = process.memoryUsage()
  peak = Math.max(peak, heapUsed + external)
}

async function fill(store) {
  for (let start = 0; start < Number(events); start += 1_000) {
    await store.restore(
      Array.from({ length: 1_000 }, (_, n) => ({
        stream: `stream-${start + n}`,
        revision: 0,
        id: `00000000-0000-4000-8000-${String(start + n).padStart(12, '0')}`,
        type: 'Large',
        contentType: 'application/json',
        data,
        metadata: new Uint8Array(0),
        created: BigInt(start + n),
      })),
    )
  }
}

const source = await openEmbeddedStore({ folder: join(folder, 'source') })
await fill(source)
global.gc?.()
look()
const before = peak
const out = await openWholeFile(file)
const exported = await exportEvents(source, async (text) => {
  look()
  await out.write(text)
})
await out.finish()
const copy = await openEmbeddedStore({ folder: join(folder, 'copy') })
const imported = await importLines(readLinesOf([file]), copy, { onProgress: look })
const again = await exportEvents(copy, async () => look())
await Promise.all([source.close(), copy.close()])
process.stdout.write(JSON.stringify({ exported, imported, again, addedBytesMax: peak - before }))
