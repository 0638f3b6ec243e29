// Results kept in the store: read back as they were put in, switched by one append, half-written ones passed over, and of two who write at once one is told.
import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { readCurrent, readCurrentResult, switchCurrent } from '../../src/engine/current-result.js'
import { type Cut, resolveCut } from '../../src/engine/cut.js'
import { replay } from '../../src/engine/replay.js'
import {
  ResultTakenError,
  readResult,
  resultStreamOf,
  type StoredResult,
  storeResult,
} from '../../src/engine/stored-result.js'
import { jsonEvent } from '../../src/log/event.js'
import type { EventStore } from '../../src/log/event-store.js'
import { StoreCorruptError } from '../../src/log/store-errors.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { eventsOf } from '../controls/events.js'
import { write } from '../controls/log-writer.js'
import { parcels } from '../controls/parcels.js'

const STREAM = 'makegood.result-parcels-1'

async function scanned(store: EventStore) {
  const cut = (await resolveCut(store, { kind: 'head' }, 0)) as Cut
  return replay(store, parcels, { now: 0, cut })
}

/** A store with so many orders that are paid and not sent. */
async function paidOrders(count: number): Promise<EventStore> {
  const store = openMemoryStore()
  for (let n = 0; n < count; n += 1) await write(store, `order-${n}`, { type: 'Paid' })
  return store
}

describe('a stored result', () => {
  it.each([0, 1, 3_000])('of %i findings is read back whole', async (count) => {
    const store = await paidOrders(count)
    await write(store, 'elsewhere-1', { type: 'X' })
    const result = await scanned(store)
    const { isNew } = await storeResult(store, result, randomUUID)
    const read = await readResult(store, resultStreamOf(parcels))
    const { elapsedMs: _elapsedMs, ...summary } = result.summary
    expect(isNew).toBe(true)
    expect(read).toEqual({ run: expect.any(String), summary, findings: result.findings, atStake: result.atStake })
    if (count > 2_000) expect((await eventsOf(store, STREAM)).length).toBeGreaterThan(2)
  })

  it('that is there already is not stored twice', async () => {
    const store = await paidOrders(2)
    const result = await scanned(store)
    const first = await storeResult(store, result, randomUUID)
    const again = await storeResult(store, await scanned(store), randomUUID)
    expect([again.isNew, again.result.run]).toEqual([false, first.result.run])
    expect(await eventsOf(store, STREAM)).toHaveLength(2)
  })

  it('that was half written is passed over, and the next one stands behind it', async () => {
    const store = await paidOrders(2)
    const first = await storeResult(store, await scanned(store), randomUUID)
    const half = jsonEvent({ id: randomUUID(), type: 'ResultChunkStored', data: { run: 'half', items: [] } })
    await store.append(STREAM, [half], 1)
    expect((await readResult(store, STREAM))?.run).toBe(first.result.run)
    await write(store, 'parcel-0', { type: 'Sent' })
    const second = await storeResult(store, await scanned(store), randomUUID)
    expect((await readResult(store, STREAM))?.findings).toHaveLength(1)
    expect((await readResult(store, STREAM, first.result.run))?.findings).toHaveLength(2)
    expect(second.isNew).toBe(true)
  })

  it('of which a part is missing is no result', async () => {
    const store = await paidOrders(0)
    const end = { run: 'r', chunks: 1, summary: { cut: null } }
    await store.append(STREAM, [jsonEvent({ id: randomUUID(), type: 'ResultStored', data: end })], 'noStream')
    await expect(readResult(store, STREAM)).rejects.toThrow(StoreCorruptError)
  })
})

describe('the current result', () => {
  const by = { actor: 'ada', at: '2026-05-01T00:00:00Z', newId: randomUUID }

  it('is none at first, then the one that was switched to, also after another was stored', async () => {
    const store = await paidOrders(2)
    const none = await readCurrent(store, 'parcels')
    expect([none, await readCurrentResult(store, 'parcels', none)]).toEqual([
      { head: -1, switched: undefined },
      undefined,
    ])
    const { result } = await storeResult(store, await scanned(store), randomUUID)
    expect(await switchCurrent(store, result, { ...by, current: none })).toBe('switched')
    const one = await readCurrent(store, 'parcels')
    expect(await switchCurrent(store, result, { ...by, current: one })).toBe('already')
    await write(store, 'parcel-0', { type: 'Sent' })
    await storeResult(store, await scanned(store), randomUUID)
    expect((await readCurrentResult(store, 'parcels', await readCurrent(store, 'parcels')))?.run).toBe(result.run)
    const other = await readResult(store, STREAM)
    expect(await switchCurrent(store, other as StoredResult, { ...by, current: one })).toBe('switched')
    const two = await readCurrent(store, 'parcels')
    expect(two.switched).toMatchObject({ run: other?.run, previous: { version: '1', run: result.run } })
    expect((await readCurrentResult(store, 'parcels', two))?.findings).toHaveLength(1)
  })

  it('is switched by one of two who read the same', async () => {
    const store = await paidOrders(1)
    const current = await readCurrent(store, 'parcels')
    const { result } = await storeResult(store, await scanned(store), randomUUID)
    await switchCurrent(store, result, { ...by, current })
    const late = switchCurrent(store, { ...result, run: 'another' }, { ...by, current })
    await expect(late).rejects.toThrow(ResultTakenError)
    expect((await readCurrent(store, 'parcels')).switched).toMatchObject({
      run: result.run,
      previous: null,
      actor: 'ada',
    })
  })

  it('that names a result which is not there is told', async () => {
    const store = await paidOrders(1)
    const { result } = await storeResult(store, await scanned(store), randomUUID)
    await switchCurrent(store, { ...result, run: 'gone' }, { ...by, current: await readCurrent(store, 'parcels') })
    const read = readCurrentResult(store, 'parcels', await readCurrent(store, 'parcels'))
    await expect(read).rejects.toThrow('names result gone')
  })
})
