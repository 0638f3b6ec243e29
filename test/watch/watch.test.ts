// A watch as a whole: it opens and resolves alerts as events come and deadlines pass, goes on where it was, and shares a name with nobody.
import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Projection } from '../../src/engine/projection.js'
import type { EventStore } from '../../src/log/event-store.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { CheckpointRefusedError } from '../../src/watch/resume.js'
import { parcels } from '../controls/parcels.js'
import { type Happening, happen, liveAirline, MINUTE_MS, NOW } from './live-airline.js'
import { alertRecords, breachesIn, expectedOpen, openIn, TestClock, until, Watching } from './watching.js'

const at = (minute: number) => new Date(NOW + minute * MINUTE_MS).toISOString()
const event = (subject: string, category: Happening['category'], type: string, data: object): Happening => ({
  subject,
  category,
  what: 'event',
  type,
  data,
})
const paid = (subject: string) =>
  event(subject, 'payment', 'PaymentCaptured', { passengers: ['p1'], amountMinor: 100, at: at(0) })
const asked = (subject: string, minute = 0) =>
  event(subject, 'ticket', 'TicketIssueRequested', {
    attemptId: 'a1',
    passengerId: 'p1',
    origin: 'LIVE',
    at: at(minute),
  })
const issued = (subject: string, ticketNumber = subject) =>
  event(subject, 'ticket', 'TicketIssued', { ticketNumber, passengerId: 'p1', origin: 'LIVE' })

async function changes(store: EventStore): Promise<string[]> {
  return (await alertRecords(store)).map(({ change, rule, subject }) => `${change} ${rule} ${subject}`)
}

const isLive = (watching: Watching) => () => watching.session?.state === 'live'

describe('a watch', () => {
  it('opens an alert when an event makes a finding, and resolves it when another one ends it', async () => {
    const store = openMemoryStore()
    const watching = new Watching(store, new TestClock())
    await until(isLive(watching), 'live')
    await happen(store, paid('b1'))
    await until(() => watching.told.length === 1, 'opened')
    await happen(store, issued('b1'))
    await until(() => watching.told.length === 2, 'resolved')
    await watching.drain()
    expect(await changes(store)).toEqual(['opened paid-not-ticketed b1', 'resolved paid-not-ticketed b1'])
    expect(new Set(watching.told.map(({ id }) => id)).size).toBe(1)
    expect(watching.states).toEqual(['catching-up', 'live', 'draining', 'stopped'])
  })

  it('says that something is missing when its deadline passes, and not before', async () => {
    const store = openMemoryStore()
    const clock = new TestClock()
    const watching = new Watching(store, clock)
    await happen(store, paid('b1'))
    await happen(store, asked('b1'))
    await until(isLive(watching), 'live')
    clock.now = NOW + 10 * MINUTE_MS - 1
    await until(() => watching.session?.detection.now === clock.now || watching.told.length > 0, 'judged').catch(
      () => {},
    )
    expect(watching.told).toEqual([])
    clock.now = NOW + 10 * MINUTE_MS
    await until(() => watching.told.length === 2, 'two alerts')
    await watching.drain()
    expect(watching.told.map(({ rule, change }) => `${change} ${rule}`).sort()).toEqual([
      'opened attempt-unknown',
      'opened paid-not-ticketed',
    ])
  })

  it('keeps its deadlines over a restart, and tells what passed meanwhile once', async () => {
    const store = openMemoryStore()
    const clock = new TestClock()
    await happen(store, paid('b1'))
    await happen(store, asked('b1'))
    const first = new Watching(store, clock)
    await until(isLive(first), 'live')
    await first.drain()
    expect(first.told).toEqual([])
    clock.now += 11 * MINUTE_MS
    const second = new Watching(store, clock)
    await until(() => second.told.length === 2, 'the deadline that passed meanwhile')
    await second.drain()
    expect(second.session?.freshStart).toBeUndefined()
    const third = new Watching(store, clock)
    await until(isLive(third), 'live again')
    await third.drain()
    expect(third.told).toEqual([])
    expect(breachesIn(await alertRecords(store))).toEqual([])
    expect(openIn(await alertRecords(store))).toEqual(await expectedOpen(store, clock.now))
  })

  it('knows after a restart which keys are taken, though nothing was wrong with who took them', async () => {
    const store = openMemoryStore()
    const clock = new TestClock()
    await happen(store, paid('b1'))
    await happen(store, issued('b1', '1'))
    const first = new Watching(store, clock)
    await until(isLive(first), 'live')
    await first.drain()
    expect(first.told).toEqual([])
    const second = new Watching(store, clock)
    await until(isLive(second), 'live')
    expect(second.session?.detection.residents.size).toBe(0)
    await happen(store, paid('b2'))
    await happen(store, issued('b2', '1'))
    const reused = () => second.told.filter(({ rule }) => rule === 'ticket-number-reused')
    await until(() => reused().length === 2, 'both are told of')
    await second.drain()
    expect(
      reused()
        .map(({ subject }) => subject)
        .sort(),
    ).toEqual(['b1', 'b2'])
  })

  it('says nothing of what the log has and it has not read yet', async () => {
    const store = openMemoryStore()
    const clock = new TestClock()
    const blocked = new Barrier()
    const slow: EventStore = {
      ...bound(store),
      async *subscribeToAll(options) {
        for await (const message of store.subscribeToAll(options)) {
          const isTicket = message.kind === 'events' && message.events.some(({ type }) => type === 'TicketIssued')
          if (isTicket) await blocked.isOpen
          yield message
        }
      },
    }
    await happen(store, paid('b1'))
    await happen(store, asked('b1'))
    const watching = new Watching(slow, clock)
    await until(isLive(watching), 'live')
    await happen(store, issued('b1'))
    clock.now += 11 * MINUTE_MS
    await until(() => watching.session?.detection.found.has('b1') === true, 'found')
    expect(watching.told).toEqual([])
    blocked.open()
    await until(() => watching.session?.detection.found.has('b1') === false, 'no longer found')
    await watching.drain()
    expect(await alertRecords(store)).toEqual([])
  })

  it('alarms once when it cannot keep up itself, and says when it can again', async () => {
    const store = openMemoryStore()
    const clock = new TestClock()
    const blocked = new Barrier()
    const slow: EventStore = {
      ...bound(store),
      async *subscribeToAll(options) {
        await blocked.isOpen
        yield* store.subscribeToAll(options)
      },
    }
    for (const subject of ['b1', 'b2', 'b3']) await happen(store, paid(subject))
    const watching = new Watching(slow, clock, { lagAlarmMs: 5 * MINUTE_MS })
    await until(() => watching.session !== undefined, 'a session')
    clock.now += 6 * MINUTE_MS
    await until(() => watching.told.length > 0, 'the alarm')
    expect(watching.told.map(({ rule, page }) => `${rule}: ${page}`)).toEqual(['watch-lag: the watch lags'])
    blocked.open()
    await until(() => watching.told.length === 5, 'findings, and the end of the alarm')
    await watching.drain()
    expect((await changes(store)).sort()).toEqual([
      'opened paid-not-ticketed b1',
      'opened paid-not-ticketed b2',
      'opened paid-not-ticketed b3',
      'opened watch-lag null',
      'resolved watch-lag null',
    ])
  })

  it('stands by while another one has its name, and takes over when that one is gone', async () => {
    const store = openMemoryStore()
    const clock = new TestClock()
    const first = new Watching(store, clock, { holder: 'first' })
    await until(isLive(first), 'the first is live')
    const second = new Watching(store, clock, { holder: 'second' })
    await until(() => second.standbys.length > 0, 'standing by')
    expect(second.standbys).toEqual(['first'])
    await happen(store, paid('b1'))
    await until(() => first.told.length === 1, 'the first tells')
    expect(second.session).toBeUndefined()
    await first.drain()
    await until(isLive(second), 'the second is live')
    await happen(store, paid('b2'))
    await until(() => second.told.length === 1, 'the second tells')
    await second.drain()
    expect(await changes(store)).toEqual(['opened paid-not-ticketed b1', 'opened paid-not-ticketed b2'])
  })

  it('under another name tells for itself', async () => {
    const store = openMemoryStore()
    await happen(store, paid('b1'))
    const watches = ['one', 'two'].map((name) => new Watching(store, new TestClock(), { name }))
    for (const watching of watches) await until(() => watching.told.length === 1, 'each tells')
    for (const watching of watches) await watching.drain()
    const records = await alertRecords(store)
    expect(records.map(({ watch, change }) => `${watch} ${change}`).sort()).toEqual(['one opened', 'two opened'])
  })

  it('tells again of what is still open, under the same id', async () => {
    const store = openMemoryStore()
    await happen(store, paid('b1'))
    const watching = new Watching(store, new TestClock(), { remindMs: 20 })
    await until(() => watching.told.length > 3, 'told again')
    await watching.drain()
    const [first, second, third] = watching.told
    expect([first?.change, second?.change, third?.change]).toEqual(['opened', 'still-open', 'still-open'])
    expect(new Set(watching.told.map(({ id }) => id)).size).toBe(1)
    expect(second?.detail).toEqual(first?.detail)
  })

  it('goes by the later time when a clock is set back, and takes no finding back', async () => {
    const store = openMemoryStore()
    const clock = new TestClock()
    await happen(store, paid('b1'))
    await happen(store, asked('b1'))
    clock.now += 11 * MINUTE_MS
    const first = new Watching(store, clock)
    await until(() => first.told.length === 2, 'told')
    await first.drain()
    clock.now -= 5 * MINUTE_MS
    const second = new Watching(store, clock)
    await until(isLive(second), 'live')
    expect(second.session?.aheadMs).toBe(5 * MINUTE_MS)
    await second.drain()
    expect(second.told).toEqual([])
    expect(await changes(store)).toHaveLength(2)
  })

  it('wakes somebody when a finding becomes one that cannot wait', async () => {
    const store = openMemoryStore()
    await happen(store, paid('b1'))
    await happen(store, issued('b1', '1'))
    await happen(store, issued('b1', '2'))
    const watching = new Watching(store, new TestClock())
    await until(() => watching.told.length === 1, 'told')
    await watching.drain()
    expect(watching.told[0]).toMatchObject({ rule: 'duplicate-ticket', page: 'two tickets' })
  })

  it('says once more of what could wait, and can no longer', async () => {
    const store = openMemoryStore()
    const clock = new TestClock()
    const late = NOW + 5 * MINUTE_MS
    const projection: Projection = {
      ...liveAirline,
      live: { deadlines: () => [late], page: (_state, _finding, { now }) => (now >= late ? 'it is late' : undefined) },
    }
    await happen(store, paid('b1'))
    const first = new Watching(store, clock, { projection })
    await until(() => first.told.length === 1, 'opened')
    await first.drain()
    clock.now = late
    const second = new Watching(store, clock, { projection })
    await until(() => second.told.length === 1, 'escalated')
    await second.drain()
    const records = await alertRecords(store)
    expect(records.map(({ change, page }) => [change, page])).toEqual([
      ['opened', null],
      ['escalated', 'it is late'],
    ])
    expect(new Set(records.map(({ id }) => id)).size).toBe(1)
  })

  it('refuses rules that look at the clock where nobody says when to look again', async () => {
    const store = openMemoryStore()
    await happen(store, paid('b1'))
    await happen(store, asked('b1'))
    const { live: _live, ...blind } = liveAirline
    const watching = new Watching(store, new TestClock(), { projection: blind })
    await expect(watching.done.then(() => Promise.reject(watching.failure))).rejects.toThrow(
      /airline: live: .*deadlines/,
    )
  })

  it('watches a projection whose rules do not look at the clock', async () => {
    const store = openMemoryStore()
    const watching = new Watching(store, new TestClock(), { projection: parcels })
    await until(isLive(watching), 'live')
    await watching.drain()
  })
})

describe('a checkpoint', () => {
  async function checkpointed(): Promise<EventStore> {
    const store = openMemoryStore()
    await happen(store, paid('b1'))
    const watching = new Watching(store, new TestClock())
    await until(() => watching.told.length === 1, 'told')
    await watching.drain()
    return store
  }

  it('of another version of the rules is refused, and says how to choose', async () => {
    const store = await checkpointed()
    const projection = { ...liveAirline, version: '2' }
    const watching = new Watching(store, new TestClock(), { projection })
    await watching.done
    expect(watching.failure).toBeInstanceOf(CheckpointRefusedError)
    expect(String(watching.failure)).toMatch(/version 1; this is airline, version 2.*--name.*--from start/)
    const anew = new Watching(store, new TestClock(), { projection, fromStart: true })
    await until(isLive(anew), 'live')
    await anew.drain()
    const on = new Watching(store, new TestClock(), { projection })
    await until(isLive(on), 'live')
    await on.drain()
    expect(await changes(store)).toEqual(['opened paid-not-ticketed b1'])
  })

  it('of another store is refused, and says how to choose', async () => {
    const [store, other] = [await checkpointed(), openMemoryStore()]
    for (const subject of ['b7', 'b8']) await happen(other, paid(subject))
    await copyOwnStreams(store, other)
    const watching = new Watching(other, new TestClock())
    await watching.done
    expect(String(watching.failure)).toMatch(/CheckpointRefusedError: .*another store.*--from start/)
  })

  it('ahead of a store that was restored to an earlier time is left, and the log read from its start', async () => {
    const [store, restored] = [openMemoryStore(), openMemoryStore()]
    for (const subject of ['b1', 'b2', 'b3', 'b4', 'b5', 'b6', 'b7', 'b8', 'b9']) await happen(store, paid(subject))
    const before = new Watching(store, new TestClock())
    await until(() => before.told.length === 9, 'told')
    await before.drain()
    await copyOwnStreams(store, restored, 'makegood.checkpoint-')
    await happen(restored, paid('b1'))
    const watching = new Watching(restored, new TestClock())
    await until(isLive(watching), 'live')
    await watching.drain()
    expect(watching.session?.freshStart).toBe('the store was restored to a time before the checkpoint')
    expect(openIn(await alertRecords(restored))).toEqual(await expectedOpen(restored, NOW))
  })
})

/** Stops who waits at it until it is opened. */
class Barrier {
  open: () => void = () => {}
  readonly isOpen = new Promise<void>((resolve) => {
    this.open = resolve
  })
}

/** A store's methods as an object's own, so that some can be replaced. */
function bound(store: EventStore): EventStore {
  return {
    readStream: store.readStream.bind(store),
    readAll: store.readAll.bind(store),
    append: store.append.bind(store),
    deleteStream: store.deleteStream.bind(store),
    tombstone: store.tombstone.bind(store),
    subscribeToStream: store.subscribeToStream.bind(store),
    subscribeToAll: store.subscribeToAll.bind(store),
    close: store.close.bind(store),
  }
}

async function copyOwnStreams(from: EventStore, to: EventStore, prefix = 'makegood.'): Promise<void> {
  for await (const { events } of from.readAll({ filter: { streamPrefixes: [prefix] } })) {
    for (const { stream, type, contentType, data, metadata } of events) {
      await to.append(stream, [{ id: randomUUID(), type, contentType, data, metadata }], 'any')
    }
  }
}
