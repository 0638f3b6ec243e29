// Watches in a hostile world: answers lost, connections cut in the middle of a batch, events twice, processes killed at any touch of the store and
// followed by others, while the log goes on and time passes. Then calm: what the alert streams say must be what a replay finds, and at no time
// may an alert have been opened twice or lost.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { EventStore } from '../../src/log/event-store.js'
import { StoreUnavailableError } from '../../src/log/store-errors.js'
import { openEmbeddedStore } from '../../src/stores/embedded/embedded-store.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { seedFor } from '../controls/seed.js'
import { type Faults, FaultyStore, Killed } from './faulty-store.js'
import { type Happening, happen, happening, MINUTE_MS } from './live-airline.js'
import { alertRecords, breachesIn, expectedOpen, openIn, TestClock, until, Watching } from './watching.js'

interface Story {
  readonly happenings: readonly Happening[]
  /** How likely each fault is at each decision. */
  readonly likelihood: number
  readonly draws: number
  /** After how many touches each of the first processes dies. */
  readonly lifetimes: readonly number[]
  readonly isRival: boolean
}

const story: fc.Arbitrary<Story> = fc.record({
  happenings: fc.array(happening, { minLength: 10, maxLength: 40 }),
  likelihood: fc.constantFrom(0, 0.01, 0.05),
  draws: fc.nat(),
  lifetimes: fc.array(fc.integer({ min: 1, max: 240 }), { maxLength: 4 }),
  isRival: fc.boolean(),
})

const tally = { faults: 0, kills: 0, alerts: 0, resolved: 0 }

/** Tommy Ettinger's mulberry32, for decisions in the course of a story. */
function drawFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** One story on one store; throws where the alerts are not right. */
async function live(store: EventStore, { happenings, likelihood, draws, lifetimes, isRival }: Story): Promise<void> {
  const draw = drawFrom(draws)
  const faults: Faults = { draw, likelihood }
  const clock = new TestClock()
  const seen: FaultyStore[] = []
  const all: Watching[] = []
  let isOver = false
  const begin = (lifetime: number) => {
    const view = new FaultyStore(store, faults)
    view.killAt(lifetime + (draw() < 0.5 ? 0 : 0.5))
    seen.push(view)
    const outage = { findingsMax: draw() < 0.5 ? 2 : 1_000, windowMs: 10 * MINUTE_MS }
    const watching = new Watching(view, clock, { residentsMax: Math.floor(draw() * 3), outage })
    all.push(watching)
    return watching
  }
  /** One process after the other, each until it dies; the last one lives on in the calm. */
  const succession = async (lives: readonly number[]): Promise<Watching> => {
    let one = begin(lives[0] ?? Number.POSITIVE_INFINITY)
    for (let next = 1; !(await livesOn(one, () => isOver, lives.length < next)); next += 1) {
      tally.kills += 1
      one = begin(lives[next] ?? Number.POSITIVE_INFINITY)
    }
    return one
  }
  const watches = [succession(lifetimes), ...(isRival ? [succession([])] : [])]
  for (const one of happenings) {
    await happen(store, one)
    if (draw() < 0.3) clock.now += Math.floor(draw() * 4 * MINUTE_MS)
    if (draw() < 0.5) await pause(draw() * 6)
  }
  isOver = true
  faults.likelihood = 0
  const survivors = await Promise.all(watches)
  clock.now += 30 * MINUTE_MS
  const isRight = async () => same(openIn(await alertRecords(store)), await expectedOpen(store, clock.now))
  await until(isRight, 'alerts that are what a replay finds').catch((error: unknown) => {
    throw new Error(describeAll(survivors), { cause: error })
  })
  for (const survivor of survivors) await survivor.drain()
  const records = await alertRecords(store)
  expect(breachesIn(records)).toEqual([])
  expect(openIn(records)).toEqual(await expectedOpen(store, clock.now))
  expect(untold(all, records)).toEqual([])
  note(seen, records)
}

/** Waits until a process dies (false), or the story is over and it is one that lives on. One that is to die and has not is ended. */
async function livesOn(one: Watching, isOver: () => boolean, isLast: boolean): Promise<boolean> {
  const hasBegun = () => one.session !== undefined || one.standbys.length > 0
  while (one.failure === undefined && !(isOver() && hasBegun())) await pause(1)
  if (one.failure === undefined && isLast) return true
  if (one.failure === undefined) await one.drain().catch(expectDeath)
  expectDeath(one.failure)
  return false
}

function describeAll(survivors: readonly Watching[]): string {
  const told = survivors.map(({ session, failure, standbys, troubles, states }) => {
    const detection = session?.detection
    return {
      state: session?.state,
      isSettled: detection?.isSettled,
      open: detection?.found.size,
      failure,
      standbys,
      troubles: troubles.slice(-3).map(String),
      states: states.slice(-6),
    }
  })
  return JSON.stringify(told)
}

/** What stands in the streams and no process has told of. */
function untold(all: readonly Watching[], records: readonly { id: string; change: string }[]): string[] {
  const told = new Set(all.flatMap((watching) => watching.told.map(({ id, change }) => `${change} ${id}`)))
  return records.map(({ id, change }) => `${change} ${id}`).filter((one) => !told.has(one))
}

function note(seen: readonly FaultyStore[], records: readonly { change: string }[]): void {
  for (const { happened } of seen) tally.faults += Object.values(happened).reduce((sum, count) => sum + count, 0)
  tally.alerts += records.filter(({ change }) => change === 'opened').length
  tally.resolved += records.filter(({ change }) => change === 'resolved').length
}

function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index])
}

/** Killed, or ended by itself because the store could not be reached when it began. */
function expectDeath(error: unknown): void {
  if (error === undefined || error instanceof Killed || error instanceof StoreUnavailableError) return
  throw error
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

async function checkStories(
  home: string,
  runs: number,
  withStore: (run: (store: EventStore) => Promise<void>) => Promise<void>,
) {
  const name = `watch in chaos, ${home}`
  Object.assign(tally, { faults: 0, kills: 0, alerts: 0, resolved: 0 })
  await fc.assert(
    fc.asyncProperty(story, (one) => withStore((store) => live(store, one))),
    { seed: seedFor(name), numRuns: runs, endOnFailure: true },
  )
  process.stdout.write(`${name}: ${runs} histories, ${JSON.stringify(tally)}\n`)
  expect(tally.alerts).toBeGreaterThan(runs)
}

/** Histories on the memory store; `MAKEGOOD_RUNS` asks for another number. */
const RUNS = Number(process.env.MAKEGOOD_RUNS ?? 15)

describe('whatever happens to watches, their alerts end up as what a replay finds, each opened once', () => {
  it('on the memory store', async () => {
    await checkStories('memory', RUNS, async (run) => {
      await run(openMemoryStore())
    })
  })

  it('on the embedded store', async () => {
    await checkStories('embedded', Math.ceil(RUNS / 3), async (run) => {
      const folder = mkdtempSync(join(tmpdir(), 'makegood-watch-'))
      const store = await openEmbeddedStore({ folder })
      try {
        await run(store)
      } finally {
        await store.close()
        rmSync(folder, { recursive: true, force: true })
      }
    })
  })
})
