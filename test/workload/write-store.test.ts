import { describe, expect, it } from 'vitest'
import { jsonEvent, type RecordedEvent } from '../../src/log/event.js'
import type { EventStore } from '../../src/log/event-store.js'
import { readStoreMarker } from '../../src/log/store-marker.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { generate } from '../../src/workload/generate.js'
import type { Operation, Outline } from '../../src/workload/operation.js'
import { StoreNotFreeError, WorkloadWriteError, writeWorkload } from '../../src/workload/write-store.js'

const WORKLOAD = { bookings: 900, seed: 7, scenario: 'mixed' } as const

async function eventsOf(store: EventStore): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const batch of store.readAll()) events.push(...batch.events)
  return events
}

/** A store whose every nth append is lost on the way back. */
function forgetful(store: EventStore, n: number): EventStore & { asked: number } {
  const wrapped = Object.create(store) as EventStore & { asked: number }
  wrapped.asked = 0
  wrapped.append = async (...args) => {
    wrapped.asked += 1
    const result = await store.append(...args)
    return wrapped.asked % n === 0 ? { kind: 'unknown', message: 'lost' } : result
  }
  for (const method of ['readStream', 'readAll', 'deleteStream'] as const) {
    Object.assign(wrapped, { [method]: store[method].bind(store) })
  }
  return wrapped
}

describe('a workload in a store', () => {
  it('is there whole, each event at its revision, and the store is marked', async () => {
    const store = openMemoryStore()
    const workload = generate(WORKLOAD)
    const outlines: Outline[] = []
    const progress: number[] = []
    const counts = await writeWorkload(store, workload, {
      onOutline: (outline) => outlines.push(outline),
      onProgress: ({ events }) => progress.push(events),
    })
    const operations = [...workload.items()].filter((item): item is Operation => item.kind !== 'opened')
    expect(counts).toEqual({ bookings: 900, events: operations.length })
    expect(outlines).toHaveLength(900)
    expect(progress.at(-1)).toBe(operations.length)
    expect(await readStoreMarker(store)).toEqual(workload.marker)
    const events = await eventsOf(store)
    expect(events[0]?.stream).toBe('makegood.store')
    const placeOf = new Map(events.map((event) => [event.id, `${event.stream} ${event.revision}`]))
    for (const operation of operations) {
      if (operation.kind === 'append')
        expect(placeOf.get(operation.event.id)).toBe(`${operation.stream} ${operation.revision}`)
      else expect((await store.readStream(operation.stream)).kind).toBe('missing')
    }
    expect(operations.filter(({ kind }) => kind === 'delete')).toHaveLength(1)
  })

  it('adds nothing when it is written again', async () => {
    const store = openMemoryStore()
    await writeWorkload(store, generate(WORKLOAD))
    const { length } = await eventsOf(store)
    await writeWorkload(store, generate(WORKLOAD))
    expect(await eventsOf(store)).toHaveLength(length)
  })

  it('goes on where it was broken off', async () => {
    const store = openMemoryStore()
    const controller = new AbortController()
    const broken = writeWorkload(store, generate(WORKLOAD), {
      signal: controller.signal,
      onProgress: ({ events }) => events > 1_000 && controller.abort(new Error('enough')),
    })
    await expect(broken).rejects.toThrow('enough')
    await writeWorkload(store, generate(WORKLOAD))
    const whole = openMemoryStore()
    await writeWorkload(whole, generate(WORKLOAD))
    expect(await eventsOf(store)).toHaveLength((await eventsOf(whole)).length)
  })

  it('asks again in the same words where an answer was lost, and gives up where all are', async () => {
    const store = openMemoryStore()
    const unsure = forgetful(store, 3)
    await writeWorkload(unsure, generate({ ...WORKLOAD, bookings: 50 }))
    const reference = openMemoryStore()
    await writeWorkload(reference, generate({ ...WORKLOAD, bookings: 50 }))
    expect((await eventsOf(store)).map(({ id }) => id).sort()).toEqual(
      (await eventsOf(reference)).map(({ id }) => id).sort(),
    )
    const silent = forgetful(openMemoryStore(), 1)
    await expect(writeWorkload(silent, generate(WORKLOAD))).rejects.toBeInstanceOf(WorkloadWriteError)
    expect(silent.asked).toBe(5)
  })

  it('is not mixed with another workload, or with bookings that nobody generated', async () => {
    const store = openMemoryStore()
    await writeWorkload(store, generate({ ...WORKLOAD, bookings: 5 }))
    await expect(writeWorkload(store, generate({ ...WORKLOAD, bookings: 6 }))).rejects.toBeInstanceOf(StoreNotFreeError)
    const real = openMemoryStore()
    await real.append(
      'payment-1',
      [jsonEvent({ id: crypto.randomUUID(), type: 'PaymentCaptured', data: {} })],
      'noStream',
    )
    await expect(writeWorkload(real, generate(WORKLOAD))).rejects.toBeInstanceOf(StoreNotFreeError)
    expect(await eventsOf(real)).toHaveLength(1)
  })

  it('stops where somebody else has written into one of its streams', async () => {
    const store = openMemoryStore()
    const intruder = jsonEvent({ id: crypto.randomUUID(), type: 'Intruder', data: {} })
    await writeWorkload(store, generate({ ...WORKLOAD, bookings: 5 }))
    const other = openMemoryStore()
    const marked = generate({ ...WORKLOAD, bookings: 5 })
    const written = writeWorkload(other, marked, {
      onOutline: ({ subject }) => void other.append(`payment-${subject}`, [intruder], 'any'),
    })
    await expect(written).rejects.toMatchObject({ name: 'WorkloadWriteError', result: { kind: 'conflict', actual: 0 } })
  })
})
