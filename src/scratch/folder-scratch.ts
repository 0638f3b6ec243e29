// Scratch space in a folder: one file for all runs, each of them a list of stretches of it. The file loses its name as soon as it is open, so that
// the system frees it when the process ends, however it ends; nothing is left to be cleaned up.
import { randomUUID } from 'node:crypto'
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type Scratch, ScratchError, type ScratchRun } from '../engine/scratch.js'

/** Written and read in pieces of this length. */
const PIECE_LENGTH = 1 << 16
/** Longer records are written as they are. They are in order all the same: what was gathered before them is written first. */
const GATHERED_MAX = PIECE_LENGTH / 2
const LENGTH_BYTES = 4

/** Scratch space in `folder`, which must be there. Throws ScratchError where no file can be made. */
export function folderScratch(folder: string): Scratch {
  let file: ScratchFile | undefined
  return {
    newRun: () => {
      file ??= new ScratchFile(folder)
      return new FileRun(file)
    },
    close: () => {
      file?.close()
      file = undefined
    },
  }
}

/** Where bytes lie in the file. */
interface Stretch {
  readonly start: number
  readonly length: number
}

class ScratchFile {
  readonly #folder: string
  readonly #file: number
  #written = 0

  constructor(folder: string) {
    this.#folder = folder
    const path = join(folder, `makegood-${randomUUID()}.scratch`)
    this.#file = this.#tell(() => openSync(path, 'wx+'))
    this.#tell(() => unlinkSync(path))
  }

  append(...parts: readonly Uint8Array[]): Stretch {
    const start = this.#written
    for (const bytes of parts) {
      for (let from = 0; from < bytes.length; ) {
        const written = this.#tell(() => writeSync(this.#file, bytes, from, bytes.length - from, this.#written))
        from += written
        this.#written += written
      }
    }
    return { start, length: this.#written - start }
  }

  read({ start, length }: Stretch): Buffer {
    const bytes = Buffer.allocUnsafeSlow(length)
    for (let from = 0; from < length; ) {
      const read = this.#tell(() => readSync(this.#file, bytes, from, length - from, start + from))
      if (read === 0) throw new ScratchError(`Scratch space in ${this.#folder} gave back less than was written`)
      from += read
    }
    return bytes
  }

  close(): void {
    closeSync(this.#file)
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

/** Records stand behind their lengths. A stretch holds whole records. */
class FileRun implements ScratchRun {
  readonly #file: ScratchFile
  readonly #stretches: Stretch[] = []
  #pending: Buffer | undefined
  #pendingLength = 0

  constructor(file: ScratchFile) {
    this.#file = file
  }

  write(record: Uint8Array): void {
    const length = LENGTH_BYTES + record.length
    if (this.#pendingLength + length > PIECE_LENGTH || length > GATHERED_MAX) this.#flush()
    if (length > GATHERED_MAX) {
      this.#stretches.push(this.#file.append(lengthOf(record), record))
      return
    }
    this.#pending ??= Buffer.allocUnsafeSlow(PIECE_LENGTH)
    this.#pending.writeUInt32LE(record.length, this.#pendingLength)
    this.#pending.set(record, this.#pendingLength + LENGTH_BYTES)
    this.#pendingLength += length
  }

  *read(): Iterable<Uint8Array> {
    this.#flush()
    for (const stretch of this.#stretches) {
      const bytes = this.#file.read(stretch)
      for (let at = 0; at < bytes.length; ) {
        const start = at + LENGTH_BYTES
        at = start + bytes.readUInt32LE(at)
        yield bytes.subarray(start, at)
      }
    }
  }

  #flush(): void {
    if (!this.#pending || this.#pendingLength === 0) return
    this.#stretches.push(this.#file.append(this.#pending.subarray(0, this.#pendingLength)))
    this.#pendingLength = 0
  }
}

function lengthOf(record: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(LENGTH_BYTES)
  bytes.writeUInt32LE(record.length)
  return bytes
}
