// Seeded random numbers: the same seed and stream give the same numbers on every machine. The generator is xoshiro128** 1.1 by David
// Blackman and Sebastiano Vigna (public domain, prng.di.unimi.it/xoshiro128starstar.c).

export class Random {
  #s0: number
  #s1: number
  #s2: number
  #s3: number

  /** `stream` tells apart independent sequences of one seed; both are safe integers. Distinct pairs begin in distinct states. */
  constructor(seed: number, stream = 0) {
    this.#s0 = mix(low(seed))
    this.#s1 = mix(high(seed) ^ 0x9e3779b9)
    this.#s2 = mix(low(stream) ^ 0x85ebca6b)
    this.#s3 = mix(high(stream) ^ 0xc2b2ae35)
    // Neighbouring streams differ in one word only; a few steps spread that over all four.
    for (let step = 0; step < 12; step += 1) this.uint32()
  }

  /** A whole number from 0 to 2^32 - 1. */
  uint32(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#s1, 5), 7), 9) >>> 0
    const shifted = this.#s1 << 9
    this.#s2 ^= this.#s0
    this.#s3 ^= this.#s1
    this.#s1 ^= this.#s2
    this.#s0 ^= this.#s3
    this.#s2 ^= shifted
    this.#s3 = rotateLeft(this.#s3, 11)
    return result
  }

  /** In [0, 1). */
  fraction(): number {
    return this.uint32() / 2 ** 32
  }

  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + Math.floor(this.fraction() * (max - min + 1))
  }

  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  /** One of a list that is not empty. */
  pick<Item>(items: readonly [Item, ...Item[]]): Item
  pick<Item>(items: readonly Item[]): Item
  pick<Item>(items: readonly Item[]): Item {
    return items[this.between(0, items.length - 1)] as Item
  }

  /** The list in another order (Fisher and Yates). */
  shuffled<Item>(items: readonly Item[]): Item[] {
    const result = [...items]
    for (let last = result.length - 1; last > 0; last -= 1) {
      const other = this.between(0, last)
      const item = result[last] as Item
      result[last] = result[other] as Item
      result[other] = item
    }
    return result
  }

  /** A UUID of version 4. */
  uuid(): string {
    const [a, b, c, d] = [this.uint32(), this.uint32(), this.uint32(), this.uint32()]
    const hex = hex8(a) + hex8((b & 0xffff0fff) | 0x4000) + hex8((c & 0x3fffffff) | 0x80000000) + hex8(d)
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
  }
}

/** The finaliser of MurmurHash3: each of the 2^32 words goes to another one. */
function mix(word: number): number {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

function rotateLeft(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by))
}

function low(value: number): number {
  return (value % 2 ** 32) | 0
}

function high(value: number): number {
  return Math.floor(value / 2 ** 32) | 0
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function hex8(word: number): string {
  return `${HEX[word >>> 24]}${HEX[(word >>> 16) & 255]}${HEX[(word >>> 8) & 255]}${HEX[word & 255]}`
}
