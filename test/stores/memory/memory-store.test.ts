// The memory store keeps the contract, and has what only a store in memory has: a clock that can be set.
import { expect, test } from 'vitest'
import { openMemoryStore } from '../../../src/stores/memory/memory-store.js'
import { eventStoreContract } from '../../contract/event-store-contract.js'
import { setMetadata } from '../../contract/metadata-contract.js'
import { anEvent, eventsOf, someEvents } from '../../controls/events.js'

eventStoreContract('the memory store', async () => {
  const store = openMemoryStore()
  return { store, dispose: () => store.close() }
})

test('events are stamped with what the clock says, a tick apart within an append', async () => {
  const store = openMemoryStore({ clock: () => 1_000 })
  await store.append('a', someEvents(3), 'any')
  expect((await eventsOf(store, 'a')).map(({ created }) => created)).toEqual([10_000_000n, 10_000_001n, 10_000_002n])
})

test('$maxAge goes by the clock', async () => {
  let now = 0
  const store = openMemoryStore({ clock: () => now })
  await store.append('a', [anEvent()], 'any')
  await setMetadata(store, 'a', { $maxAge: 10 })
  now = 9_999
  expect(await eventsOf(store, 'a')).toHaveLength(1)
  now = 10_000
  expect(await eventsOf(store, 'a')).toHaveLength(0)
})

test('what a caller does with its bytes afterwards changes nothing', async () => {
  const store = openMemoryStore()
  const data = Buffer.from('before')
  await store.append('a', [anEvent({ data })], 'any')
  data.fill(0)
  expect(Buffer.from((await eventsOf(store, 'a'))[0]?.data ?? []).toString()).toBe('before')
})

test('an append may be limited to fewer bytes', async () => {
  const store = openMemoryStore({ maxAppendBytes: 10 })
  const result = await store.append('a', [anEvent({ data: Buffer.alloc(11) })], 'any')
  expect(result).toMatchObject({ kind: 'refused', reason: 'too-large' })
})
