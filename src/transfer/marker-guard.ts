// Keeps generated events and real ones apart: a marked store is repaired with made-up tickets, so nothing real may come into it, and no store that
// holds anything else may become marked.
import type { LineEvent } from '../log/event-line.js'
import type { EventReader } from '../log/event-store.js'
import { readStoreMarker, STORE_STREAM } from '../log/store-marker.js'

export class MarkerGuard {
  readonly #store: EventReader
  /** Whether what is imported begins with a marker; undefined before the first event. */
  #isMarked: boolean | undefined

  constructor(store: EventReader) {
    this.#store = store
  }

  /** Why an event must not be imported, or undefined. To be asked of each, in order, before it is written. */
  async refuse({ stream }: LineEvent): Promise<string | undefined> {
    const isMarker = stream === STORE_STREAM
    if (this.#isMarked === undefined) {
      this.#isMarked = isMarker
      return this.#refuseFirst(isMarker)
    }
    return isMarker && !this.#isMarked ? 'events without the marker of generated ones come before it' : undefined
  }

  async #refuseFirst(isMarker: boolean): Promise<string | undefined> {
    const isStoreMarked = (await readStoreMarker(this.#store)) !== undefined
    if (isStoreMarked && !isMarker) {
      return 'the store is marked as generated; it takes nothing but the log that begins with its marker'
    }
    if (!isMarker || isStoreMarked || !(await this.#holdsEvents())) return undefined
    return 'it would mark a store that holds other events as generated; import into a store of its own'
  }

  /** Events of a server itself do not count. */
  async #holdsEvents(): Promise<boolean> {
    for await (const { events } of this.#store.readAll()) {
      if (events.some(({ stream }) => !stream.startsWith('$'))) return true
    }
    return false
  }
}
