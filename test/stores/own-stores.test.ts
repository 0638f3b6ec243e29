// The homes that this project builds itself, held to what is asked of them on top of the contract.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedStore } from '../../src/stores/embedded/embedded-store.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { ownStoreContract } from '../contract/own-store-contract.js'

ownStoreContract('the memory store', async (options) => {
  const store = openMemoryStore(options)
  return { store, dispose: () => store.close() }
})

ownStoreContract('the embedded store', async (options) => {
  const folder = await mkdtemp(join(tmpdir(), 'makegood-own-'))
  const store = await openEmbeddedStore({ folder, ...options })
  const dispose = async () => {
    await store.close()
    await rm(folder, { recursive: true })
  }
  return { store, dispose }
})
