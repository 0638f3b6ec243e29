// Readings and their readers: who leaves, rests, goes slowly or is closed under; and that nobody pays for it but who does it (servers scripted).
import { describe, expect, test } from 'vitest'
import type { EventSink, EventStore } from '../../../src/log/event-store.js'
import { eventsOf, eventsOfLog, gather } from '../../controls/events.js'
import { open, until } from './opened.js'
import { askedBy, EVENTS, FORWARDS, givingUp, revisions } from './scripted-log.js'
import { READ, scriptedEvent, startStub } from './stub-server.js'

describe('a reading', () => {
  test.each<[string, (store: Awaited<ReturnType<typeof open>>) => Promise<unknown>]>([
    [
      'the log',
      async (store) => {
        for await (const _ of store.readAll()) break
      },
    ],
    [
      'a stream',
      async (store) => {
        const read = await store.readStream('s-1')
        if (read.kind === 'found') for await (const _ of read.events) break
      },
    ],
    [
      'a subscription',
      async (store) => {
        for await (const _ of store.subscribeToAll()) break
      },
    ],
    [
      'a subscription, by an error of its own',
      async (store) => {
        const failing = async () => {
          for await (const _ of store.subscribeToAll()) throw new Error('mine')
        }
        await expect(failing()).rejects.toThrow('mine')
      },
    ],
    [
      'the log, by a signal',
      async (store) => {
        const controller = new AbortController()
        const reading = async () => {
          for await (const _ of store.readAll({ signal: controller.signal })) controller.abort(new Error('enough'))
        }
        await expect(reading()).rejects.toThrow('enough')
      },
    ],
    [
      'the log as bytes',
      async (store) => {
        for await (const _ of pour(store, () => {})) break
      },
    ],
    [
      'the log as bytes, by what its taker throws',
      async (store) => {
        const full = () => {
          throw new Error('full')
        }
        await expect(gather(pour(store, full))).rejects.toThrow('full')
      },
    ],
    [
      'the log as bytes, by a signal',
      async (store) => {
        const controller = new AbortController()
        const reading = async () => {
          for await (const _ of pour(store, () => {}, controller.signal)) controller.abort(new Error('enough'))
        }
        await expect(reading()).rejects.toThrow('enough')
      },
    ],
  ])('left early (%s) lets its call go', async (_title, leave) => {
    const stub = await startStub({ [READ]: (call) => void call.sendEvents(EVENTS) })
    const store = await open(stub.url, { silenceMsMax: 60_000 })
    await leave(store)
    await until(() => stub.callsOf(READ).every((call) => call.isOver))
    expect(stub.callsOf(READ)).toHaveLength(1)
  })

  test('that nobody goes on with lets its call go, and goes on when somebody does', async () => {
    const stub = await startStub({ [READ]: givingUp(4, () => undefined) })
    const store = await open(stub.url, { silenceMsMax: 200 })
    const read = await store.readStream('s-1')
    await until(() => stub.callsOf(READ)[0]?.isOver ?? false)
    const runs = read.kind === 'found' ? await gather(read.events) : []
    expect(revisions(runs.flat())).toEqual(FORWARDS)
  })

  test('closing the store ends it', async () => {
    const stub = await startStub({ [READ]: (call) => void call.sendEvents(EVENTS) })
    const store = await open(stub.url)
    const reading = async () => {
      for await (const _ of store.readAll()) await store.close()
    }
    await expect(reading()).rejects.toMatchObject({ name: 'StoreUnavailableError', message: 'The store is closed' })
  })

  test('takes a bounded amount ahead of a reader that rests, and does not hold up others meanwhile', async () => {
    const big = Array.from({ length: 400 }, (_, i) => scriptedEvent(i, { data: Buffer.alloc(64 * 1024, 120) }))
    let sent = 0
    const stub = await startStub({
      [READ]: async (call) => {
        const { ofStream } = await askedBy(call)
        for (const event of ofStream ? EVENTS : big) {
          if (!call.sendEvents([event])) await new Promise((resolve) => call.stream.once('drain', resolve))
          if (!ofStream) sent += 1
        }
        call.end()
      },
    })
    const store = await open(stub.url)
    let count = 0
    for await (const { events } of store.readAll({ maxCount: big.length })) {
      if (count === 0) {
        await new Promise((resolve) => setTimeout(resolve, 500))
        // The window of one call is 1 MiB, that is 16 of these; both ends keep a few more.
        expect(sent).toBeLessThan(40)
        expect(revisions(await eventsOf(store, 's-1', { maxCount: EVENTS.length }))).toEqual(FORWARDS)
      }
      count += events.length
    }
    expect(count).toBe(big.length)
  })

  test('as bytes takes a bounded amount ahead of a reader that rests', async () => {
    const big = Array.from({ length: 100 }, (_, i) => scriptedEvent(i, { data: Buffer.alloc(64 * 1024, 120) }))
    let sent = 0
    const stub = await startStub({
      [READ]: async (call) => {
        for (const event of big) {
          if (!call.sendEvents([event])) await new Promise((resolve) => call.stream.once('drain', resolve))
          sent += 1
        }
      },
    })
    let count = 0
    const take = () => {
      count += 1
    }
    const store = await open(stub.url)
    let hasRested = false
    for await (const _ of store.pourAll?.(take, { to: scriptedEvent(99).position }) ?? []) {
      if (!hasRested) await new Promise((resolve) => setTimeout(resolve, 500))
      // As above.
      if (!hasRested) expect(sent).toBeLessThan(40)
      hasRested = true
    }
    expect(count).toBe(big.length)
  })

  test('of a server that is slow but goes on is one call', async () => {
    const stub = await startStub({
      [READ]: async (call) => {
        for (const event of EVENTS.slice(0, 7)) {
          call.sendEvents([event])
          await new Promise((resolve) => setTimeout(resolve, 350))
        }
        call.end()
      },
    })
    const store = await open(stub.url, { silenceMsMax: 1_500 })
    expect(await eventsOfLog(store, { maxCount: 7 })).toHaveLength(7)
    expect(stub.callsOf(READ)).toHaveLength(1)
  })
})

/** The whole log as bytes, and on behind its end. */
function pour(store: EventStore, sink: EventSink, signal?: AbortSignal): AsyncIterable<unknown> {
  const to = { commit: 10n ** 15n, prepare: 10n ** 15n }
  return store.pourAll?.(sink, { to, ...(signal && { signal }) }) ?? expect.fail('it does not pour')
}
