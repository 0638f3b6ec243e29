// A table of ids, each kept once as bytes with a few flags beside it: a quarter of what a Map of strings would take. A hash only says
// where to look; ids are compared whole. Bytes are held four to a number, so that hashing, comparing and keeping an id are a quarter of the steps.
import { randomInt } from 'node:crypto'

const PAGE_BITS = 20
/** Numbers of four bytes each. */
const PAGE_LENGTH = 1 << PAGE_BITS
/** A reference is a page's number and a place in it, in 32 bits. */
const PAGES_MAX = 2 ** (32 - PAGE_BITS)
/** A record begins with a number of an id's length and, above it, its flags. */
const LENGTH_BITS = 24
const LENGTH_MASK = (1 << LENGTH_BITS) - 1
const SLOTS_MIN = 1 << 16
/** Of ten slots, so many may be taken before there are twice as many. */
const TAKEN_OF_TEN = 6

/** No hash that can be foreseen: else ids could be chosen so that all of them fall into one slot. */
const SEED = randomInt(2 ** 31)

/** An id longer than a page, or more ids than a reference can tell apart. */
export class IdTableFullError extends Error {
  override readonly name = 'IdTableFullError'
}

/** Ids on their way into a table, a few hundred at a time. */
export class IdBatch {
  /** Of each id: its hash, as a signed number, its length in bytes, and where in `words` it begins. */
  readonly hashes: Int32Array
  readonly lengths: Int32Array
  readonly starts: Int32Array
  words = new Int32Array(1 << 12)
  count = 0
  #used = 0

  constructor(readonly size: number) {
    this.hashes = new Int32Array(size)
    this.lengths = new Int32Array(size)
    this.starts = new Int32Array(size)
  }

  /** Adds an id that is not empty, behind less than `size` others, and returns its hash: another one in each process. */
  add(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start
    if (this.#used + length / 4 + 1 > this.words.length) this.#makeRoom(length)
    const { words } = this
    let to = this.#used
    let hash = SEED ^ length
    let at = start
    for (; at + 4 <= end; at += 4) {
      const word = wordAt(bytes, at, 4)
      words[to++] = word
      hash = Math.imul(hash ^ word, 0x9e3779b1)
      hash ^= hash >>> 15
    }
    if (at < end) {
      const word = wordAt(bytes, at, end - at)
      words[to++] = word
      hash = Math.imul(hash ^ word, 0x9e3779b1)
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
    hash ^= hash >>> 16
    this.hashes[this.count] = hash
    this.lengths[this.count] = length
    this.starts[this.count] = this.#used
    this.#used = to
    this.count += 1
    return hash
  }

  /** Takes the last id out again. */
  dropLast(): void {
    this.count -= 1
    this.#used = this.starts[this.count] as number
  }

  clear(): void {
    this.count = 0
    this.#used = 0
  }

  #makeRoom(length: number): void {
    const longer = new Int32Array(2 * this.words.length + length)
    longer.set(this.words)
    this.words = longer
  }
}

/** Up to four bytes as one number. */
function wordAt(bytes: Uint8Array, at: number, count: number): number {
  let word = bytes[at] as number
  if (count > 1) word |= (bytes[at + 1] as number) << 8
  if (count > 2) word |= (bytes[at + 2] as number) << 16
  if (count > 3) word |= (bytes[at + 3] as number) << 24
  return word
}

export class IdTable {
  readonly #pages: Int32Array[] = []
  /** Where the next record begins in the last page. */
  #free = PAGE_LENGTH
  /** Pairs of a reference and its hash; a reference of 0 is an empty slot. */
  #slots = new Uint32Array(2 * SLOTS_MIN)
  #count = 0
  /** A sum of what was touched, for nobody: without it the compiler would see that the touching is useless. */
  touched = 0

  /** What it takes of memory. */
  get bytes(): number {
    return this.#pages.length * PAGE_LENGTH * Int32Array.BYTES_PER_ELEMENT + this.#slots.byteLength
  }

  /**
   * Touches what `put` will look at for these ids. A table this large is never in the processor's cache; here the waits for memory overlap,
   * where each `put` would have one of its own. Nothing depends on it but the time.
   */
  touch({ hashes, count }: IdBatch): void {
    const slots = this.#slots
    const mask = slots.length / 2 - 1
    let sum = 0
    for (let i = 0; i < count; i += 1) sum += slots[2 * ((hashes[i] as number) & mask)] as number
    for (let i = 0; i < count; i += 1) {
      const ref = slots[2 * ((hashes[i] as number) & mask)] as number
      if (ref !== 0) sum += this.flags(ref)
    }
    this.touched = sum
  }

  /** The reference of an id, which is kept from now on. Throws IdTableFullError. */
  put(batch: IdBatch, index: number): number {
    const slots = this.#slots
    const mask = slots.length / 2 - 1
    const hash = batch.hashes[index] as number
    let slot = hash & mask
    for (let ref = slots[2 * slot] as number; ref !== 0; ref = slots[2 * slot] as number) {
      if (slots[2 * slot + 1] === hash >>> 0 && this.#isAt(ref, batch, index)) return ref
      slot = (slot + 1) & mask
    }
    const ref = this.#keep(batch, index)
    slots[2 * slot] = ref
    slots[2 * slot + 1] = hash
    this.#count += 1
    if (this.#count * 10 > (slots.length / 2) * TAKEN_OF_TEN) this.#grow()
    return ref
  }

  /** The flags of an id by its reference. */
  flags(ref: number): number {
    return ((this.#pages[ref >>> PAGE_BITS] as Int32Array)[ref & (PAGE_LENGTH - 1)] as number) >>> LENGTH_BITS
  }

  /** Flags are the bits of one byte. */
  setFlags(ref: number, flags: number): void {
    const page = this.#pages[ref >>> PAGE_BITS] as Int32Array
    const at = ref & (PAGE_LENGTH - 1)
    page[at] = ((page[at] as number) & LENGTH_MASK) | (flags << LENGTH_BITS)
  }

  #isAt(ref: number, { words, starts, lengths }: IdBatch, index: number): boolean {
    const page = this.#pages[ref >>> PAGE_BITS] as Int32Array
    const at = ref & (PAGE_LENGTH - 1)
    const length = lengths[index] as number
    if (((page[at] as number) & LENGTH_MASK) !== length) return false
    const from = starts[index] as number
    for (let i = 0; i * 4 < length; i += 1) if (page[at + 1 + i] !== words[from + i]) return false
    return true
  }

  #keep({ words, starts, lengths }: IdBatch, index: number): number {
    const length = lengths[index] as number
    const needed = 1 + Math.ceil(length / 4)
    if (this.#free + needed > PAGE_LENGTH) this.#addPage(needed)
    const page = this.#pages[this.#pages.length - 1] as Int32Array
    const at = this.#free
    const from = starts[index] as number
    page[at] = length
    for (let i = 0; i * 4 < length; i += 1) page[at + 1 + i] = words[from + i] as number
    this.#free = at + needed
    return (((this.#pages.length - 1) << PAGE_BITS) | at) >>> 0
  }

  #addPage(needed: number): void {
    if (1 + needed > PAGE_LENGTH) throw new IdTableFullError(`An id of some ${needed * 4} bytes`)
    if (this.#pages.length === PAGES_MAX) throw new IdTableFullError(`${this.#count} ids`)
    this.#pages.push(new Int32Array(PAGE_LENGTH))
    // Never 0, which as a reference says that there is none.
    this.#free = 1
  }

  #grow(): void {
    const old = this.#slots
    const slots = new Uint32Array(old.length * 2)
    const mask = slots.length / 2 - 1
    for (let from = 0; from < old.length; from += 2) {
      if (old[from] === 0) continue
      let slot = (old[from + 1] as number) & mask
      while (slots[2 * slot] !== 0) slot = (slot + 1) & mask
      slots[2 * slot] = old[from] as number
      slots[2 * slot + 1] = old[from + 1] as number
    }
    this.#slots = slots
  }
}
