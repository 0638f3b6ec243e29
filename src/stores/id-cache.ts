// The ids that this process appended last. They tell a retry where the guard names no revision, until they are forgotten.
import type { Revision } from '../log/revision.js'

/** Where an id was written first. */
export interface IdPlace {
  readonly stream: string
  readonly revision: Revision
}

// Measured on a real server: an id is forgotten after 8 MiB of entries of this size.
const CAPACITY_BYTES = 8 * 1024 * 1024
const ENTRY_BYTES = 56
const CHARACTER_BYTES = 2

/** First in, first out, bounded by bytes. Keyed by the id alone, over all streams: whoever wrote an id first keeps it. */
export class IdCache {
  readonly #places = new Map<string, IdPlace>()
  /** Stands in front of the oldest id. One that is begun anew would pass over all that were removed before it. */
  #oldestFirst = this.#places.keys()
  #bytes = 0

  /** The revision at which this stream, before any other, got the id. */
  revisionIn(stream: string, id: string): Revision | undefined {
    const place = this.#places.get(id)
    return place?.stream === stream ? place.revision : undefined
  }

  /** Does nothing where the id is known. */
  remember(id: string, place: IdPlace): void {
    if (this.#places.has(id)) return
    this.#places.set(id, place)
    this.#bytes += bytesOf(place)
    while (this.#bytes > CAPACITY_BYTES) this.#remove(this.#oldest())
  }

  /** Takes back what was remembered for a place that then was not written. */
  forget(id: string, place: IdPlace): void {
    if (this.#places.get(id) === place) this.#remove(id)
  }

  /** The oldest id; there is one. */
  #oldest(): string {
    const { done, value } = this.#oldestFirst.next()
    if (!done) return value
    // It had come to the end, behind which nothing is seen any more.
    this.#oldestFirst = this.#places.keys()
    return this.#oldestFirst.next().value as string
  }

  #remove(id: string): void {
    const place = this.#places.get(id)
    if (place && this.#places.delete(id)) this.#bytes -= bytesOf(place)
  }
}

function bytesOf(place: IdPlace): number {
  return ENTRY_BYTES + CHARACTER_BYTES * place.stream.length
}
