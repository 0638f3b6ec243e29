// A consumer that lags: what it has not come to is not told as missing, one alarm says that it lags, and what it passed without delivering is told.
import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { booking } from '../../projections/booking/booking.js'
import type { Projection } from '../../src/engine/projection.js'
import { jsonEvent } from '../../src/log/event.js'
import type { EventStore } from '../../src/log/event-store.js'
import { formatPosition, type Position } from '../../src/log/position.js'
import { openEmbeddedStore } from '../../src/stores/embedded/embedded-store.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { Consumer, ConsumerCheckpointError } from '../../src/watch/consumer.js'
import { makegood, newFolder } from '../cli/run-makegood.js'
import { eventsOf } from '../controls/events.js'
import { issue, pay, WatchProcess } from './watch-process.js'
import { TestClock, until, Watching } from './watching.js'

const STREAM = 'ticketing-checkpoint'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function note(store: EventStore, data: unknown): Promise<void> {
  await store.append(STREAM, [jsonEvent({ id: randomUUID(), type: 'Checkpoint', data })], 'any')
}

/** Where the last payment event of a booking stands. */
async function placeOf(store: EventStore, bookingId: string): Promise<Position> {
  return (await eventsOf(store, `payment-${bookingId}`)).at(-1)?.position as Position
}

/** The consumer has come to the booking's payment. */
async function pass(store: EventStore, bookingId: string): Promise<void> {
  await note(store, { position: formatPosition(await placeOf(store, bookingId)) })
}

/** A watch beside a consumer, whose place is read each time. */
async function watchBeside(store: EventStore, { lagAlarmMs = 3_600_000 } = {}) {
  let steady = 0
  const consumer = new Consumer({ reader: store, stream: STREAM, clock: () => (steady += 1_000) })
  await consumer.open()
  const clock = new TestClock()
  clock.now = Date.now()
  const watching = new Watching(store, clock, { projection: booking as Projection, consumer, lagAlarmMs })
  ends.push(() => watching.drain())
  const told = () => watching.told.map(({ change, rule, subject }) => `${change} ${rule} ${subject}`)
  return { consumer, clock, watching, told }
}

describe('a consumer that lags', () => {
  it('is waited for, booking by booking', async () => {
    const store = openMemoryStore()
    await pay(store, 'B1', -60_000)
    await pay(store, 'B2', -60_000)
    await pass(store, 'B1')
    const { consumer, told } = await watchBeside(store)
    await until(() => told().length > 0, 'the first')
    await until(() => consumer.backlog === 1, 'the second waits')
    expect(told()).toEqual(['opened paid-not-ticketed B1'])
    await pass(store, 'B2')
    await until(() => told().length > 1, 'the second')
    expect(told()).toEqual(['opened paid-not-ticketed B1', 'opened paid-not-ticketed B2'])
    await until(() => consumer.waitingSince === undefined, 'nothing waits')
  })

  it('is one alarm, which ends when it has delivered after all', async () => {
    const store = openMemoryStore()
    for (const id of ['B1', 'B2', 'B3']) await pay(store, id, -60_000)
    const { consumer, clock, watching, told } = await watchBeside(store, { lagAlarmMs: 60_000 })
    await until(() => consumer.backlog === 3, 'all wait')
    clock.now += 61_000
    await until(() => told().length > 0, 'the alarm')
    expect(told()).toEqual(['opened watch-lag null'])
    expect(watching.told[0]).toMatchObject({
      page: expect.stringContaining('consumer'),
      detail: { behind: 'consumer' },
    })
    for (const [index, id] of ['B1', 'B2', 'B3'].entries())
      await issue(store, id, `00000000000${index}`.padStart(13, '9'))
    await pass(store, 'B3')
    await until(() => told().length > 1, 'its end')
    expect(told()).toEqual(['opened watch-lag null', 'resolved watch-lag null'])
  })

  it('tells its place in any of the usual forms, or is refused', async () => {
    const store = openMemoryStore()
    await pay(store, 'B1', -60_000)
    const { commit, prepare } = await placeOf(store, 'B1')
    const forms = [
      `C:${commit}/P:${prepare}`,
      { commitPosition: String(commit), preparePosition: Number(prepare) },
      `${commit}/${prepare}`,
    ]
    for (const form of forms) {
      await note(store, form)
      await new Consumer({ reader: store, stream: STREAM, clock: () => 0 }).open()
    }
    await note(store, { at: 7 })
    const broken = new Consumer({ reader: store, stream: STREAM, clock: () => 0 })
    await expect(broken.open()).rejects.toThrow(ConsumerCheckpointError)
  })

  it('is named on the command line', async () => {
    const path = newFolder()
    ends.push(() => rmSync(path, { recursive: true, force: true }))
    const store = await openEmbeddedStore({ folder: path })
    ends.push(() => store.close())
    await pay(store, 'B1', -60_000)
    await note(store, 'nowhere')
    const args = ['--store', path, '--consumer-checkpoint', STREAM]
    const refused = await makegood(['watch', ...args])
    expect([refused.code, refused.stderr]).toEqual([64, expect.stringContaining('tells no position')])
    await note(store, '0/0')
    const watch = new WatchProcess(args)
    ends.push(() => watch.end('SIGKILL'))
    await watch.catchUp()
    await pass(store, 'B1')
    await until(
      () => watch.told.length > 0,
      () => watch.stderr,
    )
    expect(watch.told.map(({ rule, subject }) => `${rule} ${subject}`)).toEqual(['paid-not-ticketed B1'])
  })
})
