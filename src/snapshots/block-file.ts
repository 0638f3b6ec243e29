// Files of checksummed blocks: written once from front to back, then only read. What is read is what was written, or it is damaged.
import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib'
import { SnapshotDamagedError } from './damaged.js'

// A block's head: its length in the file, its length unpacked (the same where it is not packed), the checksum of what is in the file.
const STORED_LENGTH = 0
const LENGTH = 4
const CHECKSUM = 8
const HEAD_LENGTH = 12

/** The fastest: on states it packs to a fifth, and further levels to a sixth. */
const PACKING_LEVEL = 1

/** Where blocks lie in a file: from `start` until before `end`. */
export interface Stretch {
  readonly start: number
  readonly end: number
}

/** A file being written. Throws what the file system throws. */
export class BlockFileWriter {
  readonly #file: number
  #end = 0
  #checksum = 0

  constructor(path: string) {
    this.#file = openSync(path, 'wx')
  }

  /** Where the next block will begin. */
  get end(): number {
    return this.#end
  }

  /** Of all that was written so far. */
  get checksum(): number {
    return this.#checksum
  }

  write(bytes: Buffer, { packed }: { readonly packed: boolean }): void {
    const smaller = packed ? deflateRawSync(bytes, { level: PACKING_LEVEL }) : bytes
    const stored = smaller.length < bytes.length ? smaller : bytes
    const head = Buffer.alloc(HEAD_LENGTH)
    head.writeUInt32LE(stored.length, STORED_LENGTH)
    head.writeUInt32LE(bytes.length, LENGTH)
    head.writeUInt32LE(crc32(stored), CHECKSUM)
    this.#checksum = crc32(head, this.#checksum)
    this.#append(head)
    this.#append(stored)
  }

  sync(): void {
    fsyncSync(this.#file)
  }

  close(): void {
    closeSync(this.#file)
  }

  #append(bytes: Buffer): void {
    for (let from = 0; from < bytes.length; ) from += writeSync(this.#file, bytes, from)
    this.#end += bytes.length
  }
}

/** A file that was written whole. */
export class BlockFile {
  readonly #file: number
  readonly length: number

  /** Throws SnapshotDamagedError where it cannot be opened: it was there when the folder was listed. */
  constructor(readonly path: string) {
    try {
      this.#file = openSync(path, 'r')
    } catch (cause) {
      throw new SnapshotDamagedError(path, 'cannot be opened', { cause })
    }
    this.length = fstatSync(this.#file).size
  }

  /** The block that begins at `start`. Throws SnapshotDamagedError. */
  block(start: number): { readonly bytes: Buffer; readonly end: number } {
    const head = this.#read(start, HEAD_LENGTH)
    const end = start + HEAD_LENGTH + head.readUInt32LE(STORED_LENGTH)
    if (end > this.length) throw new SnapshotDamagedError(this.path, `is cut short in the block at ${start}`)
    const stored = this.#read(start + HEAD_LENGTH, head.readUInt32LE(STORED_LENGTH))
    if (crc32(stored) !== head.readUInt32LE(CHECKSUM)) {
      throw new SnapshotDamagedError(this.path, `fails a checksum in the block at ${start}`)
    }
    const length = head.readUInt32LE(LENGTH)
    const bytes = stored.length === length ? stored : this.#unpack(stored, start)
    if (bytes.length !== length)
      throw new SnapshotDamagedError(this.path, `has another length in the block at ${start}`)
    return { bytes, end }
  }

  /** All blocks of a stretch. Throws SnapshotDamagedError. */
  *blocks({ start, end }: Stretch): Iterable<Buffer> {
    for (let at = start; at < end; ) {
      const block = this.block(at)
      yield block.bytes
      at = block.end
    }
  }

  close(): void {
    closeSync(this.#file)
  }

  #unpack(stored: Buffer, start: number): Buffer {
    try {
      return inflateRawSync(stored)
    } catch (cause) {
      throw new SnapshotDamagedError(this.path, `cannot be unpacked in the block at ${start}`, { cause })
    }
  }

  #read(start: number, length: number): Buffer {
    if (start < 0 || start + length > this.length) throw new SnapshotDamagedError(this.path, 'is cut short')
    const bytes = Buffer.allocUnsafe(length)
    for (let from = 0; from < length; ) {
      const read = this.#readSome(bytes, from, start + from)
      if (read === 0) throw new SnapshotDamagedError(this.path, 'is cut short')
      from += read
    }
    return bytes
  }

  #readSome(bytes: Buffer, from: number, position: number): number {
    try {
      return readSync(this.#file, bytes, from, bytes.length - from, position)
    } catch (cause) {
      throw new SnapshotDamagedError(this.path, 'cannot be read', { cause })
    }
  }
}
