// Scratch space in a folder. Each file loses its name as soon as it is open, so that the system frees it when the process ends, however
// it ends; nothing is left to be cleaned up.
import { randomUUID } from 'node:crypto'
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, ScratchError, type ScratchRun } from '../engine/scratch.js'

/** Written and read in pieces of this length. */
const PIECE_LENGTH = 1 << 16
const LENGTH_BYTES = 4

/** Scratch space in `folder`, which must be there. Throws ScratchError where no file can be made. */
export function folderScratch(folder: string): Scratch {
  const runs: FileRun[] = []
  return {
    newRun: () => {
      const run = new FileRun(folder)
      runs.push(run)
      return run
    },
    close: () => {
      for (const run of runs.splice(0)) run.close()
    },
  }
}

class FileRun implements ScratchRun {
  readonly #folder: string
  readonly #file: number
  #pending = Buffer.allocUnsafe(PIECE_LENGTH)
  #pendingLength = 0
  #written = 0

  constructor(folder: string) {
    this.#folder = folder
    const path = join(folder, `makegood-${randomUUID()}.scratch`)
    this.#file = this.#tell(() => openSync(path, 'wx+'))
    this.#tell(() => unlinkSync(path))
  }

  write(record: Uint8Array): void {
    const length = LENGTH_BYTES + record.length
    if (this.#pendingLength + length > this.#pending.length) this.#flush()
    if (length > this.#pending.length) this.#pending = Buffer.allocUnsafe(length)
    this.#pending.writeUInt32LE(record.length, this.#pendingLength)
    this.#pending.set(record, this.#pendingLength + LENGTH_BYTES)
    this.#pendingLength += length
  }

  *read(): Iterable<Uint8Array> {
    this.#flush()
    let bytes: Buffer = Buffer.alloc(0)
    let place = 0
    const need = (length: number): void => {
      if (bytes.length >= length) return
      const more = Buffer.allocUnsafe(Math.max(PIECE_LENGTH, length - bytes.length))
      const read = this.#tell(() => readSync(this.#file, more, 0, Math.min(more.length, this.#written - place), place))
      place += read
      bytes = Buffer.concat([bytes, more.subarray(0, read)])
      if (bytes.length < length)
        throw new ScratchError(`Scratch space in ${this.#folder} gave back less than was written`)
    }
    while (place < this.#written || bytes.length > 0) {
      need(LENGTH_BYTES)
      const length = LENGTH_BYTES + bytes.readUInt32LE(0)
      need(length)
      // A copy: what is read of it must outlive the piece.
      yield Uint8Array.prototype.slice.call(bytes, LENGTH_BYTES, length)
      bytes = bytes.subarray(length)
    }
  }

  close(): void {
    closeSync(this.#file)
  }

  #flush(): void {
    for (let from = 0; from < this.#pendingLength; ) {
      const left = this.#pendingLength - from
      const written = this.#tell(() => writeSync(this.#file, this.#pending, from, left, this.#written))
      from += written
      this.#written += written
    }
    this.#pendingLength = 0
  }

  #tell<T>(work: () => T): T {
    try {
      return work()
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException
      const why = code === 'ENOSPC' ? 'the disk is full' : message
      throw new ScratchError(`Scratch space in ${this.#folder}: ${why}. Name another folder with --scratch`, { cause })
    }
  }
}
