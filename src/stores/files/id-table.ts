// A table of ids, each kept once as bytes with what lines said of it: a quarter of what a Map of strings would take. A hash only says
// where to look; ids are compared whole, four bytes at once.
import { HELD, type Ids, lengthOf, marksOf, PAID, TICKETED, withMarks } from './id-batch.js'
import { NumberList } from './number-list.js'

const PAGE_BITS = 20
/** Numbers of four bytes each. */
const PAGE_LENGTH = 1 << PAGE_BITS
/** A reference is a page's number and a place in it, in 32 bits. */
const PAGES_MAX = 2 ** (32 - PAGE_BITS)
/** A record: an id's length and marks, the line of its first payment, that of its first ticket (0: none), and its bytes. */
const [PAYMENT_AT, TICKET_AT, WORDS_AT] = [1, 2, 3]
const SLOTS_MIN = 1 << 16
const SLOT_BYTES = 8
/** Of ten slots, so many may be taken before there are twice as many. */
const TAKEN_OF_TEN = 6
/** So many ids are looked for together. */
const TOUCHED_MAX = 256

/** An id longer than a page, or more ids or lines than a reference can tell apart. */
export class IdTableFullError extends Error {
  override readonly name = 'IdTableFullError'
}

/** How much of a log is settled: events, streams and transactions. */
export interface SettledCounts {
  readonly events: number
  readonly streams: number
  readonly subjects: number
}

export class IdTable {
  readonly #pages: Int32Array[] = []
  /** Where the records of each page end. */
  readonly #ends: number[] = []
  /** Pairs of a reference and its hash; a reference of 0 is an empty slot. */
  #slots = new Uint32Array(2 * SLOTS_MIN)
  #count = 0
  /** Lines beyond the first payment and the first ticket of an id: the id's reference, and the line. */
  readonly #moreRefs = new NumberList()
  readonly #moreLines = new NumberList()
  /** A sum of what was touched, for nobody: without it the compiler would see that the touching is useless. */
  touched = 0

  /** What it takes of memory. */
  get bytes(): number {
    const pages = this.#pages.length * PAGE_LENGTH * Int32Array.BYTES_PER_ELEMENT
    return pages + this.#slots.byteLength + this.#moreRefs.bytes + this.#moreLines.bytes
  }

  /** Makes room for so many ids, in at most so many bytes: else it would be made again and again as they come. */
  reserve(ids: number, bytesMax: number): void {
    let slots = this.#slots.length / 2
    while (slots * TAKEN_OF_TEN < ids * 10 && 2 * slots * SLOT_BYTES <= bytesMax) slots *= 2
    if (slots > this.#slots.length / 2) this.#resize(slots)
  }

  /** Keeps what lines say of ids. Throws IdTableFullError. */
  take(ids: Ids): void {
    for (let start = 0; start < ids.count; start += TOUCHED_MAX) {
      const end = Math.min(start + TOUCHED_MAX, ids.count)
      this.#touch(ids, start, end)
      for (let i = start; i < end; i += 1) this.#note(ids, i)
    }
  }

  /**
   * Counts what is settled: has a ticket and nothing unreadable. Of the others each line is picked. The transaction of the line `last` is not
   * settled either way.
   */
  settle(last: number, pick: (line: number) => void): SettledCounts {
    const counts = { events: 0, streams: 0, subjects: 0 }
    for (let i = 0; i < this.#moreRefs.length; i += 1) {
      if (this.#moreLines.at(i) === last) this.#mark(this.#moreRefs.at(i), HELD)
    }
    for (const [index, page] of this.#pages.entries()) {
      for (let at = 1; at < (this.#ends[index] as number); at += recordLength(page[at] as number)) {
        settleRecord(page, at, last, counts, pick)
      }
    }
    for (let i = 0; i < this.#moreRefs.length; i += 1) {
      if (isSettled(this.#head(this.#moreRefs.at(i)))) counts.events += 1
      else pick(this.#moreLines.at(i))
    }
    return counts
  }

  /**
   * Touches what will be looked at for these ids. A table this large is never in the processor's cache; here the waits for memory overlap,
   * where each id would have one of its own. Nothing depends on it but the time.
   */
  #touch({ hashes }: Ids, start: number, end: number): void {
    const slots = this.#slots
    const mask = slots.length / 2 - 1
    let sum = 0
    for (let i = start; i < end; i += 1) sum += slots[2 * ((hashes[i] as number) & mask)] as number
    for (let i = start; i < end; i += 1) {
      const ref = slots[2 * ((hashes[i] as number) & mask)] as number
      if (ref !== 0) sum += this.#head(ref)
    }
    this.touched = sum
  }

  #note(ids: Ids, index: number): void {
    const marks = marksOf(ids.heads[index] as number)
    const line = ids.lines[index] as number
    const ref = this.#find(ids, index)
    const page = this.#pages[ref >>> PAGE_BITS] as Int32Array
    const at = ref & (PAGE_LENGTH - 1)
    page[at] = withMarks(page[at] as number, marks)
    const lineAt = at + ((marks & PAID) === 0 ? TICKET_AT : PAYMENT_AT)
    if (page[lineAt] === 0) {
      page[lineAt] = line
    } else {
      this.#moreRefs.push(ref)
      this.#moreLines.push(line)
    }
  }

  /** The reference of an id, which is kept from now on. */
  #find(ids: Ids, index: number): number {
    const slots = this.#slots
    const mask = slots.length / 2 - 1
    const hash = ids.hashes[index] as number
    let slot = hash & mask
    for (let ref = slots[2 * slot] as number; ref !== 0; ref = slots[2 * slot] as number) {
      if (slots[2 * slot + 1] === hash >>> 0 && this.#isAt(ref, ids, index)) return ref
      slot = (slot + 1) & mask
    }
    const ref = this.#keep(ids, index)
    slots[2 * slot] = ref
    slots[2 * slot + 1] = hash
    this.#count += 1
    if (this.#count * 10 > (slots.length / 2) * TAKEN_OF_TEN) this.#resize(slots.length)
    return ref
  }

  #isAt(ref: number, { words, starts, heads }: Ids, index: number): boolean {
    const page = this.#pages[ref >>> PAGE_BITS] as Int32Array
    const at = ref & (PAGE_LENGTH - 1)
    const length = lengthOf(heads[index] as number)
    if (lengthOf(page[at] as number) !== length) return false
    const from = starts[index] as number
    for (let i = 0; i * 4 < length; i += 1) if (page[at + WORDS_AT + i] !== words[from + i]) return false
    return true
  }

  #keep({ words, starts, heads }: Ids, index: number): number {
    const length = lengthOf(heads[index] as number)
    const needed = recordLength(length)
    if ((this.#ends.at(-1) ?? PAGE_LENGTH) + needed > PAGE_LENGTH) this.#addPage(needed)
    const last = this.#pages.length - 1
    const page = this.#pages[last] as Int32Array
    const at = this.#ends[last] as number
    const from = starts[index] as number
    page[at] = length
    for (let i = 0; i * 4 < length; i += 1) page[at + WORDS_AT + i] = words[from + i] as number
    this.#ends[last] = at + needed
    return ((last << PAGE_BITS) | at) >>> 0
  }

  #head(ref: number): number {
    return (this.#pages[ref >>> PAGE_BITS] as Int32Array)[ref & (PAGE_LENGTH - 1)] as number
  }

  #mark(ref: number, marks: number): void {
    const page = this.#pages[ref >>> PAGE_BITS] as Int32Array
    const at = ref & (PAGE_LENGTH - 1)
    page[at] = withMarks(page[at] as number, marks)
  }

  #addPage(needed: number): void {
    if (1 + needed > PAGE_LENGTH) throw new IdTableFullError(`An id of some ${needed * 4} bytes`)
    if (this.#pages.length === PAGES_MAX) throw new IdTableFullError(`${this.#count} ids`)
    this.#pages.push(new Int32Array(PAGE_LENGTH))
    // Never 0, which as a reference says that there is none.
    this.#ends.push(1)
  }

  /** Moves the slots to so many. */
  #resize(count: number): void {
    const old = this.#slots
    const slots = new Uint32Array(2 * count)
    const mask = count - 1
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

/** How many numbers a record takes. */
function recordLength(head: number): number {
  return WORDS_AT + ((lengthOf(head) + 3) >>> 2)
}

function isSettled(head: number): boolean {
  return (marksOf(head) & (TICKETED | HELD)) === TICKETED
}

function settleRecord(
  page: Int32Array,
  at: number,
  last: number,
  counts: { -readonly [Name in keyof SettledCounts]: number },
  pick: (line: number) => void,
): void {
  const payment = (page[at + PAYMENT_AT] as number) >>> 0
  const ticket = (page[at + TICKET_AT] as number) >>> 0
  if (payment === last || ticket === last) page[at] = withMarks(page[at] as number, HELD)
  const head = page[at] as number
  if (isSettled(head)) {
    const lines = Number(payment !== 0) + Number(ticket !== 0)
    counts.events += lines
    counts.streams += lines
    counts.subjects += 1
    return
  }
  if (payment !== 0) pick(payment)
  if (ticket !== 0) pick(ticket)
}
