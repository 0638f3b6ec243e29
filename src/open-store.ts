// Composition: which home of the log stands behind the text of `--store`.
import type { EventStore } from './log/event-store.js'
import { StoreUnavailableError } from './log/store-errors.js'
import { openEmbeddedStore } from './stores/embedded/embedded-store.js'
import { openMemoryStore } from './stores/memory/memory-store.js'

const SERVER = /^(esdb|kurrentdb)(\+discover)?:\/\//

/**
 * Opens the store at `where`: a folder, or `memory:`. For reading, a folder that holds no store is refused and nothing is made; for
 * writing it is made at the first append. Throws StoreUnavailableError.
 */
export async function openStore(where: string, mode: 'read' | 'write' = 'write'): Promise<EventStore> {
  if (where === 'memory:') return openMemoryStore()
  if (SERVER.test(where)) {
    throw new StoreUnavailableError('Servers (esdb://, kurrentdb://) are not supported by this version; name a folder')
  }
  return openEmbeddedStore({ folder: where, readOnly: mode === 'read' })
}
