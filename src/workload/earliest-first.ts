// A priority queue (binary heap): whatever is due first comes out first. It holds the bookings that have begun and not ended.

export interface Due {
  /** Milliseconds since the Unix epoch. */
  readonly at: number
  /** Orders what is due at the same moment. */
  readonly index: number
}

export class EarliestFirst<Item extends Due> {
  readonly #heap: Item[] = []

  get size(): number {
    return this.#heap.length
  }

  /** The earliest, left in the queue. */
  peek(): Item | undefined {
    return this.#heap[0]
  }

  push(item: Item): void {
    const heap = this.#heap
    let place = heap.length
    while (place > 0) {
      const parent = (place - 1) >> 1
      const above = heap[parent] as Item
      if (!isBefore(item, above)) break
      heap[place] = above
      place = parent
    }
    heap[place] = item
  }

  /** The earliest, taken out. */
  pop(): Item | undefined {
    const first = this.#heap[0]
    const last = this.#heap.pop()
    if (last !== undefined && this.#heap.length > 0) this.#sink(last)
    return first
  }

  #sink(item: Item): void {
    const heap = this.#heap
    let place = 0
    for (;;) {
      const left = 2 * place + 1
      if (left >= heap.length) break
      const right = left + 1
      const child = right < heap.length && isBefore(heap[right] as Item, heap[left] as Item) ? right : left
      if (!isBefore(heap[child] as Item, item)) break
      heap[place] = heap[child] as Item
      place = child
    }
    heap[place] = item
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.at < b.at || (a.at === b.at && a.index < b.index)
}
