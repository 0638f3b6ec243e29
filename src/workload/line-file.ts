// A text file written from its beginning in large pieces, however many small ones it is given; it takes its name when it is whole.
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'

const PIECE_LENGTH = 1 << 20

export class LineFile {
  readonly #path: string
  readonly #file: number
  #pending: string[] = []
  #length = 0

  /** Begins the file anew, beside the one that may be there. Throws the system's error where it cannot be written. */
  constructor(path: string) {
    this.#path = path
    this.#file = openSync(this.#partPath, 'w')
  }

  get #partPath(): string {
    return `${this.#path}.part`
  }

  write(text: string): void {
    this.#pending.push(text)
    this.#length += text.length
    if (this.#length >= PIECE_LENGTH) this.#flush()
  }

  /** Ends the file and puts it in its place. */
  close(): void {
    try {
      this.#flush()
    } finally {
      closeSync(this.#file)
    }
    renameSync(this.#partPath, this.#path)
  }

  /** Drops what was written; what was there before stays. */
  discard(): void {
    closeSync(this.#file)
    rmSync(this.#partPath, { force: true })
  }

  #flush(): void {
    const bytes = Buffer.from(this.#pending.join(''))
    this.#pending = []
    this.#length = 0
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#file, bytes, written)
  }
}
