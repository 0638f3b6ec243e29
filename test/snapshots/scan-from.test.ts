// A scan from a snapshot says the same as a replay from the start, byte for byte, whatever befell the log and wherever it is cut.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { booking } from '../../projections/booking/booking.js'
import { type Cut, cutAtEvent } from '../../src/engine/cut.js'
import type { Projection } from '../../src/engine/projection.js'
import { makeSnapshots } from '../../src/snapshots/make-snapshots.js'
import type { Series } from '../../src/snapshots/series.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { eventsOfLog } from '../controls/events.js'
import { type HostileStep, hostileStep, takeStep } from '../controls/hostile-steps.js'
import { type LockerStep, lockerStep, lockers, takeLockerStep } from '../controls/lockers.js'
import { appendTold, logInTime, type Taken } from '../controls/logs-in-time.js'
import { seedFor } from '../controls/seed.js'
import { msAt } from '../projections/booking/history.js'
import { askTwice, newSeries } from './series-at-random.js'

const folder = mkdtempSync(join(tmpdir(), 'makegood-snapshots-'))
afterAll(() => rmSync(folder, { recursive: true }))

type Step = Taken | HostileStep | LockerStep

/** A store that takes one step of a made-up log after the other. */
class GrowingStore {
  #now = msAt(0)
  #index = 0
  readonly store = openMemoryStore({ clock: () => this.#now })

  async grow(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      this.#index += 1
      if ('kind' in step) await takeStep(this.store, step, this.#index)
      else if ('told' in step) await this.#append(step)
      else await takeLockerStep(this.store, step, this.#index)
    }
  }

  async #append({ told, minute }: Taken): Promise<void> {
    this.#now = msAt(minute)
    // A tombstone forbids some.
    await appendTold(this.store, told, this.#index).catch(() => {})
  }
}

const hostileLog = fc
  .tuple(logInTime, fc.array(fc.tuple(fc.nat(), hostileStep), { maxLength: 5 }))
  .map(([taken, hostile]): Step[] => {
    const steps: Step[] = [...taken]
    for (const [at, step] of hostile) steps.splice(at % (steps.length + 1), 0, step)
    return steps
  })

/** How a log is cut and asked: snapshots are made when a part of it is there, and once more when all of it is. */
const asked = fc.record({
  split: fc.nat({ max: 20 }),
  every: fc.integer({ min: 1, max: 6 }),
  questions: fc.array(fc.record({ at: fc.nat(), minute: fc.integer({ min: -10, max: 20_000 }) }), {
    minLength: 3,
    maxLength: 3,
  }),
})

async function seriesOfGrowing(
  growing: GrowingStore,
  projection: Projection,
  { steps, split, every }: { steps: readonly Step[]; split: number; every: number },
): Promise<Series | undefined> {
  const at = split % (steps.length + 1)
  await growing.grow(steps.slice(0, at))
  const early = await newSeries(growing.store, projection, folder)
  if (early) await makeSnapshots(growing.store, projection, early, { every })
  await growing.grow(steps.slice(at))
  const series = early ?? (await newSeries(growing.store, projection, folder))
  if (series) await makeSnapshots(growing.store, projection, series, { every: every + 1 })
  return series
}

/** How many of the questions were answered from a snapshot. */
async function expectEqualAnswers(projection: Projection, logs: fc.Arbitrary<Step[]>, seed: number): Promise<number> {
  let used = 0
  const property = fc.asyncProperty(logs, asked, async (steps, { questions, ...how }) => {
    const growing = new GrowingStore()
    const series = await seriesOfGrowing(growing, projection, { steps, ...how })
    if (!series) return
    const events = await eventsOfLog(growing.store)
    for (const { at, minute } of questions) {
      const moment = { cut: cutAtEvent(events[at % events.length]) as Cut, now: msAt(minute) }
      const { number, fromSnapshot, fromStart } = await askTwice(growing.store, projection, series, moment)
      used += Math.min(1, number)
      expect(fromSnapshot).toBe(fromStart)
    }
  })
  await fc.assert(property, { seed, numRuns: RUNS })
  return used
}

const RUNS = 250

describe('a scan from a snapshot', () => {
  it('is equal to a replay from the start, at any cut and any now', async () => {
    const used = await expectEqualAnswers(booking as Projection, hostileLog, seedFor('scan from a snapshot'))
    expect(used).toBeGreaterThan(RUNS)
  })

  it('is so also where keys begin and cease to be shared, and states are more than JSON', async () => {
    const steps = fc.array(lockerStep, { minLength: 1, maxLength: 25 })
    const used = await expectEqualAnswers(lockers as Projection, steps, seedFor('scan of shared keys from a snapshot'))
    expect(used).toBeGreaterThan(RUNS)
  })
})
