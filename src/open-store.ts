// Composition: which home of the log stands behind the text of `--store`.
import type { EventStore } from './log/event-store.js'
import { openEmbeddedStore } from './stores/embedded/embedded-store.js'
import { isConnectionString } from './stores/eventstoredb/connection-string.js'
import { openEventStoreDbStore } from './stores/eventstoredb/eventstoredb-store.js'
import { openMemoryStore } from './stores/memory/memory-store.js'

/**
 * Opens the store at `where`: a folder, `memory:`, or a server by its connection string. For reading, a folder that holds no store is
 * refused and nothing is made; for writing it is made at the first append. Throws StoreUnavailableError, and
 * StoreAddressError where the connection string is none.
 */
export async function openStore(where: string, mode: 'read' | 'write' = 'write'): Promise<EventStore> {
  if (where === 'memory:') return openMemoryStore()
  if (isConnectionString(where)) return openEventStoreDbStore({ connectionString: where })
  return openEmbeddedStore({ folder: where, readOnly: mode === 'read' })
}
