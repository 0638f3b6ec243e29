// Lookups of a watch: rules that need others' answers are judged live, and neither a failure nor silence opens, ends or holds up anything by a guess.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { booking } from '../../projections/booking/booking.js'
import type { JsonValue } from '../../src/engine/json.js'
import type { Projection } from '../../src/engine/projection.js'
import type { EventStore } from '../../src/log/event-store.js'
import { openEmbeddedStore } from '../../src/stores/embedded/embedded-store.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { LiveLookups } from '../../src/watch/live-lookups.js'
import { makegood, newFolder } from '../cli/run-makegood.js'
import { pay, WatchProcess } from './watch-process.js'
import { TestClock, until, Watching } from './watching.js'

const RULE = 'payment-record-disagrees'
const recordOf = (capturedMinor: number) => ({
  'payment-record': { capturedMinor, refundedMinor: 0, currency: 'EUR' },
})
const [RIGHT, WRONG] = [recordOf(20_000), recordOf(1)]

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** A watch over bookings, and who answers it; `answer` may be changed while it runs. */
class Asking {
  answer: () => Promise<Readonly<Record<string, JsonValue>>> = async () => RIGHT
  readonly lookups: LiveLookups
  readonly watching: Watching

  constructor(store: EventStore, ageMaxMs: number) {
    const lookUp = () => this.answer()
    this.lookups = new LiveLookups({ lookUp, clock: () => performance.now(), ageMaxMs, onTrouble: () => {} })
    const clock = new TestClock()
    clock.now = Date.now()
    this.watching = new Watching(store, clock, { projection: booking as Projection, lookups: this.lookups })
    ends.push(() => this.watching.drain())
  }

  changesOf(rule: string): string[] {
    return this.watching.told.filter((record) => record.rule === rule).map(({ change }) => change)
  }
}

describe('lookups of a watch', () => {
  it('open and resolve what rests on their answers, which count for a bounded time', async () => {
    const store = openMemoryStore()
    await pay(store, 'B1', 3_600_000)
    const asking = new Asking(store, 50)
    asking.answer = async () => WRONG
    await until(() => asking.changesOf(RULE).length > 0, 'the alert')
    asking.answer = async () => RIGHT
    await until(() => asking.changesOf(RULE).length > 1, 'its end')
    expect(asking.changesOf(RULE)).toEqual(['opened', 'resolved'])
  })

  it('that fail leave open what was open, are counted, and are a lag', async () => {
    const store = openMemoryStore()
    await pay(store, 'B1', 3_600_000)
    const asking = new Asking(store, 50)
    asking.answer = async () => WRONG
    await until(() => asking.changesOf(RULE).length > 0, 'the alert')
    asking.answer = () => Promise.reject(new Error('nobody there'))
    await until(() => asking.lookups.failures > 0 && asking.lookups.answersOf('B1') === undefined, 'a failure')
    await pay(store, 'B2', -60_000)
    await until(() => asking.changesOf('paid-not-ticketed').length > 0, 'what the log says')
    expect(asking.changesOf(RULE)).toEqual(['opened'])
    expect(asking.lookups.failingMs).toBeGreaterThanOrEqual(0)
  })

  it.each([
    ['did not come', () => new Promise<never>(() => {})],
    ['could not be told', () => Promise.reject(new Error('nobody there'))],
  ])('are asked for again after a restart where the answer %s before the checkpoint', async (_what, answer) => {
    const store = openMemoryStore()
    const before = new Asking(store, 60_000)
    before.answer = answer
    await until(() => before.watching.states.includes('live'), 'the end of the log')
    await pay(store, 'B1', 3_600_000)
    await until(() => before.lookups.backlog + before.lookups.failures > 0, 'the question')
    await before.watching.drain()
    const after = new Asking(store, 60_000)
    after.answer = async () => WRONG
    await until(() => after.changesOf(RULE).length > 0, 'the alert')
  })

  it('are remembered as unanswered until their subject was judged by the answer', async () => {
    let answer = (_: JsonValue) => {}
    const lookUp = async () => ({ 'payment-record': await new Promise<JsonValue>((resolve) => (answer = resolve)) })
    const lookups = new LiveLookups({ lookUp, clock: () => 0, ageMaxMs: 1, onTrouble: () => {} })
    lookups.want(['b1'])
    const asked = lookups.isUnanswered('b1')
    answer(null)
    await until(() => lookups.backlog === 0, 'the answer')
    const answered = lookups.isUnanswered('b1')
    const changed = lookups.takeChanged()
    expect([asked, answered, changed, lookups.isUnanswered('b1')]).toEqual([true, true, ['b1'], false])
  })

  it('that hang hold up the alerts of their subjects for seconds only', async () => {
    const store = openMemoryStore()
    const asking = new Asking(store, 60_000)
    asking.answer = () => new Promise(() => {})
    await pay(store, 'B1', -60_000)
    await until(() => asking.lookups.backlog === 1, 'the question')
    await until(() => asking.changesOf('paid-not-ticketed').length > 0, 'what the log says')
    expect(asking.lookups.backlog).toBe(1)
  })

  it('are asked beyond the answers that are kept only as far as there is room', () => {
    const lookUp = () => new Promise<never>(() => {})
    const lookups = new LiveLookups({ lookUp, clock: () => 0, ageMaxMs: 1, onTrouble: () => {} })
    lookups.want(Array.from({ length: 10_003 }, (_, n) => `b${n}`))
    expect([lookups.backlog, lookups.skipped]).toEqual([10_000, 3])
  })

  it('are named as for a plan', async () => {
    const path = newFolder()
    ends.push(() => rmSync(path, { recursive: true, force: true }))
    const store = await openEmbeddedStore({ folder: path })
    ends.push(() => store.close())
    await pay(store, 'B1', 3_600_000)
    const record = join(path, 'record.jsonl')
    writeFileSync(record, `${JSON.stringify({ bookingId: 'B1', ...WRONG['payment-record'] })}\n`)
    const args = ['--store', path, '--lookup', `payment-record=${record}`]
    const once = await makegood(['watch', ...args, '--once'])
    expect([once.code, once.stderr]).toEqual([64, expect.stringContaining('--once and --lookup')])
    const watch = new WatchProcess(args)
    ends.push(() => watch.end('SIGKILL'))
    await until(
      () => watch.told.some(({ rule }) => rule === RULE) || watch.isOver,
      () => watch.stderr,
    )
    expect(watch.told.map(({ rule, change }) => `${change} ${rule}`)).toEqual([`opened ${RULE}`])
  })
})
