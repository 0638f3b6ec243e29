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

/** On a busy machine an append takes its time, and its outcome is wanted all the same. */
const PATIENT = { commitTimeoutMs: 60_000 }

async function makeServed(): Promise<StoreHarness> {
  const folder = await mkdtemp(join(tmpdir(), 'makegood-served-'))
  let home = await openEmbeddedStore({ folder })
  let server = await startServer({ store: home, drainMs: 500, ...PATIENT })
  let store = await openEventStoreDbStore({ connectionString: `${server.connectionString}&defaultDeadline=60000` })
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
      server = await startServer({ store: home, drainMs: 500, ...PATIENT })
      store = await openEventStoreDbStore({ connectionString: `${server.connectionString}&defaultDeadline=60000` })
    },
    dispose: async () => {
      await stop()
      await rm(folder, { recursive: true })
    },
  }
}

eventStoreContract(NAME, makeServed)
durableStoreContract(NAME, makeServed)
