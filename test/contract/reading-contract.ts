// Reading: what every home gives, also one that is only read.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RecordedEvent } from '../../src/log/event.js'
import { readStored } from '../../src/log/event-bytes.js'
import type { EventSink, PourOptions, ReadAllOptions } from '../../src/log/event-store.js'
import { comparePositions } from '../../src/log/position.js'
import { eventsOf, eventsOfLog, gather, uniqueStream } from '../controls/events.js'
import { asPoured, pouredOf } from '../controls/poured.js'
import type { LoggedEvent, MakeReading, ReadingHarness } from './store-harness.js'

export function readingContract(makeReading: MakeReading): void {
  describe('reading', () => {
    let harness: ReadingHarness
    beforeAll(async () => {
      harness = await makeReading()
    })
    afterAll(async () => {
      await harness.dispose()
    })

    describe('one stream', () => {
      test('gives its events by revision, whole and as they were written', async () => {
        for (const stream of streamsOf(harness.logged)) {
          const events = await eventsOf(harness.reader, stream)
          expect(events.map(asLogged)).toEqual(harness.logged.filter((event) => event.stream === stream).map(asLogged))
          expect(events.map(({ revision }) => revision)).toEqual(events.map((_, i) => i))
        }
      })

      test('backwards gives the same in reverse', async () => {
        const stream = longest(harness.logged)
        const forwards = await eventsOf(harness.reader, stream)
        const backwards = await eventsOf(harness.reader, stream, { direction: 'backwards' })
        expect(backwards.map(({ id }) => id)).toEqual(forwards.map(({ id }) => id).reverse())
      })

      test.each([
        [{ from: 2 }, 2, undefined],
        [{ from: 'start' as const }, 0, undefined],
        [{ from: 'end' as const }, 0, 0],
        [{ from: 1_000_000 }, 0, 0],
        [{ from: 1, maxCount: 2 }, 1, 3],
        [{ maxCount: 0 }, 0, 0],
        [{ maxCount: 1_000_000 }, 0, undefined],
      ])('forwards %j gives the events from %s until before %s', async (options, first, end) => {
        const stream = longest(harness.logged)
        const all = (await eventsOf(harness.reader, stream)).map(({ id }) => id)
        const given = (await eventsOf(harness.reader, stream, options)).map(({ id }) => id)
        expect(given).toEqual(all.slice(first, end))
      })

      test.each([
        [{ from: 2 }, [2, 1, 0]],
        [{ from: 'start' }, [0]],
        [{ from: 2, maxCount: 2 }, [2, 1]],
        [{ maxCount: 0 }, []],
      ] as const)('backwards %j gives revisions %j', async (options, revisions) => {
        const events = await eventsOf(harness.reader, longest(harness.logged), { direction: 'backwards', ...options })
        expect(events.map(({ revision }) => revision)).toEqual(revisions)
      })

      test('backwards from beyond the head starts at the head', async () => {
        const stream = longest(harness.logged)
        const events = await eventsOf(harness.reader, stream, { direction: 'backwards', from: 1_000_000 })
        expect(events.map(({ id }) => id)).toEqual(
          (await eventsOf(harness.reader, stream)).map(({ id }) => id).reverse(),
        )
      })

      test('that never was is missing', async () => {
        expect(await harness.reader.readStream(uniqueStream())).toEqual({ kind: 'missing' })
      })

      test('gives no empty runs', async () => {
        const read = await harness.reader.readStream(longest(harness.logged))
        const runs = read.kind === 'found' ? await gather(read.events) : []
        expect(runs.length).toBeGreaterThan(0)
        expect(runs.every((run) => run.length > 0)).toBe(true)
      })
    })

    describe('the whole log', () => {
      test('gives all events in their order, at rising positions', async () => {
        const events = await eventsOfLog(harness.reader)
        expect(ours(events, harness.logged).map(asLogged)).toEqual(harness.logged.map(asLogged))
        expectRising(events)
      })

      test('backwards gives the same in reverse', async () => {
        const events = await eventsOfLog(harness.reader, { direction: 'backwards' })
        expect(ours(events, harness.logged).map(({ id }) => id)).toEqual(harness.logged.map(({ id }) => id).reverse())
        expectRising([...events].reverse())
      })

      test('gives events equal to those of their streams', async () => {
        const events = ours(await eventsOfLog(harness.reader), harness.logged)
        const stream = longest(harness.logged)
        expect(events.filter((event) => event.stream === stream)).toEqual(await eventsOf(harness.reader, stream))
      })

      test('forwards from an event gives it and what follows; backwards what stands before it', async () => {
        const events = ours(await eventsOfLog(harness.reader), harness.logged)
        const middle = events[4] as RecordedEvent
        const forwards = await eventsOfLog(harness.reader, { from: middle.position })
        const backwards = await eventsOfLog(harness.reader, { direction: 'backwards', from: middle.position })
        const ids = harness.logged.map(({ id }) => id)
        expect(ours(forwards, harness.logged).map(({ id }) => id)).toEqual(ids.slice(4))
        expect(forwards[0]?.id).toBe(middle.id)
        expect(ours(backwards, harness.logged).map(({ id }) => id)).toEqual(ids.slice(0, 4).reverse())
      })

      test('with prefixes gives only streams whose names begin so', async () => {
        const [first, second] = streamsOf(harness.logged) as [string, string]
        const filter = { streamPrefixes: [first, second] }
        const wanted = harness.logged.filter(({ stream }) => stream === first || stream === second)
        expect((await eventsOfLog(harness.reader, { filter })).map(({ id }) => id)).toEqual(wanted.map(({ id }) => id))
        const reversed = await eventsOfLog(harness.reader, { filter, direction: 'backwards' })
        expect(reversed.map(({ id }) => id)).toEqual(wanted.map(({ id }) => id).reverse())
      })

      test('with no prefix at all, or with one that nothing has, gives nothing', async () => {
        expect(await eventsOfLog(harness.reader, { filter: { streamPrefixes: [] } })).toEqual([])
        expect(await eventsOfLog(harness.reader, { filter: { streamPrefixes: [uniqueStream()] } })).toEqual([])
      })

      test('counts matching events', async () => {
        const stream = longest(harness.logged)
        const filter = { streamPrefixes: [stream] }
        const wanted = harness.logged.filter((event) => event.stream === stream).map(({ id }) => id)
        const two = await eventsOfLog(harness.reader, { filter, maxCount: 2 })
        expect(two.map(({ id }) => id)).toEqual(wanted.slice(0, 2))
        const last = await eventsOfLog(harness.reader, { filter, maxCount: 2, direction: 'backwards' })
        expect(last.map(({ id }) => id)).toEqual([...wanted].reverse().slice(0, 2))
        expect(await eventsOfLog(harness.reader, { maxCount: 0 })).toEqual([])
        expect(await eventsOfLog(harness.reader, { maxCount: 3 })).toHaveLength(3)
      })

      test('loses nothing when it is read on from the position of a batch', async () => {
        const stream = longest(harness.logged)
        const filter = { streamPrefixes: [stream] }
        const [batch] = await gather(harness.reader.readAll({ filter, maxCount: 2 }))
        const rest = await eventsOfLog(harness.reader, { filter, from: batch?.position ?? 'start' })
        const ids = new Set([...(batch?.events ?? []), ...rest].map(({ id }) => id))
        const wanted = harness.logged.filter((event) => event.stream === stream).map(({ id }) => id)
        expect([...ids]).toEqual(wanted)
      })

      test('forwards from the end, from beyond it, and backwards from the start is empty', async () => {
        expect(await eventsOfLog(harness.reader, { from: 'end', filter: ourStreams(harness.logged) })).toEqual([])
        expect(await eventsOfLog(harness.reader, { from: 'start', direction: 'backwards' })).toEqual([])
        const beyond = { commit: 2n ** 62n, prepare: 2n ** 62n }
        expect(await eventsOfLog(harness.reader, { from: beyond })).toEqual([])
      })
    })

    describe('events as the home holds them, where it gives them so', () => {
      test('are those of the log, from any place, in either direction, filtered and counted', async () => {
        const stored = harness.reader.stored?.()
        if (!stored) return
        const middle = (await eventsOfLog(harness.reader))[4] as RecordedEvent
        const from = middle.position
        const places: ReadAllOptions[] = [{}, { from }, { maxCount: 3 }, { filter: ourStreams(harness.logged), from }]
        for (const place of places) {
          for (const options of [place, { ...place, direction: 'backwards' } as const]) {
            const events = (await gather(stored.readAll(options))).flatMap((batch) => batch.events)
            expect(events.map(readStored)).toEqual(await eventsOfLog(harness.reader, options))
          }
        }
      })

      test('are those of a stream, and tell as much of streams that have none', async () => {
        const stored = harness.reader.stored?.()
        if (!stored) return
        const stream = longest(harness.logged)
        for (const options of [{}, { from: 1 }, { direction: 'backwards', maxCount: 2 }] as const) {
          const read = await stored.readStream(stream, options)
          const events = read.kind === 'found' ? (await gather(read.events)).flat() : []
          expect(events.map(readStored)).toEqual(await eventsOf(harness.reader, stream, options))
        }
        expect(await stored.readStream(uniqueStream())).toEqual({ kind: 'missing' })
      })
    })

    describe('the whole log as bytes, where the home gives them', () => {
      test('is the same events in the same order, up to a position', async () => {
        const events = await eventsOfLog(harness.reader)
        for (const last of [events.at(-1), events[4], events[0]] as RecordedEvent[]) {
          const poured = await pouredOf(harness.reader, { to: last.position })
          if (!poured) return
          const expected = events.slice(0, events.indexOf(last) + 1)
          expect(poured).toEqual(expected.map(asPoured))
        }
      })

      test('is that of the wanted streams', async () => {
        const [first, second] = streamsOf(harness.logged) as [string, string]
        const to = (await eventsOfLog(harness.reader)).at(-1)?.position ?? { commit: 0n, prepare: 0n }
        const poured = await pouredOf(harness.reader, { to, filter: { streamPrefixes: [first, second] } })
        const wanted = harness.logged.filter(({ stream }) => stream === first || stream === second)
        if (poured) expect(poured.map(({ id }) => id)).toEqual(wanted.map(({ id }) => id))
      })

      test('goes on behind any event', async () => {
        const events = await eventsOfLog(harness.reader)
        const to = events.at(-1)?.position ?? { commit: 0n, prepare: 0n }
        for (const index of [0, Math.floor(events.length / 2), events.length - 1]) {
          const { position: after } = events[index] as RecordedEvent
          const poured = await pouredOf(harness.reader, { after, to })
          const expected = events.slice(index + 1).map(asPoured)
          if (poured) expect(poured).toEqual(expected)
        }
      })

      test('ends with the reason of an aborted signal, and with what the sink throws', async () => {
        const { pourAll } = harness.reader
        if (!pourAll) return
        const to = (await eventsOfLog(harness.reader)).at(-1)?.position ?? { commit: 0n, prepare: 0n }
        const signal = AbortSignal.abort(new Error('enough'))
        const poured = (options: PourOptions, sink: EventSink) => gather(pourAll.call(harness.reader, sink, options))
        await expect(poured({ to, signal }, () => {})).rejects.toThrow('enough')
        const full = () => {
          throw new Error('full')
        }
        await expect(poured({ to }, full)).rejects.toThrow('full')
      })
    })

    test('an aborted signal ends a reading with its reason', async () => {
      const signal = AbortSignal.abort(new Error('enough'))
      await expect(gather(harness.reader.readAll({ signal }))).rejects.toThrow('enough')
      await expect(eventsOf(harness.reader, longest(harness.logged), { signal })).rejects.toThrow('enough')
    })

    test('a reading may be left early, again and again', async () => {
      for (let i = 0; i < 50; i += 1) {
        for await (const batch of harness.reader.readAll()) {
          expect(batch.position.commit).toBeTypeOf('bigint')
          break
        }
      }
      expect(await eventsOf(harness.reader, longest(harness.logged))).not.toHaveLength(0)
    })
  })
}

function streamsOf(logged: readonly LoggedEvent[]): string[] {
  return [...new Set(logged.map(({ stream }) => stream))]
}

function longest(logged: readonly LoggedEvent[]): string {
  const top = logged.reduce((best, event) => (event.revision > best.revision ? event : best))
  return top.stream
}

/** Others may write to the same log; only what the harness put there is compared. */
function ours(events: readonly RecordedEvent[], logged: readonly LoggedEvent[]): RecordedEvent[] {
  const ids = new Set(logged.map(({ id }) => id))
  return events.filter(({ id }) => ids.has(id))
}

function ourStreams(logged: readonly LoggedEvent[]) {
  return { streamPrefixes: streamsOf(logged) }
}

function asLogged({ stream, revision, id, type, data }: LoggedEvent) {
  return { stream, revision, id, type, data: Buffer.from(data).toString('hex') }
}

function expectRising(events: readonly RecordedEvent[]): void {
  const pairs = events.slice(1).map((event, i) => [events[i] as RecordedEvent, event] as const)
  expect(pairs.filter(([before, after]) => comparePositions(before.position, after.position) >= 0)).toEqual([])
}
