// The marker of generated stores: only a store that says so in full counts as one.
import { describe, expect, it } from 'vitest'
import { jsonEvent } from '../../src/log/event.js'
import { markStore, readStoreMarker, STORE_STREAM } from '../../src/log/store-marker.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'

const MARKER = { generated: true, now: '2026-06-01T00:00:00Z', scenario: 'mixed', seed: 7, bookings: 100 } as const

describe('the marker of a generated store', () => {
  it('is read back, and written once', async () => {
    const store = openMemoryStore()
    expect(await readStoreMarker(store)).toBeUndefined()
    expect(await markStore(store, MARKER, crypto.randomUUID())).toMatchObject({ kind: 'appended' })
    expect(await markStore(store, { ...MARKER, seed: 8 }, crypto.randomUUID())).toMatchObject({ kind: 'conflict' })
    expect(await readStoreMarker(store)).toEqual(MARKER)
  })

  it.each([
    ['another type', 'Other', MARKER],
    ['not generated', 'StoreMarked', { ...MARKER, generated: false }],
    ['a now that is no time', 'StoreMarked', { ...MARKER, now: 'soon' }],
    ['no scenario', 'StoreMarked', { ...MARKER, scenario: undefined }],
    ['a seed that is no whole number', 'StoreMarked', { ...MARKER, seed: 0.5 }],
    ['a count that is text', 'StoreMarked', { ...MARKER, bookings: '100' }],
    ['no object', 'StoreMarked', null],
  ])('does not count with %s: the store is real then', async (_what, type, data) => {
    const store = openMemoryStore()
    await store.append(STORE_STREAM, [jsonEvent({ id: crypto.randomUUID(), type, data })], 'noStream')
    expect(await readStoreMarker(store)).toBeUndefined()
  })

  it('does not count when it cannot be read', async () => {
    const store = openMemoryStore()
    const broken = {
      ...jsonEvent({ id: crypto.randomUUID(), type: 'StoreMarked', data: 0 }),
      data: new Uint8Array([0x7b]),
    }
    await store.append(STORE_STREAM, [broken], 'noStream')
    expect(await readStoreMarker(store)).toBeUndefined()
  })
})
