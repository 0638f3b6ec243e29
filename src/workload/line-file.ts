// A text file written from its beginning in large pieces, however many small ones it is given.
import { closeSync, openSync, writeSync } from 'node:fs'

const PIECE_LENGTH = 1 << 20

export class LineFile {
  readonly #file: number
  #pending: string[] = []
  #length = 0

  /** Begins the file anew. Throws the system's error where it cannot be written. */
  constructor(path: string) {
    this.#file = openSync(path, 'w')
  }

  write(text: string): void {
    this.#pending.push(text)
    this.#length += text.length
    if (this.#length >= PIECE_LENGTH) this.#flush()
  }

  close(): void {
    try {
      this.#flush()
    } finally {
      closeSync(this.#file)
    }
  }

  #flush(): void {
    const bytes = Buffer.from(this.#pending.join(''))
    this.#pending = []
    this.#length = 0
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#file, bytes, written)
  }
}
