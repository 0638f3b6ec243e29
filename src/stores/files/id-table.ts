// A table of ids as bytes, each kept once with a few flags beside it: what a Map of strings would hold in four times the memory. A hash
// only says where to look; ids are compared whole.
import { randomInt } from 'node:crypto'

const PAGE_BITS = 22
const PAGE_BYTES = 1 << PAGE_BITS
/** A reference is a page's number and a place in it, in 32 bits. */
const PAGES_MAX = 2 ** (32 - PAGE_BITS)
/** Flags, then the length. */
const HEAD_BYTES = 5
const SLOTS_MIN = 1 << 16
/** Of ten slots, so many may be taken before there are twice as many. */
const TAKEN_OF_TEN = 6

/** No hash that can be foreseen: else ids could be chosen so that all of them fall into one slot. */
const SEED = randomInt(2 ** 31)

/** A hash of an id, as a signed 32-bit number; another one in each process. */
export function hashOfId(bytes: Uint8Array, start: number, end: number): number {
  let hash = SEED ^ (end - start)
  let at = start
  // Four bytes a step: the multiplications wait for each other.
  for (; at + 4 <= end; at += 4) {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    hash = Math.imul(hash ^ word, 0x9e3779b1)
    hash ^= hash >>> 15
  }
  for (; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

/** An id longer than a page, or more ids than a reference can tell apart. */
export class IdTableFullError extends Error {
  override readonly name = 'IdTableFullError'
}

export class IdTable {
  readonly #pages: Uint8Array[] = []
  /** Where the next record begins in the last page. */
  #free = PAGE_BYTES
  /** Pairs of a reference and its hash; a reference of 0 is an empty slot. */
  #slots = new Uint32Array(2 * SLOTS_MIN)
  #count = 0

  /** How many ids it holds. */
  get count(): number {
    return this.#count
  }

  /** What it takes of memory. */
  get bytes(): number {
    return this.#pages.length * PAGE_BYTES + this.#slots.byteLength
  }

  /** The reference of an id, which is kept from now on. Throws IdTableFullError. */
  put(bytes: Uint8Array, start: number, end: number, hash: number): number {
    const slots = this.#slots
    const mask = slots.length / 2 - 1
    let slot = hash & mask
    for (let ref = slots[2 * slot] as number; ref !== 0; ref = slots[2 * slot] as number) {
      if (slots[2 * slot + 1] === hash >>> 0 && this.#isAt(ref, bytes, start, end)) return ref
      slot = (slot + 1) & mask
    }
    const ref = this.#keep(bytes, start, end)
    slots[2 * slot] = ref
    slots[2 * slot + 1] = hash
    this.#count += 1
    if (this.#count * 10 > (slots.length / 2) * TAKEN_OF_TEN) this.#grow()
    return ref
  }

  /** The flags of an id by its reference. */
  flags(ref: number): number {
    return (this.#pages[ref >>> PAGE_BITS] as Uint8Array)[ref & (PAGE_BYTES - 1)] as number
  }

  /** Flags are the bits of one byte. */
  setFlags(ref: number, flags: number): void {
    ;(this.#pages[ref >>> PAGE_BITS] as Uint8Array)[ref & (PAGE_BYTES - 1)] = flags
  }

  #isAt(ref: number, bytes: Uint8Array, start: number, end: number): boolean {
    const page = this.#pages[ref >>> PAGE_BITS] as Uint8Array
    const at = ref & (PAGE_BYTES - 1)
    const length = end - start
    if (readLength(page, at + 1) !== length) return false
    const from = at + HEAD_BYTES
    for (let i = 0; i < length; i += 1) if (page[from + i] !== bytes[start + i]) return false
    return true
  }

  #keep(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start
    if (this.#free + HEAD_BYTES + length > PAGE_BYTES) this.#addPage(length)
    const page = this.#pages[this.#pages.length - 1] as Uint8Array
    const at = this.#free
    writeLength(page, at + 1, length)
    const to = at + HEAD_BYTES
    for (let i = 0; i < length; i += 1) page[to + i] = bytes[start + i] as number
    this.#free = to + length
    return (((this.#pages.length - 1) << PAGE_BITS) | at) >>> 0
  }

  #addPage(length: number): void {
    if (1 + HEAD_BYTES + length > PAGE_BYTES) throw new IdTableFullError(`An id of ${length} bytes`)
    if (this.#pages.length === PAGES_MAX) throw new IdTableFullError(`${this.#count} ids`)
    this.#pages.push(new Uint8Array(PAGE_BYTES))
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

function readLength(page: Uint8Array, at: number): number {
  return (
    (page[at] as number) |
    ((page[at + 1] as number) << 8) |
    ((page[at + 2] as number) << 16) |
    ((page[at + 3] as number) << 24)
  )
}

function writeLength(page: Uint8Array, at: number, length: number): void {
  page[at] = length
  page[at + 1] = length >>> 8
  page[at + 2] = length >>> 16
  page[at + 3] = length >>> 24
}
