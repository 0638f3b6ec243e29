// Lines of one file by their numbers: where they begin, roughly, and which of them were picked.
import { NumberList } from './number-list.js'

/** The place of one line in so many is kept; the others are counted from there. */
const STRIDE = 16
const BITS = 32

/** Numbers count from 1. */
export class LineSet {
  /** Places of the lines 1, 17, 33 and so on: their lower and their upper 32 bits. */
  readonly #places = [new NumberList(), new NumberList()] as const
  #picked = new Uint32Array(0)
  #count = 0

  /** How many lines the file has. */
  get count(): number {
    return this.#count
  }

  /** Adds the next line; `offset`: how many bytes stand before it. */
  add(offset: number): void {
    if (this.#count % STRIDE === 0) {
      this.#places[0].push(offset >>> 0)
      this.#places[1].push(Math.floor(offset / 2 ** BITS))
    }
    this.#count += 1
  }

  /** The last line at or before `number` whose place is known. */
  knownBefore(number: number): { readonly number: number; readonly offset: number } {
    const index = Math.floor((number - 1) / STRIDE)
    const offset = this.#places[0].at(index) + this.#places[1].at(index) * 2 ** BITS
    return { number: index * STRIDE + 1, offset }
  }

  pick(number: number): void {
    const index = Math.floor(number / BITS)
    if (index >= this.#picked.length) this.#makeRoom(index)
    this.#picked[index] = (this.#picked[index] as number) | (1 << (number % BITS))
  }

  isPicked(number: number): boolean {
    return ((this.#picked[Math.floor(number / BITS)] ?? 0) & (1 << (number % BITS))) !== 0
  }

  /** The picked lines in order. */
  *picked(): Iterable<number> {
    for (const [index, bits] of this.#picked.entries()) {
      if (bits === 0) continue
      for (let bit = 0; bit < BITS; bit += 1) if ((bits & (1 << bit)) !== 0) yield index * BITS + bit
    }
  }

  #makeRoom(index: number): void {
    const longer = new Uint32Array(Math.max(index + 1, this.#picked.length * 2, 1024))
    longer.set(this.#picked)
    this.#picked = longer
  }
}
