// The adapter keeps the contract of a store: an embedded store behind a server, written and read over the wire.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServer } from '../../../src/server/start-server.js'
import { openEmbeddedStore } from '../../../src/stores/embedded/embedded-store.js'
import { openEventStoreDbStore } from '../../../src/stores/eventstoredb/eventstoredb-store.js'
import { durableStoreContract, eventStoreContract } from '../../contract/event-store-contract.js'
import type { StoreHarness } from '../../contract/store-harness.js'

const NAME = 'the embedded store behind a server, through the adapter,'

async function makeServed(): Promise<StoreHarness> {
  const folder = await mkdtemp(join(tmpdir(), 'makegood-served-'))
  let home = await openEmbeddedStore({ folder })
  let server = await startServer({ store: home, drainMs: 500 })
  let store = await openEventStoreDbStore({ connectionString: server.connectionString })
  const stop = async () => {
    await store.close()
    await server.stop()
    await home.close()
  }
  return {
    get store() {
      return store
    },
    reopen: async () => {
      await stop()
      home = await openEmbeddedStore({ folder, create: false })
      server = await startServer({ store: home, drainMs: 500 })
      store = await openEventStoreDbStore({ connectionString: server.connectionString })
    },
    dispose: async () => {
      await stop()
      await rm(folder, { recursive: true })
    },
  }
}

eventStoreContract(NAME, makeServed)
durableStoreContract(NAME, makeServed)
