// Deadlines: when each subject has to be judged again though nothing happens. One moment a subject, the earliest first.

interface Due {
  readonly at: number
  readonly subject: string
}

/** Subjects by the moment at which they are due, in milliseconds since the Unix epoch. */
export class Deadlines {
  /** What holds; entries of the heap that differ from it are left over from before and are passed over. */
  readonly #moments = new Map<string, number>()
  readonly #heap: Due[] = []

  /** How many subjects have one. */
  get size(): number {
    return this.#moments.size
  }

  /** The moment of a subject. */
  of(subject: string): number | undefined {
    return this.#moments.get(subject)
  }

  /** Sets a subject's moment in place of the one it had; undefined takes it away. */
  set(subject: string, at: number | undefined): void {
    if (at === this.#moments.get(subject)) return
    if (at === undefined) {
      this.#moments.delete(subject)
      return
    }
    this.#moments.set(subject, at)
    this.#push({ at, subject })
  }

  /** The earliest moment of all. */
  next(): number | undefined {
    this.#dropStale()
    return this.#heap[0]?.at
  }

  /** Takes out the subjects whose moment has come by `now`. */
  takeDue(now: number): string[] {
    const due: string[] = []
    for (let at = this.next(); at !== undefined && at <= now; at = this.next()) {
      const { subject } = this.#pop() as Due
      this.#moments.delete(subject)
      due.push(subject)
    }
    return due
  }

  #dropStale(): void {
    for (let first = this.#heap[0]; first && this.#moments.get(first.subject) !== first.at; first = this.#heap[0]) {
      this.#pop()
    }
  }

  #push(due: Due): void {
    const heap = this.#heap
    let place = heap.push(due) - 1
    while (place > 0) {
      const parent = (place - 1) >>> 1
      if ((heap[parent] as Due).at <= due.at) break
      heap[place] = heap[parent] as Due
      place = parent
    }
    heap[place] = due
  }

  #pop(): Due | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (last && heap.length > 0) this.#sink(last)
    return first
  }

  #sink(due: Due): void {
    const heap = this.#heap
    let place = 0
    for (;;) {
      const left = 2 * place + 1
      const right = left + 1
      const least = right < heap.length && (heap[right] as Due).at < (heap[left] as Due).at ? right : left
      if (least >= heap.length || (heap[least] as Due).at >= due.at) break
      heap[place] = heap[least] as Due
      place = least
    }
    heap[place] = due
  }
}
