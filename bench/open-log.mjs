// The embedded store's table of events, opened with nothing of ours around it: what the machine and LMDB can do.
import { open } from 'lmdb'

// As in src/log/event-bytes.ts.
const [TYPE_LENGTH, METADATA_LENGTH, HEAD_LENGTH] = [48, 52, 57]

const views = { encode: (value) => value, decode: (bytes) => bytes.subarray(0, bytes.length) }

/** Gives `log`, whose values are views that stand until the next one, and `close`. */
export function openLog(folder) {
  const root = open({
    path: folder,
    noSubdir: false,
    readOnly: true,
    encoding: 'binary',
    keyEncoding: 'binary',
    maxDbs: 8,
  })
  return { log: root.openDB('log', { encoder: views, keyEncoding: 'ordered-binary' }), close: () => root.close() }
}

/** Where an event's data begins. */
export function dataStartIn(value) {
  return HEAD_LENGTH + value.readUInt32LE(TYPE_LENGTH) + value.readUInt32LE(METADATA_LENGTH)
}
