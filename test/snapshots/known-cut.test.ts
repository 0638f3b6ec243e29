// Snapshots as a boundary index: a time or a position is found from a known cut where it is found from the start.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { booking } from '../../projections/booking/booking.js'
import { type Cut, CutError, type CutSpec, type KnownBefore, resolveCut } from '../../src/engine/cut.js'
import type { Projection } from '../../src/engine/projection.js'
import { jsonEvent } from '../../src/log/event.js'
import type { EventReader } from '../../src/log/event-store.js'
import { ticksOfMs } from '../../src/log/ticks.js'
import { knownCutBefore } from '../../src/snapshots/fitting.js'
import { makeSnapshots } from '../../src/snapshots/make-snapshots.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { eventsOfLog } from '../controls/events.js'
import { seedFor } from '../controls/seed.js'
import { msAt } from '../projections/booking/history.js'
import { newSeries } from './series-at-random.js'

const folder = mkdtempSync(join(tmpdir(), 'makegood-boundaries-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Events of the projection's streams and of others, whose clock is set back again and again. */
const log = fc.array(
  fc.record({
    stream: fc.constantFrom('payment-b1', 'ticket-b1', 'hotel-b1'),
    minute: fc.integer({ min: 0, max: 50 }),
  }),
  { minLength: 1, maxLength: 30 },
)
const CLOCK = msAt(10_000)

async function outcomeOf(
  reader: EventReader,
  spec: CutSpec,
  knownBefore?: KnownBefore,
): Promise<Cut | string | undefined> {
  try {
    return await resolveCut(reader, spec, CLOCK, knownBefore)
  } catch (error) {
    if (error instanceof CutError) return error.message
    throw error
  }
}

describe('a cut that is looked for from a snapshot', () => {
  it('is the cut that is found from the start', async () => {
    let known = 0
    const property = fc.asyncProperty(log, fc.integer({ min: 1, max: 5 }), async (steps, every) => {
      let now = 0
      const store = openMemoryStore({ clock: () => now })
      for (const [index, { stream, minute }] of steps.entries()) {
        now = msAt(minute)
        const id = `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`
        await store.append(stream, [jsonEvent({ id, type: 'Odd', data: {} })], 'any')
      }
      const series = await newSeries(store, booking as Projection, folder)
      if (!series) return
      await makeSnapshots(store, booking as Projection, series, { every })
      const knownBefore: KnownBefore = async (spec) => {
        const cut = await knownCutBefore(store, series, spec)
        known += cut ? 1 : 0
        return cut
      }
      for (let minute = -1; minute <= 51; minute += 4) {
        const spec = { kind: 'time', ticks: ticksOfMs(msAt(minute)) } as const
        expect(await outcomeOf(store, spec, knownBefore)).toEqual(await outcomeOf(store, spec))
      }
      for (const { position } of await eventsOfLog(store)) {
        const commit = position.commit + 1n
        const spec = { kind: 'position', position: { commit, prepare: commit } } as const
        expect(await outcomeOf(store, spec, knownBefore)).toEqual(await outcomeOf(store, spec))
      }
    })
    await fc.assert(property, { seed: seedFor('known cuts'), numRuns: 100 })
    expect(known).toBeGreaterThan(100)
  })
})
