// Ids on their way into a table, with what lines say of them: by the thousand, in memory that another thread can read.

/** What lines say of an id: there is a payment, there is a ticket, there is a line that nobody can read. */
export const [PAID, TICKETED, HELD] = [1, 2, 4] as const

/** Above an id's length in bytes stand its marks. */
const LENGTH_BITS = 24
const LENGTH_MASK = (1 << LENGTH_BITS) - 1

/** The length of an id in bytes. */
export function lengthOf(head: number): number {
  return head & LENGTH_MASK
}

export function marksOf(head: number): number {
  return head >>> LENGTH_BITS
}

/** The same with more marks. */
export function withMarks(head: number, marks: number): number {
  return head | (marks << LENGTH_BITS)
}

/** Ids in a row. Of each: its length and marks, its hash as a signed number, the line that speaks of it, and where in `words` it begins. */
export interface Ids {
  readonly count: number
  readonly heads: Int32Array
  readonly hashes: Int32Array
  readonly lines: Uint32Array
  readonly starts: Int32Array
  /** Four bytes each; behind an id's end zeros. */
  readonly words: Int32Array
}

/** Ids, up to `size` of them. */
export class IdBatch implements Ids {
  readonly heads: Int32Array
  readonly hashes: Int32Array
  readonly lines: Uint32Array
  readonly starts: Int32Array
  words: Int32Array
  count = 0
  #used = 0

  constructor(readonly size: number) {
    this.heads = new Int32Array(sharedWords(size))
    this.hashes = new Int32Array(sharedWords(size))
    this.lines = new Uint32Array(sharedWords(size))
    this.starts = new Int32Array(sharedWords(size))
    this.words = new Int32Array(sharedWords(16 * size))
  }

  get isFull(): boolean {
    return this.count === this.size
  }

  /** Adds the id in the bytes from `start` to `end`, which is not empty; there must be room. */
  add(view: DataView, start: number, end: number, hash: number, marks: number, line: number): void {
    const length = end - start
    if (this.#used + length / 4 + 1 > this.words.length) this.#makeRoom(length)
    const { words, count } = this
    let to = this.#used
    this.heads[count] = withMarks(length, marks)
    this.hashes[count] = hash
    this.lines[count] = line
    this.starts[count] = to
    let at = start
    for (; at + 4 <= end; at += 4) words[to++] = view.getInt32(at, true)
    if (at < end) words[to++] = lastWord(view, at, end)
    this.#used = to
    this.count = count + 1
  }

  clear(): void {
    this.count = 0
    this.#used = 0
  }

  /** As another thread gets it: sharing the memory. */
  toMessage(): Ids {
    const { count, heads, hashes, lines, starts, words } = this
    return { count, heads, hashes, lines, starts, words }
  }

  #makeRoom(length: number): void {
    const longer = new Int32Array(sharedWords(2 * this.words.length + length))
    longer.set(this.words)
    this.words = longer
  }
}

function sharedWords(count: number): SharedArrayBuffer {
  return new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT)
}

/** A hash of 32 bits, as a signed number. `seed`: none that can be foreseen, else ids could be chosen so that all of them fall into one slot. */
export function hashOf(view: DataView, start: number, end: number, seed: number): number {
  let hash = seed ^ (end - start)
  let at = start
  for (; at + 4 <= end; at += 4) {
    hash = Math.imul(hash ^ view.getInt32(at, true), 0x9e3779b1)
    hash ^= hash >>> 15
  }
  if (at < end) hash = Math.imul(hash ^ lastWord(view, at, end), 0x9e3779b1)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

/** Fewer than four bytes as one number. */
function lastWord(view: DataView, start: number, end: number): number {
  let word = view.getUint8(start)
  if (end - start > 1) word |= view.getUint8(start + 1) << 8
  if (end - start > 2) word |= view.getUint8(start + 2) << 16
  return word
}

/** Which of `count` shares an id is in. It is told by other bits than those that choose a slot of the table. */
export function shareOf(hash: number, count: number): number {
  return count === 1 ? 0 : ((Math.imul(hash, 0x9e3779b1) >>> 16) * count) >>> 16
}
