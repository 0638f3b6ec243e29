import { describe, expect, it } from 'vitest'
import { jsonEvent, type RecordedEvent } from '../../src/log/event.js'
import type { LineEvent } from '../../src/log/event-line.js'
import type { EventStore } from '../../src/log/event-store.js'
import { isRestorable } from '../../src/log/restorable-store.js'
import { readStoreMarker } from '../../src/log/store-marker.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { generate } from '../../src/workload/generate.js'
import type { Operation, Outline } from '../../src/workload/operation.js'
import { WorkloadWriteError } from '../../src/workload/operation-writer.js'
import { StoreNotFreeError, writeWorkload } from '../../src/workload/write-store.js'

const WORKLOAD = { bookings: 900, seed: 7, scenario: 'mixed' } as const

async function eventsOf(store: EventStore): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const batch of store.readAll()) events.push(...batch.events)
  return events
}

/** A store that can restore, as ours can, and one that takes appends only, as a server does. */
const HOMES = { restoring: openMemoryStore, appending: () => withoutRestore(openMemoryStore()) }

function withoutRestore(store: EventStore): EventStore {
  return {
    readStream: (...args) => store.readStream(...args),
    readAll: (...args) => store.readAll(...args),
    append: (...args) => store.append(...args),
    deleteStream: (...args) => store.deleteStream(...args),
    tombstone: (...args) => store.tombstone(...args),
    subscribeToStream: (...args) => store.subscribeToStream(...args),
    subscribeToAll: (...args) => store.subscribeToAll(...args),
    close: () => store.close(),
  }
}

/** How they tell that another event stands where one of the workload belongs. */
const INTRUDED: Record<string, object> = {
  restoring: { kind: 'refused', message: expect.stringContaining('another event stands there') },
  appending: { kind: 'conflict', actual: 0 },
}

/** A store whose every nth writing is lost on the way back. */
function forgetful(store: EventStore, n: number): EventStore & { asked: number } {
  const forgetting = { ...withoutRestore(store), asked: 0 }
  const losing = async <Result>(write: () => Promise<Result>) => {
    forgetting.asked += 1
    const result = await write()
    return forgetting.asked % n === 0 ? { kind: 'unknown' as const, message: 'lost' } : result
  }
  return Object.assign(forgetting, {
    append: (...args: Parameters<EventStore['append']>) => losing(() => store.append(...args)),
    ...(isRestorable(store) && { restore: (events: readonly LineEvent[]) => losing(() => store.restore(events)) }),
  })
}

describe.each(Object.entries(HOMES))('a workload in a %s store', (home, openHome) => {
  it('is there whole, each event at its revision, and the store is marked', async () => {
    const store = openHome()
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
    const store = openHome()
    await writeWorkload(store, generate(WORKLOAD))
    const { length } = await eventsOf(store)
    await writeWorkload(store, generate(WORKLOAD))
    expect(await eventsOf(store)).toHaveLength(length)
  })

  it('goes on where it was broken off', async () => {
    const store = openHome()
    const controller = new AbortController()
    const broken = writeWorkload(store, generate(WORKLOAD), {
      signal: controller.signal,
      onProgress: ({ events }) => events > 1_000 && controller.abort(new Error('enough')),
    })
    await expect(broken).rejects.toThrow('enough')
    await writeWorkload(store, generate(WORKLOAD))
    const whole = openHome()
    await writeWorkload(whole, generate(WORKLOAD))
    expect(await eventsOf(store)).toHaveLength((await eventsOf(whole)).length)
  })

  it('asks again in the same words where an answer was lost, and gives up where all are', async () => {
    const store = openHome()
    const unsure = forgetful(store, home === 'restoring' ? 2 : 3)
    await writeWorkload(unsure, generate({ ...WORKLOAD, bookings: 50 }))
    const reference = openHome()
    await writeWorkload(reference, generate({ ...WORKLOAD, bookings: 50 }))
    expect((await eventsOf(store)).map(({ id }) => id).sort()).toEqual(
      (await eventsOf(reference)).map(({ id }) => id).sort(),
    )
    const silent = forgetful(openHome(), 1)
    await expect(writeWorkload(silent, generate(WORKLOAD))).rejects.toBeInstanceOf(WorkloadWriteError)
    expect(silent.asked).toBe(5)
  })

  it('is not mixed with another workload, or with bookings that nobody generated', async () => {
    const store = openHome()
    await writeWorkload(store, generate({ ...WORKLOAD, bookings: 5 }))
    await expect(writeWorkload(store, generate({ ...WORKLOAD, bookings: 6 }))).rejects.toBeInstanceOf(StoreNotFreeError)
    const real = openHome()
    await real.append(
      'payment-1',
      [jsonEvent({ id: crypto.randomUUID(), type: 'PaymentCaptured', data: {} })],
      'noStream',
    )
    await expect(writeWorkload(real, generate(WORKLOAD))).rejects.toBeInstanceOf(StoreNotFreeError)
    expect(await eventsOf(real)).toHaveLength(1)
  })

  it('stops where somebody else has written into one of its streams', async () => {
    const store = openHome()
    const intruder = jsonEvent({ id: crypto.randomUUID(), type: 'Intruder', data: {} })
    await writeWorkload(store, generate({ ...WORKLOAD, bookings: 5 }))
    const other = openHome()
    const marked = generate({ ...WORKLOAD, bookings: 5 })
    const written = writeWorkload(other, marked, {
      onOutline: ({ subject }) => void other.append(`payment-${subject}`, [intruder], 'any'),
    })
    await expect(written).rejects.toMatchObject({ name: 'WorkloadWriteError', result: INTRUDED[home] })
  })
})
