import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { jsonEvent, NO_BYTES, type ProposedEvent } from '../../src/log/event.js'
import { markStore, readStoreMarker, STORE_STREAM, type StoreMarker } from '../../src/log/store-marker.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'

const MARKER: StoreMarker = {
  generated: true,
  now: '2026-06-01T12:00:00.000Z',
  scenario: 'mixed',
  seed: 7,
  bookings: 3,
}

const marked = (data: unknown): ProposedEvent => jsonEvent({ id: randomUUID(), type: 'StoreMarked', data })

describe("the store's marker", () => {
  it('is read back as it was written, and written once', async () => {
    const store = openMemoryStore()
    const id = randomUUID()
    expect(await markStore(store, MARKER, id)).toMatchObject({ kind: 'appended', revision: 0 })
    expect(await readStoreMarker(store)).toEqual(MARKER)
    expect((await markStore(store, MARKER, id)).kind).toBe('appended')
    expect(await markStore(store, MARKER, randomUUID())).toEqual({ kind: 'conflict', actual: 0 })
  })

  it('is not there in any other store', async () => {
    expect(await readStoreMarker(openMemoryStore())).toBeUndefined()
  })

  it.each([
    ['another event', jsonEvent({ id: randomUUID(), type: 'Other', data: MARKER })],
    ['no JSON', { ...marked({}), data: new TextEncoder().encode('{') }],
    ['nothing', { ...marked({}), data: NO_BYTES }],
    ['null', marked(null)],
    ['text', marked('generated')],
    ['a store that is not generated', marked({ ...MARKER, generated: false })],
    ['truth for an answer', marked({ ...MARKER, generated: 'true' })],
    ['no time', marked({ ...MARKER, now: 'today' })],
    ['no seed', marked({ ...MARKER, seed: null })],
    ['half a booking', marked({ ...MARKER, bookings: 0.5 })],
    ['no scenario', marked({ ...MARKER, scenario: undefined })],
  ])('counts as none where it holds %s', async (_, event) => {
    const store = openMemoryStore()
    await store.append(STORE_STREAM, [event], 'noStream')
    expect(await readStoreMarker(store)).toBeUndefined()
  })

  it('counts as none where it can no longer be read', async () => {
    const store = openMemoryStore()
    await markStore(store, MARKER, randomUUID())
    const metadata = jsonEvent({ id: randomUUID(), type: '$metadata', data: { $tb: 1 } })
    await store.append(`$$${STORE_STREAM}`, [metadata], 'noStream')
    expect(await readStoreMarker(store)).toBeUndefined()
  })
})
