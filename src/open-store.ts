// Composition: which home of the log stands behind the text of `--store`.
import type { EventReader, EventStore } from './log/event-store.js'
import { openEmbeddedStore } from './stores/embedded/embedded-store.js'
import { isConnectionString } from './stores/eventstoredb/connection-string.js'
import { openMemoryStore } from './stores/memory/memory-store.js'

/**
 * Opens the store at `where`: a folder, `memory:`, or a server by its connection string. For reading, a folder that holds no store is
 * refused and nothing is made; for writing it is made at the first append. Throws StoreUnavailableError, and
 * StoreAddressError where the connection string is none.
 */
export async function openStore(where: string, mode: 'read' | 'write' = 'write'): Promise<EventStore> {
  if (where === 'memory:') return openMemoryStore()
  const store = await openLasting(where, mode)
  addresses.set(store, where)
  return store
}

const addresses = new WeakMap<EventReader, string>()

/** By what `openStore` opens the same store once more, in another thread too; undefined for one that it did not open, or that is its process's own. */
export function addressOf(store: EventReader): string | undefined {
  return addresses.get(store)
}

async function openLasting(where: string, mode: 'read' | 'write'): Promise<EventStore> {
  if (isConnectionString(where)) return openServer(where)
  return openEmbeddedStore({ folder: where, readOnly: mode === 'read' })
}

/** The client is loaded only where a server is named: every other command would start later and hold 20 MiB more. */
async function openServer(connectionString: string): Promise<EventStore> {
  const { openEventStoreDbStore } = await import('./stores/eventstoredb/eventstoredb-store.js')
  return openEventStoreDbStore({ connectionString })
}
