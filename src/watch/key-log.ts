// The index of shared keys, kept in a stream of changes, `makegood.keys-{name}`: after a restart nobody's tickets have to be read again
// to know which numbers are taken.
import { z } from 'zod'
import { jsonEvent } from '../log/event.js'
import type { EventStore } from '../log/event-store.js'
import type { Revision } from '../log/revision.js'
import { streamOf } from '../log/stream.js'
import type { KeyChange, KeyIndex } from './key-index.js'
import { chunksOf, type OwnAppend, OwnStream } from './own-stream.js'

const CATEGORY = 'makegood.keys'

const noted = z.object({ changes: z.array(z.tuple([z.string(), z.string(), z.boolean()])) })

export class KeyLog {
  readonly #stream: OwnStream

  private constructor(stream: OwnStream) {
    this.#stream = stream
  }

  /**
   * Fills an index with what a checkpoint knew: changes after `upTo` were never vouched for, and will be noted again. -1: nothing counts,
   * and the index is noted from the start.
   */
  static async open(store: EventStore, name: string, index: KeyIndex, upTo: Revision | -1): Promise<KeyLog> {
    const stream = new OwnStream(store, streamOf(CATEGORY, name))
    for (const { revision, data } of await stream.readNew()) {
      if (revision > upTo) break
      const { changes } = noted.parse(JSON.parse(new TextDecoder().decode(data)))
      for (const [key, subject, used] of changes) index.note({ key, subject, used })
    }
    index.takeChanges()
    return new KeyLog(stream)
  }

  /** The last event written or read; what a checkpoint names. */
  get head(): Revision | -1 {
    return this.#stream.head
  }

  /** Writes changes down. Throws StoreUnavailableError. */
  async write(changes: readonly KeyChange[], newId: () => string): Promise<OwnAppend> {
    if (changes.length === 0) return 'appended'
    for (const part of chunksOf(changes.map(({ key, subject, used }) => [key, subject, used]))) {
      const event = jsonEvent({ id: newId(), type: 'KeysNoted', data: { changes: part } })
      if ((await this.#stream.append([event])) === 'taken') return 'taken'
    }
    return 'appended'
  }
}
