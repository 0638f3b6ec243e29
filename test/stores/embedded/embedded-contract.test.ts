// The embedded store keeps the contract, also over a restart.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedStore } from '../../../src/stores/embedded/embedded-store.js'
import { durableStoreContract, eventStoreContract } from '../../contract/event-store-contract.js'
import { type OwnStoreOptions, ownStoreContract } from '../../contract/own-store-contract.js'
import { restoringContract } from '../../contract/restoring-contract.js'
import type { StoreHarness } from '../../contract/store-harness.js'

async function makeEmbedded(options: OwnStoreOptions = {}): Promise<StoreHarness> {
  const folder = await mkdtemp(join(tmpdir(), 'makegood-contract-'))
  let store = await openEmbeddedStore({ ...options, folder })
  return {
    get store() {
      return store
    },
    reopen: async () => {
      await store.close()
      store = await openEmbeddedStore({ ...options, folder, create: false })
    },
    dispose: async () => {
      await store.close()
      await rm(folder, { recursive: true })
    },
  }
}

eventStoreContract('the embedded store', makeEmbedded)
durableStoreContract('the embedded store', makeEmbedded)
ownStoreContract('the embedded store', makeEmbedded)
restoringContract('the embedded store', makeEmbedded)
