// A growing list of numbers in plain memory, a page at a time: nothing is copied as it grows, and what is not used is not taken.

const PAGE_LENGTH = 1 << 16

/** Numbers from 0 to 2^32 - 1. */
export class NumberList {
  readonly #pages: Uint32Array[] = []
  #length = 0

  get length(): number {
    return this.#length
  }

  /** What it takes of memory. */
  get bytes(): number {
    return this.#pages.length * PAGE_LENGTH * Uint32Array.BYTES_PER_ELEMENT
  }

  push(value: number): void {
    const place = this.#length % PAGE_LENGTH
    if (place === 0) this.#pages.push(new Uint32Array(PAGE_LENGTH))
    const page = this.#pages[this.#pages.length - 1] as Uint32Array
    page[place] = value
    this.#length += 1
  }

  /** The number at a place below the length. */
  at(index: number): number {
    return (this.#pages[Math.floor(index / PAGE_LENGTH)] as Uint32Array)[index % PAGE_LENGTH] as number
  }

  /** All of them, as an array of its own. */
  toArray(): Uint32Array {
    const all = new Uint32Array(this.#length)
    for (const [index, page] of this.#pages.entries()) {
      const start = index * PAGE_LENGTH
      all.set(page.subarray(0, this.#length - start), start)
    }
    return all
  }
}
