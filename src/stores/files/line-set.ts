// Lines of one file by their numbers: where they begin, roughly, and which of them were picked.

/** The place of one line in so many is kept; the others are counted from there. */
export const PLACE_STRIDE = 16
const BITS = 32

/** Lines that stand together. */
interface Lines {
  /** The number of the first. */
  readonly first: number
  /** How many bytes stand before it. */
  readonly offset: number
  /** Where every so many of them begin, counted from there. */
  readonly places: Uint32Array
}

/** Numbers count from 1. */
export class LineSet {
  readonly #runs: Lines[] = []
  #picked = new Uint32Array(0)
  #count = 0

  /** How many lines the file has. */
  get count(): number {
    return this.#count
  }

  /** Adds the next lines. `places`: where the first of them and each sixteenth behind it begin, counted from `offset`. */
  add(count: number, offset: number, places: Uint32Array): void {
    if (count > 0) this.#runs.push({ first: this.#count + 1, offset, places })
    this.#count += count
  }

  /** Adds the next lines of a file that is never read but from its start. */
  addUnplaced(count: number): void {
    this.#count += count
  }

  /** The last line at or before `number` whose place is known. */
  knownBefore(number: number): { readonly number: number; readonly offset: number } {
    const { first, offset, places } = this.#runs[this.#runOf(number)] as Lines
    const index = Math.floor((number - first) / PLACE_STRIDE)
    return { number: first + index * PLACE_STRIDE, offset: offset + (places[index] as number) }
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

  /** The last lines added that begin at or before one. */
  #runOf(number: number): number {
    let [low, high] = [0, this.#runs.length - 1]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if ((this.#runs[middle] as Lines).first <= number) low = middle
      else high = middle - 1
    }
    return low
  }

  #makeRoom(index: number): void {
    const longer = new Uint32Array(Math.max(index + 1, this.#picked.length * 2, 1024))
    longer.set(this.#picked)
    this.#picked = longer
  }
}
