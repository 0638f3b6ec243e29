// The least that a replay of the embedded store could do. Argument: the store's folder. Prints how many events it parsed.
import { open } from 'lmdb'

// As in src/stores/embedded/event-record.ts.
const [TYPE_LENGTH, METADATA_LENGTH, HEAD_LENGTH] = [48, 52, 57]

const views = { encode: (value) => value, decode: (bytes) => bytes.subarray(0, bytes.length) }
const root = open({
  path: process.argv[2],
  noSubdir: false,
  readOnly: true,
  encoding: 'binary',
  keyEncoding: 'binary',
  maxDbs: 8,
})
const log = root.openDB('log', { encoder: views, keyEncoding: 'ordered-binary' })
let events = 0
for (const { value } of log.getRange({})) {
  const start = HEAD_LENGTH + value.readUInt32LE(TYPE_LENGTH) + value.readUInt32LE(METADATA_LENGTH)
  JSON.parse(value.toString('utf8', start))
  events += 1
}
await root.close()
process.stdout.write(`${events}\n`)
