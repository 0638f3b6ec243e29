// What outlives a restart of a home, and what does not: the log does, the memory of recent ids does not.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RecordedEvent } from '../../src/log/event.js'
import { metadataStreamOf } from '../../src/log/stream.js'
import { anEvent, eventsOf, eventsOfLog, someEvents, uniqueStream } from '../controls/events.js'
import { LIVE, type Prepared, prepareStream, RESTARTED, type Start, tryAppend } from './append-cases.js'
import { setMetadata } from './metadata-contract.js'
import type { MakeStore, StoreHarness } from './store-harness.js'

const ABC: Start = {
  head: 2,
  readableFrom: 0,
  prepare: async (store, stream, letters) => {
    await store.append(stream, letters.events('abc'), 'any')
  },
}

export function durabilityContract(makeStore: MakeStore): void {
  describe('restarting', () => {
    let harness: StoreHarness
    const prepared: Prepared[] = []
    const streams = { live: uniqueStream(), deleted: uniqueStream(), gone: uniqueStream(), limited: uniqueStream() }
    let before: readonly RecordedEvent[] = []
    const filter = { streamPrefixes: Object.values(streams).flatMap((name) => [name, metadataStreamOf(name)]) }

    beforeAll(async () => {
      harness = await makeStore()
      const { store } = harness
      for (const _cell of RESTARTED) prepared.push(await prepareStream(store, ABC))
      for (const stream of Object.values(streams)) await store.append(stream, someEvents(3), 'noStream')
      await store.deleteStream(streams.deleted, 2)
      await store.tombstone(streams.gone, 2)
      await setMetadata(store, streams.limited, { $maxCount: 2 })
      before = await eventsOfLog(store, { filter })
      await harness.reopen?.()
    })
    afterAll(async () => {
      await harness.dispose()
    })

    test.each(RESTARTED.map((cell, i) => [cell.ids || 'no ids', cell.expected, cell.outcome, cell, i] as const))(
      'an append of %s, expected %s: %s',
      async (_ids, _expected, _outcome, cell, i) => {
        await tryAppend(harness.store, prepared[i] as Prepared, { start: ABC, cell })
      },
    )

    test('every event is there as it was, at its position', async () => {
      expect(before).toHaveLength(3 * 4 + 3)
      expect(await eventsOfLog(harness.store, { filter })).toEqual(before)
    })

    test('deletes, tombstones and limits still hold', async () => {
      const { store } = harness
      expect(await store.readStream(streams.deleted)).toEqual({ kind: 'missing' })
      expect(await store.readStream(streams.gone)).toEqual({ kind: 'tombstoned' })
      expect((await eventsOf(store, streams.limited)).map(({ revision }) => revision)).toEqual([1, 2])
      expect(await store.append(streams.gone, [anEvent()], 'any')).toMatchObject({ reason: 'stream-deleted' })
      expect(await store.append(streams.deleted, [anEvent()], 'noStream')).toMatchObject({ revision: 3 })
      expect((await eventsOf(store, streams.deleted)).map(({ revision }) => revision)).toEqual([3])
    })

    test('new events go on from the last revision, behind everything there was', async () => {
      const { store } = harness
      expect(await store.append(streams.live, someEvents(2), 2)).toMatchObject({ kind: 'appended', revision: 4 })
      const last = (await eventsOf(store, streams.live)).at(-1)
      expect((last?.position.commit ?? 0n) > (before.at(-1)?.position.commit ?? 0n)).toBe(true)
    })

    test('the cells are those of a live stream again once the ids were appended anew', async () => {
      const { store } = harness
      for (const cell of LIVE.filter(({ expected }) => expected === 'any')) {
        await tryAppend(store, await prepareStream(store, ABC), { start: ABC, cell })
      }
    })
  })
}
