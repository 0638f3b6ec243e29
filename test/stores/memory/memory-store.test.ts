// The memory store keeps the contract, and copies what it is given.
import { expect, test } from 'vitest'
import { openMemoryStore } from '../../../src/stores/memory/memory-store.js'
import { eventStoreContract } from '../../contract/event-store-contract.js'
import { type OwnStoreOptions, ownStoreContract } from '../../contract/own-store-contract.js'
import { restoringContract } from '../../contract/restoring-contract.js'
import type { StoreHarness } from '../../contract/store-harness.js'
import { anEvent, eventsOf } from '../../controls/events.js'

eventStoreContract('the memory store', makeMemory)
ownStoreContract('the memory store', makeMemory)
restoringContract('the memory store', makeMemory)

async function makeMemory(options: OwnStoreOptions = {}): Promise<StoreHarness> {
  const store = openMemoryStore(options)
  return { store, dispose: () => store.close() }
}

test('what a caller does with its bytes afterwards changes nothing', async () => {
  const store = openMemoryStore()
  const data = Buffer.from('before')
  await store.append('a', [anEvent({ data })], 'any')
  data.fill(0)
  expect(Buffer.from((await eventsOf(store, 'a'))[0]?.data ?? []).toString()).toBe('before')
})
