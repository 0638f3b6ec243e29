// Events that wait for a consumer, in the order in which they are to be given out.

/** What a round of offers does with an event: it is taken, it waits for a later round, or the round is over. */
export type Offered = 'taken' | 'kept' | 'stop'

export class EventQueue<Waiting> {
  #items: Waiting[] = []
  /** The first that was not taken yet; those before it are dropped many at a time. */
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  /** Puts an event behind all others. */
  push(item: Waiting): void {
    this.#items.push(item)
  }

  /** Puts an event before the first that is to come after it. */
  insert(item: Waiting, comesBefore: (item: Waiting, other: Waiting) => boolean): void {
    let place = this.#items.length
    // Looked for from the end: what is put back was mostly given out last.
    for (; place > this.#head; place--) {
      const other = this.#items[place - 1]
      if (other === undefined || !comesBefore(item, other)) break
    }
    this.#items.splice(place, 0, item)
  }

  /** Offers the events in order, each once, until they are through or the round is over. */
  offer(accept: (item: Waiting) => Offered): void {
    const kept: Waiting[] = []
    let at = this.#head
    for (; at < this.#items.length; at++) {
      const item = this.#items[at] as Waiting
      const offered = accept(item)
      if (offered === 'stop') break
      if (offered === 'kept') kept.push(item)
    }
    if (kept.length > 0) this.#items.splice(this.#head, at - this.#head, ...kept)
    else this.#head = at
    this.#trim()
  }

  #trim(): void {
    if (this.#head * 2 < this.#items.length) return
    this.#items = this.#items.slice(this.#head)
    this.#head = 0
  }
}
