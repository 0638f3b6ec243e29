// Streams by name and by number. What is read here is of the transaction under way, or of the last snapshot outside of one.
import { StoreCorruptError } from '../../log/store-errors.js'
import type { StreamName } from './event-record.js'
import { seedOf } from './event-record.js'
import { decodeHead, decodeName, encodeHead, encodeName, type StoredHead } from './head-record.js'
import { headKeys, streamIdKey } from './keys.js'
import type { Tables } from './tables.js'

/** So many names are kept in memory; a name never changes its number, so they are never stale. */
const NAMES_MAX = 50_000

/**
 * Numbers are given in the order in which streams began, so whoever reads the log asks for them nearly in order: then so many are read at once, in half
 * the time of one by one.
 */
const AHEAD = 64

export class StreamTable {
  readonly #tables: Tables
  #names = new Map<number, StreamName>()
  /** The number that had to be read last. */
  #lastRead = 0

  constructor(tables: Tables) {
    this.#tables = tables
  }

  /** The head of a stream, or undefined where there is no such stream. */
  find(name: string): StoredHead | undefined {
    return this.#locate(name).found
  }

  /** The stream of a number, where nothing has to be read for it. */
  knownName(id: number): StreamName | undefined {
    return this.#names.get(id)
  }

  /** The stream of a number. Throws StoreCorruptError where there is none. */
  nameOf(id: number): StreamName {
    const known = this.#names.get(id)
    if (known) return known
    if (id > this.#lastRead && id <= this.#lastRead + AHEAD) this.#readAhead(id)
    this.#lastRead = id
    const read = this.#names.get(id) ?? this.#keep(id, this.#readName(id))
    if (!read) throw new StoreCorruptError(`Stream number ${id} has no readable name`)
    return read
  }

  #readAhead(id: number): void {
    const range = { start: streamIdKey(id), end: streamIdKey(id + AHEAD) }
    for (const { key, value } of this.#tables.names.getRange(range)) this.#keep(key.readUInt32BE(0), decodeName(value))
  }

  #keep(id: number, name: string | undefined): StreamName | undefined {
    if (name === undefined) return undefined
    const stream = { id, name, seed: seedOf(name) }
    if (this.#names.size >= NAMES_MAX) this.#names = new Map()
    this.#names.set(id, stream)
    return stream
  }

  /** Writes a head, and the name of a stream that is new. Only within a write transaction. */
  put(name: string, stored: StoredHead): void {
    const { key, found } = this.#locate(name)
    if (!found) this.#tables.names.putSync(streamIdKey(stored.id), encodeName(name))
    this.#tables.heads.putSync(key, encodeHead(stored))
  }

  #locate(name: string): { readonly key: Buffer; readonly found: StoredHead | undefined } {
    for (const key of headKeys(name)) {
      const bytes = this.#tables.heads.get(key)
      if (!bytes) return { key, found: undefined }
      const found = decodeHead(bytes)
      if (!found) throw new StoreCorruptError(`The head of stream ${JSON.stringify(name)} fails its checksum`)
      if (this.#readName(found.id) === name) return { key, found }
      // A whole name in the key cannot be another stream's.
      if (key.length === Buffer.byteLength(name) + 1) break
    }
    throw new StoreCorruptError(`The head of stream ${JSON.stringify(name)} names another stream`)
  }

  #readName(id: number): string | undefined {
    const bytes = this.#tables.names.get(streamIdKey(id))
    return bytes && decodeName(bytes)
  }
}
