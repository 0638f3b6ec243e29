// Keys of the tables. Bytes that LMDB compares as such, so numbers are big endian.
import { createHash } from 'node:crypto'
import { type Revision, TOMBSTONE_REVISION } from '../../log/revision.js'

/** LMDB takes keys of up to 1,978 bytes; names that do not fit are kept under their hash. */
const NAME_BYTES_MAX = 1_900

const WHOLE_NAME = 0
const HASHED_NAME = 1

/** The place of one revision of a stream in the index. */
export function indexKey(streamId: number, revision: Revision): Buffer {
  const key = Buffer.allocUnsafe(12)
  key.writeUInt32BE(streamId, 0)
  key.writeBigUInt64BE(revision === TOMBSTONE_REVISION ? 2n ** 63n - 1n : BigInt(revision), 4)
  return key
}

/** The inverse of {@link indexKey}. */
export function parseIndexKey(key: Buffer): { readonly streamId: number; readonly revision: Revision } {
  return { streamId: key.readUInt32BE(0), revision: Number(key.readBigUInt64BE(4)) }
}

/** The number of a stream as a key. */
export function streamIdKey(streamId: number): Buffer {
  const key = Buffer.allocUnsafe(4)
  key.writeUInt32BE(streamId, 0)
  return key
}

/**
 * Where a stream's head may stand: under the whole name where it fits; else under the name's hash and a number that is raised
 * until the name found there is the one looked for or there is none.
 */
export function* headKeys(name: string): Generator<Buffer> {
  const bytes = Buffer.from(name)
  if (bytes.length <= NAME_BYTES_MAX) {
    yield Buffer.concat([Buffer.of(WHOLE_NAME), bytes])
    return
  }
  const hash = createHash('sha256').update(bytes).digest()
  for (let i = 0; ; i += 1) yield Buffer.concat([Buffer.of(HASHED_NAME), hash, streamIdKey(i)])
}
