// A projection that dies at each of its appends in turn, before or after it is written: the next one finishes the work, and no link is there twice.
import { randomUUID } from 'node:crypto'
import { expect, it, vi } from 'vitest'
import { jsonEvent } from '../../../src/log/event.js'
import type { EventStore } from '../../../src/log/event-store.js'
import { StoreUnavailableError } from '../../../src/log/store-errors.js'
import { SystemProjections } from '../../../src/server/system-projections/system-projections.js'
import { openMemoryStore } from '../../../src/stores/memory/memory-store.js'
import { Random } from '../../../src/workload/random.js'
import { seedFor } from '../../controls/seed.js'
import { expectedLinks, logOf, writtenIn } from './expected-links.js'

type Death = 'before the append' | 'after the append'

/** A store as it looks to a process that dies at its nth append: nothing that it does later has an effect. */
function dyingStore(store: EventStore, appendsLeft: number, death: Death): EventStore & { readonly isDead: boolean } {
  let left = appendsLeft
  const append: EventStore['append'] = async (stream, events, expected) => {
    left -= 1
    if (left > 0 || (left === 0 && death === 'after the append')) {
      const result = await store.append(stream, events, expected)
      if (left > 0) return result
    }
    throw new StoreUnavailableError('The process is dead')
  }
  return new Proxy(store as EventStore & { readonly isDead: boolean }, {
    get: (target, name: keyof EventStore | 'isDead') => {
      if (name === 'isDead') return left <= 0
      return name === 'append' ? append : target[name]?.bind(target)
    },
  })
}

async function appendSome(store: EventStore, random: Random): Promise<void> {
  for (let n = random.between(1, 8); n > 0; n--) {
    const correlation = random.between(0, 3)
    const events = Array.from({ length: random.between(1, 4) }, () =>
      jsonEvent({
        id: randomUUID(),
        type: `Type${random.between(0, 2)}`,
        data: {},
        ...(correlation > 0 && { metadata: { $correlationId: `flow-${correlation}` } }),
      }),
    )
    const stream = random.chance(0.1) ? 'nodash' : `cat${random.between(0, 1)}-${random.between(0, 3)}`
    await store.append(stream, events, 'any')
  }
}

async function untilAllIsRead(projections: SystemProjections): Promise<void> {
  await vi.waitFor(
    async () => {
      const all = await Promise.all(projections.all.map((projection) => projection.statistics()))
      expect(all.map(({ progress }) => progress)).toEqual([100, 100, 100, 100, 100])
    },
    { timeout: 20_000, interval: 1 },
  )
}

it.each(['before the append', 'after the append'] satisfies Death[])(
  'whatever dies %s, each event is linked once and in order',
  async (death) => {
    const random = new Random(seedFor(`projections that die ${death}`))
    const store = openMemoryStore()
    let deaths = 0
    for (let round = 1; round <= 100; round++) {
      await appendSome(store, random)
      const dying = dyingStore(store, random.between(1, 12), death)
      const projections = await SystemProjections.open({ store: dying, onError: () => undefined })
      await Promise.race([
        untilAllIsRead(projections),
        vi.waitUntil(() => dying.isDead, { timeout: 20_000, interval: 1 }),
      ])
      if (dying.isDead) deaths += 1
      await projections.stop()
    }
    const last = await SystemProjections.open({ store, onError: () => undefined })
    await untilAllIsRead(last)
    await last.stop()
    const log = await logOf(store)
    expect(writtenIn(log)).toEqual(expectedLinks(log))
    expect(deaths).toBeGreaterThan(20)
  },
)
