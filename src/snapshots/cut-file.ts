// The file of one cut: the states of the subjects touched since the cut before, the runs, and at last what the cut says of itself. It gets its
// name when all of it is on disk, and only if no other file has that name.
import { closeSync, fsyncSync, linkSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Cut } from '../engine/cut.js'
import { BlockFile, BlockFileWriter } from './block-file.js'
import { type CutInfo, infoOf, textOfInfo } from './cut-info.js'
import { SnapshotDamagedError } from './damaged.js'

/** Where the last block begins, as a double, then what tells the file from others. */
const TRAILER_LENGTH = 16
const MAGIC = Buffer.from('mgsnaps1')

export class CutFileWriter {
  readonly blocks: BlockFileWriter
  readonly #path: string
  readonly #draft: string

  constructor(path: string) {
    this.#path = path
    this.#draft = `${path}.${process.pid}.draft`
    this.blocks = new BlockFileWriter(this.#draft)
  }

  /** Makes the file durable under its name; false where one of that name is there already. The draft is left. */
  publish(info: CutInfo & { readonly cut: Cut }): boolean {
    const start = Buffer.alloc(8)
    start.writeDoubleLE(this.blocks.end)
    this.blocks.write(Buffer.from(textOfInfo(info)), { packed: false })
    this.blocks.write(Buffer.concat([start, MAGIC]), { packed: false })
    this.blocks.sync()
    const isFirst = link(this.#draft, this.#path)
    syncFolder(dirname(this.#path))
    return isFirst
  }

  /** Closes the file and removes the draft; what was published stays. */
  close(): void {
    this.blocks.close()
    rmSync(this.#draft, { force: true })
  }
}

function link(draft: string, path: string): boolean {
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** A cut's file, and what it says. */
export interface OpenCut {
  readonly file: BlockFile
  readonly info: CutInfo & { readonly cut: Cut }
}

/** The length of the last block: head and trailer. */
const LAST_BLOCK_LENGTH = 12 + TRAILER_LENGTH

/** Throws SnapshotDamagedError. */
export function openCut(path: string, number: number): OpenCut {
  const file = new BlockFile(path)
  try {
    const trailer = file.block(file.length - LAST_BLOCK_LENGTH).bytes
    if (!trailer.subarray(8).equals(MAGIC)) throw new SnapshotDamagedError(path, 'is no snapshot')
    const info = infoOf(file.block(trailer.readDoubleLE(0)).bytes.toString('utf8'))
    if (info?.number !== number) throw new SnapshotDamagedError(path, 'does not say what it is')
    return { file, info }
  } catch (error) {
    file.close()
    throw error
  }
}
