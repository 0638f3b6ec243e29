// The simple form: a compensation for which nobody has to be asked is appended whole, once, behind the guard of what was read.
import { describe, expect, it } from 'vitest'
import { parseMetadata } from '../../src/engine/decode.js'
import { replay } from '../../src/engine/replay.js'
import type { EventStore } from '../../src/log/event-store.js'
import { listCases } from '../../src/repair/cases.js'
import { makePlan, type Plan } from '../../src/repair/plan.js'
import { ownMarkOf } from '../../src/repair/provenance.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { NOW } from '../controls/airline.js'
import { ApplyingProcess, Killed, type ProcessOptions } from '../controls/applying-process.js'
import { eventsOf, eventsOfLog } from '../controls/events.js'
import { write } from '../controls/log-writer.js'
import { parcels } from '../controls/parcels.js'
import { applyCounted } from '../controls/plan-runs.js'

class Depot {
  readonly store: EventStore = openMemoryStore({ clock: () => NOW })
  #ids = 0

  newId = (): string => {
    this.#ids += 1
    return `00000000-0000-4000-9000-${String(this.#ids).padStart(12, '0')}`
  }

  async plan(...orders: string[]): Promise<Plan> {
    for (const order of orders) await write(this.store, `order-${order}`, { type: 'Paid' })
    return makePlan(await replay(this.store, parcels, { now: NOW }), parcels)
  }

  process(options: Partial<ProcessOptions> = {}): ApplyingProcess {
    return new ApplyingProcess({ store: this.store, projection: parcels, newId: this.newId, ...options })
  }

  async parcelOf(order: string): Promise<string[]> {
    const read = await this.store.readStream(`parcel-${order}`)
    return read.kind === 'found' ? (await eventsOf(this.store, `parcel-${order}`)).map(({ type }) => type) : []
  }
}

const PARCEL = ['Packed', 'Sent']

describe('a compensation without a command', () => {
  it('is appended whole, each part marked, and the finding is gone', async () => {
    const depot = new Depot()
    const plan = await depot.plan('1')
    const process = depot.process()
    const summary = await applyCounted(process, plan)
    expect(process.outcomes).toMatchObject([{ kind: 'applied', revision: 1 }])
    expect(summary).toMatchObject({ complete: true, cases: 0 })
    expect(await depot.parcelOf('1')).toEqual(PARCEL)
    const marks = (await eventsOf(depot.store, 'parcel-1')).map(({ metadata }) => ownMarkOf(parseMetadata(metadata)))
    expect(marks.map((mark) => [mark?.step, mark?.part])).toEqual([
      ['settle', 0],
      ['settle', 1],
    ])
    expect((await depot.plan()).items).toEqual([])
  })

  it('killed at any touch of the world and run again is there once', async () => {
    const reference = new Depot()
    const undisturbed = reference.process()
    await undisturbed.apply(await reference.plan('1', '2'))
    for (let kill = 1; kill <= undisturbed.touches; kill += 1) {
      const depot = new Depot()
      const plan = await depot.plan('1', '2')
      const victim = depot.process({
        onTouch: (_, when, process) => {
          if (when === 'after' && process.touches === kill) process.kill()
        },
      })
      await victim.apply(plan).catch((error: unknown) => expect(error).toBeInstanceOf(Killed))
      const summary = await applyCounted(depot.process(), plan)
      expect(summary.complete).toBe(true)
      expect({ kill, one: await depot.parcelOf('1'), two: await depot.parcelOf('2') }).toEqual({
        kill,
        one: PARCEL,
        two: PARCEL,
      })
    }
  })

  it('whose answer is lost, before or after it was written, is there once', async () => {
    for (const fate of ['lost-before', 'lost-after'] as const) {
      for (const losses of [1, 2]) {
        const depot = new Depot()
        const plan = await depot.plan('1')
        let lost = 0
        const process = depot.process({
          appendFate: (stream) => {
            if (!stream.startsWith('parcel-') || lost >= losses) return 'answered'
            lost += 1
            return fate
          },
        })
        await applyCounted(process, plan)
        expect(process.outcomes.map(({ kind }) => kind)).toEqual(['applied'])
        expect(await depot.parcelOf('1')).toEqual(PARCEL)
      }
    }
  })

  it('that nobody can tell about is unknown, and the next run finds out', async () => {
    for (const fate of ['lost-before', 'lost-after'] as const) {
      const depot = new Depot()
      const plan = await depot.plan('1')
      const hidden = depot.process({ appendFate: (stream) => (stream.startsWith('parcel-') ? fate : 'answered') })
      // The stream cannot be seen either: it reads as it was before.
      const blind = depot.process({
        store: { ...hidingAppends(depot.store), append: depot.store.append.bind(depot.store) },
        appendFate: hidden.options.appendFate ?? (() => 'answered'),
      })
      await applyCounted(blind, plan)
      expect(blind.outcomes.map(({ kind }) => kind)).toEqual(['unknown'])
      const next = depot.process()
      await applyCounted(next, plan)
      expect(next.outcomes.map(({ kind }) => kind)).toEqual([fate === 'lost-before' ? 'applied' : 'already-good'])
      expect(await depot.parcelOf('1')).toEqual(PARCEL)
    }
  })

  it('raced by another process is appended by one of them', async () => {
    const depot = new Depot()
    const plan = await depot.plan('1')
    const rival = depot.process()
    let isRaced = false
    const process = depot.process({
      onTouch: async ({ name, about }, when) => {
        if (isRaced || name !== 'append' || when === 'after' || about !== 'parcel-1') return
        isRaced = true
        await rival.apply(plan)
      },
    })
    await applyCounted(process, plan)
    expect(rival.outcomes.map(({ kind }) => kind)).toEqual(['applied'])
    expect(process.outcomes.map(({ kind }) => kind)).toEqual(['already-good'])
    expect(await depot.parcelOf('1')).toEqual(PARCEL)
  })

  it('is read again afterwards: what slipped in behind the guard of the other stream is a case at once', async () => {
    const depot = new Depot()
    const plan = await depot.plan('1')
    const process = depot.process({
      onTouch: async ({ name, about }, when) => {
        if (name === 'append' && when === 'before' && about === 'parcel-1') {
          await write(depot.store, 'order-1', { type: 'Disputed' })
        }
      },
    })
    const summary = await applyCounted(process, plan)
    expect(process.outcomes.map(({ kind }) => kind)).toEqual(['applied'])
    expect(summary.cases).toBe(1)
    expect((await listCases(depot.store)).map(({ rule, subject }) => `${rule} ${subject}`)).toEqual(['disputed 1'])
  })

  it("that the store refuses is refused, with the store's reason, and the rest goes on", async () => {
    const depot = new Depot()
    const plan = await depot.plan('1', '2')
    const { store } = depot
    const refusing: EventStore = {
      ...bound(store),
      append: async (stream, events, expected) =>
        stream === 'parcel-1'
          ? { kind: 'refused', reason: 'access-denied', message: 'not for you' }
          : store.append(stream, events, expected),
    }
    const process = depot.process({ store: refusing })
    const summary = await applyCounted(process, plan)
    expect(process.outcomes.map(({ kind, why }) => [kind, why])).toEqual([
      ['refused', 'not for you'],
      ['applied', undefined],
    ])
    expect(summary.complete).toBe(false)
    // Rights can be given: the next run tries again.
    const next = depot.process()
    expect((await applyCounted(next, plan)).complete).toBe(true)
    expect(next.outcomes.map(({ kind }) => kind).toSorted()).toEqual(['already-good', 'applied'])
  })

  it('that the store can never take is refused for good', async () => {
    const depot = new Depot()
    const plan = await depot.plan('1')
    const tooLarge = { kind: 'refused', reason: 'too-large', message: 'no' } as const
    const { store } = depot
    const refusing: EventStore = {
      ...bound(store),
      append: async (stream, events, expected) =>
        stream === 'parcel-1' ? tooLarge : store.append(stream, events, expected),
    }
    expect((await applyCounted(depot.process({ store: refusing }), plan)).complete).toBe(true)
    const next = depot.process()
    await applyCounted(next, plan)
    expect(next.outcomes.map(({ kind, why }) => [kind, why])).toEqual([['refused', 'no']])
  })

  it('is appended behind what was read, never without a guard', async () => {
    const depot = new Depot()
    const guards: unknown[] = []
    const { store } = depot
    const watched: EventStore = {
      ...bound(store),
      append: (stream, events, expected) => {
        if (stream.startsWith('parcel-')) guards.push(expected)
        return store.append(stream, events, expected)
      },
    }
    await write(store, 'parcel-2', { type: 'Label' }, { type: 'Label' })
    await depot.process({ store: watched }).apply(await depot.plan('1', '2'))
    expect(guards).toEqual([1, 'noStream'])
  })
})

describe('a finished campaign of compensations without commands', () => {
  it('run again appends nothing', async () => {
    const depot = new Depot()
    const plan = await depot.plan('1', '2')
    await depot.process().apply(plan)
    const before = (await eventsOfLog(depot.store)).length
    await applyCounted(depot.process(), plan)
    expect(await eventsOfLog(depot.store)).toHaveLength(before)
  })
})

function bound(store: EventStore): EventStore {
  return {
    readStream: store.readStream.bind(store),
    readAll: store.readAll.bind(store),
    append: store.append.bind(store),
    deleteStream: store.deleteStream.bind(store),
    tombstone: store.tombstone.bind(store),
    subscribeToStream: store.subscribeToStream.bind(store),
    subscribeToAll: store.subscribeToAll.bind(store),
    close: store.close.bind(store),
  }
}

/** A store whose parcels read as missing: appends to them are not seen yet. */
function hidingAppends(store: EventStore): EventStore {
  return {
    ...bound(store),
    readStream: async (stream, options) =>
      stream.startsWith('parcel-') ? { kind: 'missing' } : store.readStream(stream, options),
  }
}
