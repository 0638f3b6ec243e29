// What holds for the homes that this project builds itself, on top of the contract: they take a clock, and a place between two
// records is known to be none.
import { describe, expect, test } from 'vitest'
import type { RecordedEvent } from '../../src/log/event.js'
import type { Position } from '../../src/log/position.js'
import { InvalidPositionError, StoreUnavailableError } from '../../src/log/store-errors.js'
import { ticksOfMs } from '../../src/log/ticks.js'
import { anEvent, eventsOf, eventsOfLog, gather, someEvents, uniqueStream } from '../controls/events.js'
import { setMetadata } from './metadata-contract.js'
import type { StoreHarness } from './store-harness.js'

/** What such a home can be opened with. */
export interface OwnStoreOptions {
  readonly clock?: () => number
  readonly maxAppendBytes?: number
}

export function ownStoreContract(name: string, makeStore: (options: OwnStoreOptions) => Promise<StoreHarness>): void {
  describe(`${name}, on top`, () => {
    test('stamps what its clock says, a tick apart within one append', async () => {
      const harness = await makeStore({ clock: () => 1_700_000_000_000 })
      const stream = uniqueStream()
      await harness.store.append(stream, someEvents(3), 'any')
      const base = ticksOfMs(1_700_000_000_000)
      expect((await eventsOf(harness.store, stream)).map(({ created }) => created)).toEqual([
        base,
        base + 1n,
        base + 2n,
      ])
      await harness.dispose()
    })

    test('$maxAge hides events once they are old', async () => {
      let now = 1_700_000_000_000
      const harness = await makeStore({ clock: () => now })
      const stream = uniqueStream()
      await harness.store.append(stream, [anEvent()], 'any')
      await setMetadata(harness.store, stream, { $maxAge: 10 })
      now += 5_000
      await harness.store.append(stream, [anEvent()], 'any')
      now += 4_999
      expect((await eventsOf(harness.store, stream)).map(({ revision }) => revision)).toEqual([0, 1])
      now += 1
      expect((await eventsOf(harness.store, stream)).map(({ revision }) => revision)).toEqual([1])
      expect((await eventsOf(harness.store, stream, { from: 0, maxCount: 1 })).map(({ revision }) => revision)).toEqual(
        [1],
      )
      now += 5_000
      expect(await eventsOf(harness.store, stream)).toEqual([])
      await harness.dispose()
    })

    test('takes appends up to the size that it was given', async () => {
      const harness = await makeStore({ maxAppendBytes: 10 })
      const fits = anEvent({ data: new Uint8Array(10) })
      const large = anEvent({ data: new Uint8Array(11) })
      expect(await harness.store.append(uniqueStream(), [large], 'any')).toMatchObject({ reason: 'too-large' })
      expect(await harness.store.append(uniqueStream(), [fits], 'any')).toMatchObject({ kind: 'appended' })
      await harness.dispose()
    })

    test.each([-1, 1.5, Number.NaN])('refuses the guard %d', async (expected) => {
      const harness = await makeStore({})
      expect(await harness.store.append(uniqueStream(), [anEvent()], expected)).toMatchObject({ reason: 'invalid' })
      await harness.dispose()
    })

    test('tells a place between records, a negative one and one whose parts do not fit', async () => {
      const harness = await makeStore({})
      await harness.store.append(uniqueStream(), someEvents(3), 'any')
      const [, second] = await eventsOfLog(harness.store)
      const { commit } = (second as RecordedEvent).position
      const wrong: Position[] = [
        { commit: commit - 1n, prepare: commit - 1n },
        { commit: -1n, prepare: -1n },
        { commit, prepare: commit + 1n },
      ]
      for (const from of wrong) {
        for (const direction of ['forwards', 'backwards'] as const) {
          await expect(gather(harness.store.readAll({ from, direction }))).rejects.toThrow(InvalidPositionError)
        }
        await expect(gather(harness.store.subscribeToAll({ after: from }))).rejects.toThrow(InvalidPositionError)
      }
      const beyond = { commit: 2n ** 50n, prepare: 2n ** 50n }
      await expect(gather(harness.store.readAll({ from: beyond, direction: 'backwards' }))).rejects.toThrow(
        InvalidPositionError,
      )
      expect(await eventsOfLog(harness.store, { from: { commit: 0n, prepare: 0n } })).toHaveLength(3)
      await harness.dispose()
    })

    test('closing ends subscriptions and readings, and a second time does nothing', async () => {
      const harness = await makeStore({})
      await harness.store.append('a-1', someEvents(1), 'any')
      const subscription = gather(harness.store.subscribeToAll())
      await harness.store.close()
      await harness.store.close()
      const ended = await subscription
      expect(ended.length).toBeLessThanOrEqual(2)
      await expect(harness.store.readStream('a-1')).rejects.toThrow(StoreUnavailableError)
      await expect(gather(harness.store.readAll())).rejects.toThrow(StoreUnavailableError)
      await expect(harness.store.append('a-1', [], 'any')).rejects.toThrow(StoreUnavailableError)
      await expect(harness.store.tombstone('a-1', 'any')).rejects.toThrow(StoreUnavailableError)
      expect(() => harness.store.subscribeToAll()).toThrow(StoreUnavailableError)
      await harness.dispose()
    })
  })
}
