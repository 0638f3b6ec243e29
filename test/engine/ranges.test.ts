// A replay whose log is read in ranges by several: what it finds and counts is what one reading finds, however the ranges lie and whoever is quicker.
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { booking } from '../../projections/booking/booking.js'
import { judgePart } from '../../src/engine/judge-part.js'
import { pourRange } from '../../src/engine/pour-range.js'
import { type ReplayOptions, type ReplayResult, replay } from '../../src/engine/replay.js'
import type { ReplayThreads, ThreadSource } from '../../src/engine/replay-threads.js'
import { ScratchError } from '../../src/engine/scratch.js'
import type { RecordedEvent } from '../../src/log/event.js'
import { eventLengthMax, writeEvent } from '../../src/log/event-bytes.js'
import type { EventReader, EventSink, PourOptions } from '../../src/log/event-store.js'
import { comparePositions, type Position } from '../../src/log/position.js'
import { ticksOfMs } from '../../src/log/ticks.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { generate } from '../../src/workload/generate.js'
import { Random } from '../../src/workload/random.js'
import { writeWorkload } from '../../src/workload/write-store.js'
import { eventsOfLog } from '../controls/events.js'
import { seedFor } from '../controls/seed.js'

/** A log in memory that pours, and is cut where a test says. */
class PouredLog {
  /** How many events stand in front of each cut but the first range's start. */
  cuts: readonly number[] = []

  constructor(readonly events: readonly RecordedEvent[]) {}

  reader(): EventReader {
    const splitAll = async () => this.cuts.map((count) => this.events[count - 1]?.position as Position)
    return { pourAll: (sink, options) => this.#pour(sink, options), splitAll } as Partial<EventReader> as EventReader
  }

  async *#pour(sink: EventSink, { after, to, filter }: PourOptions): AsyncGenerator<Position, void, undefined> {
    for (const event of this.events) {
      if (after && comparePositions(event.position, after) <= 0) continue
      if (comparePositions(event.position, to) > 0) return
      if (!filter?.streamPrefixes.some((prefix) => event.stream.startsWith(prefix))) continue
      const bytes = Buffer.alloc(eventLengthMax(event))
      sink(event.stream, bytes, 0, writeEvent(bytes, 0, event))
      yield event.position
    }
  }
}

/** Threads that are none, each as slow as a test wants. */
function threadsOver(log: PouredLog, count: number, pauseMs: () => number): ThreadSource {
  return {
    count,
    open: (projection): ReplayThreads => ({
      count,
      readRange: (question, onRecords) =>
        pourRange(log.reader(), projection, question, async (block) => {
          await sleep(pauseMs())
          onRecords(block)
        }),
      judge: (part, options) => judgePart(part, projection, options),
      close: async () => {},
    }),
  }
}

describe('a replay in ranges', () => {
  const seed = seedFor('ranges')
  const random = new Random(seed, 1)
  const workload = generate({ bookings: 300, seed, scenario: 'mixed' })
  const now = Date.parse(workload.marker.now)
  let log: PouredLog
  let options: ReplayOptions

  beforeAll(async () => {
    const store = openMemoryStore()
    await writeWorkload(store, workload)
    const event = { type: 'PaymentCaptured', contentType: 'application/json', metadata: new Uint8Array() } as const
    for (const stream of ['payment-', 'payment-', 'ticket-'])
      await store.append(stream, [{ ...event, id: crypto.randomUUID(), data: Buffer.from('{}') }], 'any')
    const events = await eventsOfLog(store)
    log = new PouredLog(events)
    options = { now, cut: { position: events.at(-1)?.position as Position } as NonNullable<ReplayOptions['cut']> }
  })

  const inRanges = (count: number, more: Partial<ReplayOptions> = {}) =>
    replay(log.reader(), booking, {
      ...options,
      threads: threadsOver(log, count, () => random.fraction() * 3),
      ...more,
    })

  it('finds and counts what one reading does', async () => {
    for (const more of [{}, { happenedBy: ticksOfMs(now - 86_400_000) }]) {
      log.cuts = []
      const whole = await replay(log.reader(), booking, { ...options, ...more })
      expect(whole.summary.coverage.unattributable).toBe(3)
      expect(whole.findings.length).toBeGreaterThan(50)
      for (const [threads, ranges] of [
        [1, 2],
        [1, 7],
        [3, 5],
        [4, 40],
      ] as const) {
        const cuts = Array.from(
          { length: ranges - 1 },
          () => 1 + Math.floor(random.fraction() * (log.events.length - 1)),
        )
        log.cuts = [...new Set(cuts)].sort((a, b) => a - b)
        expect(toldOf(await inRanges(threads, more)), `seed ${seed}, cuts ${log.cuts}`).toEqual(toldOf(whole))
      }
    }
  })

  it('is cut where the caller says, for a home that does not know', async () => {
    log.cuts = [200, 900]
    const { pourAll, splitAll } = log.reader() as Required<EventReader>
    const reader = { pourAll } as Partial<EventReader> as EventReader
    let rangesBeside = 0
    const threads = threadsOver(log, 1, () => 0)
    const open: ThreadSource['open'] = (...all) => {
      const opened = threads.open(...all) as ReplayThreads
      const readRange: ReplayThreads['readRange'] = (...asked) => {
        rangesBeside += 1
        return opened.readRange?.(...asked) as ReturnType<NonNullable<ReplayThreads['readRange']>>
      }
      return { ...opened, readRange }
    }
    const whole = await replay(reader, booking, options)
    expect(toldOf(await replay(reader, booking, { ...options, splitAll, threads: { ...threads, open } }))).toEqual(
      toldOf(whole),
    )
    expect(rangesBeside).toBeGreaterThan(0)
  })

  it('is told of its progress from nothing to all, and never back', async () => {
    log.cuts = [100, 200, 300, 400, 500, 600]
    const shares: number[] = []
    await inRanges(2, { onProgress: ({ fraction = 0 }) => shares.push(fraction) })
    expect(shares.at(-1)).toBe(1)
    expect(shares[0]).toBeLessThan(0.1)
  })

  it('ends with what goes wrong beside it: in a reading, in scratch space, and at a signal', async () => {
    log.cuts = [100, 1_000]
    const failing = threadsOver(log, 1, () => 0)
    const readRange = () => Promise.reject(new Error('cannot be read'))
    const open: ThreadSource['open'] = (...all) => ({ ...(failing.open(...all) as ReplayThreads), readRange })
    await expect(inRanges(1, { threads: { ...failing, open } })).rejects.toThrow('cannot be read')

    const scratch = () => {
      throw new ScratchError('full')
    }
    await expect(inRanges(1, { memory: { bytesMax: 0, scratch } })).rejects.toThrow('full')

    const aborting = new AbortController()
    const onProgress = () => aborting.abort(new Error('enough'))
    await expect(inRanges(2, { signal: aborting.signal, onProgress })).rejects.toThrow('enough')
  })
})

/** Everything but how long it took, and ordinals, which only order. */
function toldOf({ summary, findings, compensations, waiting, atStake }: ReplayResult) {
  const made = compensations.map(({ subject, heads, intents }) => ({ subject, heads, intents }))
  return { summary: { ...summary, elapsedMs: 0 }, findings, made, waiting, atStake }
}
