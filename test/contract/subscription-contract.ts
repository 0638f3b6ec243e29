// Subscriptions: what was there, then what comes, in order, without gaps, until somebody ends it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SubscriptionMessage } from '../../src/log/event-store.js'
import { TOMBSTONE_REVISION } from '../../src/log/revision.js'
import { metadataStreamOf } from '../../src/log/stream.js'
import { anEvent, someEvents, uniqueStream } from '../controls/events.js'
import { setMetadata } from './metadata-contract.js'
import type { MakeStore, StoreHarness } from './store-harness.js'

export function subscriptionContract(makeStore: MakeStore): void {
  describe('subscribing', () => {
    let harness: StoreHarness
    beforeAll(async () => {
      harness = await makeStore()
    })
    afterAll(async () => {
      await harness.dispose()
    })

    describe('to one stream', () => {
      test.each([
        ['start', [0, 1, 2]],
        [0, [1, 2]],
        [2, []],
        ['end', []],
      ] as const)('after %s gives what follows, says that it caught up, then gives what comes', async (after, old) => {
        const stream = await streamOfThree()
        const seen = new Follower(harness.store.subscribeToStream(stream, { after }))
        expect(await seen.untilCaughtUp()).toEqual(old)
        await harness.store.append(stream, [anEvent()], 2)
        await harness.store.append(stream, [anEvent()], 3)
        expect(await seen.revisions(2)).toEqual([3, 4])
        await seen.leave()
      })

      test('a stream that does not exist is waited for', async () => {
        const stream = uniqueStream()
        const seen = new Follower(harness.store.subscribeToStream(stream, { after: 'end' }))
        expect(await seen.untilCaughtUp()).toEqual([])
        await harness.store.append(stream, someEvents(2), 'noStream')
        expect(await seen.revisions(2)).toEqual([0, 1])
        await seen.leave()
      })

      test('a revision that is not there yet is waited for; what comes below it is not given', async () => {
        const stream = uniqueStream()
        const seen = new Follower(harness.store.subscribeToStream(stream, { after: 1 }))
        expect(await seen.untilCaughtUp()).toEqual([])
        await harness.store.append(stream, someEvents(4), 'noStream')
        expect(await seen.revisions(2)).toEqual([2, 3])
        await seen.leave()
      })

      test('truncated events are passed over, and a soft delete is not told', async () => {
        const stream = await streamOfThree()
        await setMetadata(harness.store, stream, { $tb: 1 })
        const seen = new Follower(harness.store.subscribeToStream(stream))
        expect(await seen.untilCaughtUp()).toEqual([1, 2])
        await harness.store.deleteStream(stream, 'any')
        await harness.store.append(stream, [anEvent()], 'any')
        expect(await seen.revisions(1)).toEqual([3])
        await seen.leave()
      })

      test('a tombstone gives its event and ends it with an error', async () => {
        const stream = await streamOfThree()
        const seen = new Follower(harness.store.subscribeToStream(stream, { after: 'end' }))
        await seen.untilCaughtUp()
        await harness.store.append(stream, [anEvent()], 2)
        await harness.store.tombstone(stream, 'any')
        expect(await seen.revisions(2)).toEqual([3, TOMBSTONE_REVISION])
        await expect(seen.next()).rejects.toMatchObject({ name: 'StreamTombstonedError', stream })
      })

      test('a stream that is tombstoned already is an error at once', async () => {
        const stream = await streamOfThree()
        await harness.store.tombstone(stream, 'any')
        const seen = new Follower(harness.store.subscribeToStream(stream))
        await expect(seen.next()).rejects.toMatchObject({ name: 'StreamTombstonedError' })
      })

      test('appends during the catching up are neither lost nor given twice', async () => {
        const stream = uniqueStream()
        await harness.store.append(stream, someEvents(500), 'noStream')
        const seen = new Follower(harness.store.subscribeToStream(stream))
        const revisions = seen.revisions(600)
        for (let i = 0; i < 100; i += 1) await harness.store.append(stream, [anEvent()], 'any')
        expect(await revisions).toEqual(Array.from({ length: 600 }, (_, i) => i))
        await seen.leave()
      })
    })

    describe('to the log', () => {
      test('gives all streams that match, with their metadata and tombstones', async () => {
        const stream = uniqueStream()
        const filter = { streamPrefixes: [stream, metadataStreamOf(stream)] }
        const seen = new Follower(harness.store.subscribeToAll({ after: 'end', filter }))
        await seen.untilCaughtUp()
        await harness.store.append(stream, [anEvent()], 'any')
        await setMetadata(harness.store, stream, { k: 1 })
        await harness.store.deleteStream(stream, 'any')
        await harness.store.append(stream, [anEvent()], 'any')
        await harness.store.tombstone(stream, 'any')
        const events = await seen.events(6)
        expect(events.map((event) => `${event.stream.slice(0, 2)} ${event.revision}`)).toEqual([
          'co 0',
          '$$ 0',
          '$$ 1',
          'co 1',
          '$$ 2',
          `co ${TOMBSTONE_REVISION}`,
        ])
        await seen.leave()
      })

      test('after a position gives what follows it', async () => {
        const stream = uniqueStream()
        const first = await harness.store.append(stream, [anEvent()], 'any')
        await harness.store.append(stream, someEvents(2), 'any')
        const after = first.kind === 'appended' ? first.position : undefined
        const filter = { streamPrefixes: [stream] }
        const seen = new Follower(harness.store.subscribeToAll({ after: after ?? 'start', filter }))
        expect(await seen.untilCaughtUp()).toEqual([1, 2])
        await seen.leave()
      })

      test('from the start gives the whole log', async () => {
        const stream = uniqueStream()
        await harness.store.append(stream, someEvents(2), 'any')
        const seen = new Follower(harness.store.subscribeToAll())
        const events = []
        while (events.at(-1)?.stream !== stream || events.at(-1)?.revision !== 1) events.push(...(await seen.events(1)))
        expect(events.filter((event) => event.stream === stream).map(({ revision }) => revision)).toEqual([0, 1])
        await seen.leave()
      })

      test('tells how far it has come where nothing matches', async () => {
        const stream = uniqueStream()
        const start = await harness.store.append(stream, [anEvent()], 'any')
        const position = start.kind === 'appended' ? start.position : undefined
        // As many as a server looks at before it tells.
        await harness.store.append(stream, someEvents(1000), 'any')
        const filter = { streamPrefixes: [uniqueStream()] }
        const seen = new Follower(harness.store.subscribeToAll({ after: position ?? 'start', filter }))
        const message = await seen.next()
        expect(message).toMatchObject({ kind: 'checkpoint' })
        const reached = message?.kind === 'checkpoint' ? message.position.commit : 0n
        expect(reached >= (position?.commit ?? 0n)).toBe(true)
        await seen.leave()
      })

      test('a place between two records is refused', async () => {
        const result = await harness.store.append(uniqueStream(), someEvents(2), 'any')
        const commit = (result.kind === 'appended' ? (result.position?.commit ?? 0n) : 0n) - 1n
        const seen = new Follower(harness.store.subscribeToAll({ after: { commit, prepare: commit } }))
        await expect(seen.next()).rejects.toMatchObject({ name: 'InvalidPositionError' })
      })
    })

    test('a consumer that waits hears of an event that is appended in the turn in which it began to wait', async () => {
      const stream = await streamOfThree()
      const seen = new Follower(harness.store.subscribeToStream(stream, { after: 'end' }))
      await seen.untilCaughtUp()
      const next = seen.events(1)
      await harness.store.append(stream, [anEvent()], 2)
      expect((await next).map(({ revision }) => revision)).toEqual([3])
      await seen.leave()
    })

    test('an aborted signal ends it without an error, also while it waits', async () => {
      const controller = new AbortController()
      const stream = await streamOfThree()
      const seen = new Follower(harness.store.subscribeToStream(stream, { signal: controller.signal }))
      await seen.untilCaughtUp()
      const next = seen.next()
      controller.abort()
      expect(await next).toBeUndefined()
      const late = new Follower(harness.store.subscribeToAll({ signal: controller.signal }))
      expect(await late.next()).toBeUndefined()
    })

    test('a consumer that leaves while it waits is let go', async () => {
      const seen = new Follower(harness.store.subscribeToStream(uniqueStream()))
      await seen.untilCaughtUp()
      const next = seen.next()
      await seen.leave()
      expect(await next).toBeUndefined()
    })

    test('closing the store ends subscriptions; a second close does nothing', async () => {
      const { store, dispose } = await makeStore()
      const stream = uniqueStream()
      await store.append(stream, [anEvent()], 'any')
      const seen = new Follower(store.subscribeToStream(stream))
      await seen.untilCaughtUp()
      const next = seen.next()
      await store.close()
      await store.close()
      expect(await next).toBeUndefined()
      await expect(store.append(stream, [anEvent()], 'any')).rejects.toMatchObject({ name: 'StoreUnavailableError' })
      await expect(store.readStream(stream)).rejects.toMatchObject({ name: 'StoreUnavailableError' })
      await dispose()
    })

    async function streamOfThree(): Promise<string> {
      const stream = uniqueStream()
      await harness.store.append(stream, someEvents(3), 'noStream')
      return stream
    }
  })
}

/** Reads a subscription message by message. */
class Follower {
  readonly #iterator: AsyncIterator<SubscriptionMessage>
  #rest: Extract<SubscriptionMessage, { kind: 'events' }>['events'] = []

  constructor(subscription: AsyncIterable<SubscriptionMessage>) {
    this.#iterator = subscription[Symbol.asyncIterator]()
  }

  /** The next message, undefined at the end. */
  async next(): Promise<SubscriptionMessage | undefined> {
    const { done, value } = await this.#iterator.next()
    return done ? undefined : value
  }

  /** Revisions of the events before the next `caughtUp`. */
  async untilCaughtUp(): Promise<number[]> {
    const revisions: number[] = []
    for (let message = await this.next(); message && message.kind !== 'caughtUp'; message = await this.next()) {
      if (message.kind === 'events') revisions.push(...message.events.map(({ revision }) => revision))
    }
    return revisions
  }

  /** So many next events; other messages are passed over. */
  async events(count: number) {
    const events = [...this.#rest]
    while (events.length < count) {
      const message = await this.next()
      if (!message) throw new Error(`It ended after ${events.length} events of ${count}`)
      if (message.kind === 'events') events.push(...message.events)
    }
    this.#rest = events.slice(count)
    return events.slice(0, count)
  }

  async revisions(count: number): Promise<number[]> {
    return (await this.events(count)).map(({ revision }) => revision)
  }

  async leave(): Promise<void> {
    await this.#iterator.return?.()
  }
}
