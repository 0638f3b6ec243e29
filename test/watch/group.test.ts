// A group of watches: whoever is given which event, in whatever order, and whoever comes and goes meanwhile, the alert streams say what a replay
// finds, each alert once.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defineProjection } from '../../src/engine/projection.js'
import type { EventStore } from '../../src/log/event-store.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import type { AlertRecord } from '../../src/watch/alert.js'
import { groupNameOf } from '../../src/watch/group.js'
import { Random } from '../../src/workload/random.js'
import { ATTEMPT_TIMEOUT_MS } from '../controls/airline.js'
import { eventsOf } from '../controls/events.js'
import { seedFor } from '../controls/seed.js'
import { serve } from '../server/served.js'
import { open } from '../stores/eventstoredb/opened.js'
import { groups, Member } from './grouping.js'
import { type Happening, happen, happening, liveAirline, MINUTE_MS, NOW } from './live-airline.js'
import { alertRecords, breachesIn, expectedOpen, openIn, TestClock, until } from './watching.js'

const OPS = groupNameOf('ops')
const RUNS = Number(process.env.MAKEGOOD_RUNS ?? 4)

function paid(subject: string, at = NOW): Happening {
  const data = { passengers: ['p1'], amountMinor: 100, at: new Date(at).toISOString() }
  return { subject, category: 'payment', what: 'event', type: 'PaymentCaptured', data }
}

function requested(subject: string, at: number): Happening {
  const data = { attemptId: 'a1', passengerId: 'p1', origin: 'LIVE', at: new Date(at).toISOString() }
  return { subject, category: 'ticket', what: 'event', type: 'TicketIssueRequested', data }
}

function issued(subject: string, ticketNumber: string): Happening {
  const data = { ticketNumber, passengerId: 'p1', origin: 'LIVE' }
  return { subject, category: 'ticket', what: 'event', type: 'TicketIssued', data }
}

/** Waits until the alert streams say what a replay finds; gives the streams' records. */
async function settle(store: EventStore, clock: TestClock, members: readonly Member[]): Promise<AlertRecord[]> {
  let [open, right]: string[][] = [[], []]
  await until(
    async () => {
      const failed = members.find(({ failure }) => failure !== undefined)
      if (failed) throw failed.failure
      ;[open, right] = [openIn(await alertRecords(store)), await expectedOpen(store, clock.now)]
      return open.join() === right.join()
    },
    () => `the alerts of a replay: ${right}; these are ${open}`,
  )
  return alertRecords(store)
}

const of = (records: readonly AlertRecord[], rule: string) =>
  records.filter((record) => record.rule === rule).map(({ change, subject }) => `${change} ${subject}`)

describe('a group of watches', () => {
  it('finds what a replay finds, each alert once, whoever comes and goes', async () => {
    const seed = seedFor('a group of watches')
    const random = new Random(seed)
    const histories = fc.sample(fc.array(happening, { minLength: 20, maxLength: 40 }), { numRuns: RUNS, seed })
    for (const history of histories) {
      const store = openMemoryStore()
      const { connectionString } = await serve({ store })
      const clock = new TestClock()
      const members: Member[] = []
      const join = async () => void members.push(await Member.join(connectionString, clock))
      for (let n = 0; n < 3; n += 1) await join()
      for (const one of history) {
        await happen(store, one)
        clock.now += random.between(0, 2) * MINUTE_MS
        if (random.chance(0.1)) {
          await members.splice(random.between(0, members.length - 1), 1)[0]?.drain()
          await join()
        }
      }
      expect(breachesIn(await settle(store, clock, members))).toEqual([])
      clock.now += 60 * MINUTE_MS
      expect(breachesIn(await settle(store, clock, members))).toEqual([])
      for (const member of members) await member.drain()
    }
  })

  it('shares the events out, tells each alert once, and by one member only', async () => {
    const store = openMemoryStore()
    const { connectionString } = await serve({ store })
    const clock = new TestClock()
    const members = await Promise.all([1, 2, 3].map(() => Member.join(connectionString, clock)))
    for (const member of members) await member.joined()
    for (let n = 0; n < 30; n += 1) await happen(store, paid(`b${n}`))
    const records = await settle(store, clock, members)
    await until(() => members.some(({ told }) => told.length === 30), 'that all are told')
    expect(members.filter(({ worker }) => (worker?.counts.deliveries ?? 0) > 0).length).toBeGreaterThan(1)
    expect(records).toHaveLength(30)
    expect(new Set(records.map(({ watch }) => watch))).toEqual(new Set(['group.ops']))
    expect(members.map(({ told }) => told.length).sort((a, b) => a - b)).toEqual([0, 0, 30])
  })

  it('keeps a deadline that was open when its keeper left, and tells as it passes', async () => {
    const store = openMemoryStore()
    const { connectionString } = await serve({ store })
    const clock = new TestClock()
    const [first, second] = [await Member.join(connectionString, clock), await Member.join(connectionString, clock)]
    await happen(store, requested('b1', NOW))
    await until(async () => ((await groups(await open(connectionString)).info(OPS))?.inFlight ?? 1) === 0, 'answers')
    await until(() => (first.session ?? second.session)?.detection.deadlines.size === 1, 'a deadline')
    const [keeper, other] = first.session ? [first, second] : [second, first]
    await keeper.drain()
    clock.now = NOW + ATTEMPT_TIMEOUT_MS
    expect(of(await settle(store, clock, [other]), 'attempt-unknown')).toEqual(['opened b1'])
    await until(() => other.told.length === 1, 'that it is told')
  })

  it('finds a key that two subjects share, whoever was given which of them', async () => {
    const store = openMemoryStore()
    const { connectionString } = await serve({ store })
    const clock = new TestClock()
    const members = await Promise.all([1, 2, 3].map(() => Member.join(connectionString, clock)))
    for (const subject of ['b1', 'b2', 'b3']) await happen(store, paid(subject))
    for (const subject of ['b1', 'b2']) await happen(store, issued(subject, '77'))
    await happen(store, issued('b3', '78'))
    const records = await settle(store, clock, members)
    expect(new Set(of(records, 'ticket-number-reused'))).toEqual(new Set(['opened b1', 'opened b2']))
  })

  it('finds a key that one subject uses twice, where nothing else is wrong with it', async () => {
    const store = openMemoryStore()
    const { connectionString } = await serve({ store })
    const clock = new TestClock()
    const members = [await Member.join(connectionString, clock), await Member.join(connectionString, clock)]
    for (const passengerId of ['p1', 'p2']) {
      await happen(store, {
        ...issued('b1', '7'),
        data: { ticketNumber: '7', passengerId, origin: 'LIVE' },
      } as Happening)
    }
    expect(of(await settle(store, clock, members), 'ticket-number-reused')).not.toEqual([])
    for (const member of members) await member.drain()
  })

  it('of another name is another group, also where one name begins with the other', async () => {
    const store = openMemoryStore()
    const { connectionString } = await serve({ store })
    const clock = new TestClock()
    const ops = await Member.join(connectionString, clock)
    const ops2 = await Member.join(connectionString, clock, { group: 'ops-2' })
    await happen(store, paid('b1'))
    await until(() => ops.told.length === 1 && ops2.told.length === 1, 'an alert of each')
    const records = await alertRecords(store)
    expect(records.map(({ watch }) => watch).sort()).toEqual(['group.ops', 'group.ops-2'])
  })
})

describe('an event that was put aside', () => {
  it('is told to a person, its subject is judged all the same, and it is resolved when it was replayed', async () => {
    const store = openMemoryStore()
    const { connectionString } = await serve({ store })
    const clock = new TestClock()
    const member = await Member.join(connectionString, clock)
    await member.joined()
    await member.drain()
    await happen(store, paid('b1'))
    // As a server does after too many tries.
    const wire = await open(connectionString)
    const consumer = groups(wire).consume(OPS, { heldMax: 1 })
    for await (const message of consumer.messages) {
      if (message.kind !== 'deliveries') continue
      consumer.nack(message.deliveries, 'park', 'tried too often')
      break
    }
    await until(async () => (await groups(wire).info(OPS))?.parked === 1, 'a parked event')
    const again = await Member.join(connectionString, clock)
    await until(() => again.told.length === 2, 'two alerts')
    const [parked, missing] = [...again.told].sort((a, b) => (a.rule < b.rule ? -1 : 1))
    expect(parked).toMatchObject({
      rule: 'event-parked',
      subject: 'b1',
      detail: {
        disposition: 'person',
        detail: { stream: 'payment-b1', revision: 0, reason: expect.stringContaining('too often') },
      },
    })
    expect(missing).toMatchObject({ rule: 'paid-not-ticketed', subject: 'b1' })
    await groups(wire).replayParked(OPS)
    await until(() => again.told.length === 3, 'that it is resolved')
    expect(again.told.at(-1)).toMatchObject({ change: 'resolved', rule: 'event-parked', id: parked?.id })
  })

  it('because the rules fall over it holds nobody else up', async () => {
    let isBroken = true
    const projection = defineProjection({
      ...liveAirline,
      evolve(state, event) {
        if (isBroken && event.subject === 'bad') throw new TypeError('a mistake in the rules')
        return liveAirline.evolve(state, event)
      },
    })
    const store = openMemoryStore()
    const { connectionString } = await serve({ store })
    const clock = new TestClock()
    const member = await Member.join(connectionString, clock, { projection })
    await happen(store, paid('bad'))
    await happen(store, paid('good'))
    await until(
      () => member.told.length === 2,
      () => `two alerts; ${member.failure}`,
    )
    expect(member.told.map(({ rule, subject }) => `${rule} ${subject}`).sort()).toEqual([
      'event-parked bad',
      'paid-not-ticketed good',
    ])
    expect(member.worker?.counts.parked).toBe(1)
    isBroken = false
    await groups(await open(connectionString)).replayParked(OPS)
    await until(() => member.told.length === 4, 'both sides of it')
    expect(
      member.told
        .slice(2)
        .map(({ change, rule }) => `${change} ${rule}`)
        .sort(),
    ).toEqual(['opened paid-not-ticketed', 'resolved event-parked'])
  })
})

describe('a member', () => {
  it('does not take events from a group that is somebody else’s', async () => {
    const { connectionString } = await serve()
    const settings = {
      startFrom: 'start',
      strategy: 'RoundRobin',
      messageTimeoutMs: 1_000,
      retriesMax: 1,
      readyMax: 100,
    } as const
    await groups(await open(connectionString)).create(OPS, settings)
    const member = await Member.join(connectionString, new TestClock())
    await expect(member.drain()).rejects.toThrow(/not of makegood watch.*Take another --group/)
  })

  it('with another version of the rules is refused, and told how to go on', async () => {
    const store = openMemoryStore()
    const { connectionString } = await serve({ store })
    const first = await Member.join(connectionString, new TestClock())
    await first.joined()
    const projection = { ...liveAirline, version: 'next' }
    const second = await Member.join(connectionString, new TestClock(), { projection })
    await second.done
    expect(String(second.failure)).toMatch(/version .*; this is .* version next.*another --group/)
    expect(await eventsOf(store, 'makegood.group-ops')).toHaveLength(1)
  })

  it('of a group whose checkpoint is of another log is refused, and told how to go on', async () => {
    const store = openMemoryStore()
    const { connectionString } = await serve({ store })
    const clock = new TestClock()
    const member = await Member.join(connectionString, clock)
    await happen(store, paid('b1'))
    await until(() => member.told.length === 1, 'an alert')
    await member.drain()
    const elsewhere = openMemoryStore()
    const checkpoints = await eventsOf(store, 'makegood.checkpoint-group.ops')
    await elsewhere.append('makegood.checkpoint-group.ops', checkpoints, 'noStream')
    const lost = await Member.join((await serve({ store: elsewhere })).connectionString, clock)
    for (let n = 0; n < 30; n += 1) await happen(elsewhere, paid(`b${n}`))
    await lost.done
    expect(String(lost.failure)).toMatch(/Group ops cannot go on.*take another --group/)
  })

  it('of a group that is deleted ends, and says why', async () => {
    const { connectionString } = await serve()
    const member = await Member.join(connectionString, new TestClock())
    await member.joined()
    await groups(await open(connectionString)).delete(OPS)
    await member.done
    expect(member.failure).toMatchObject({ reason: 'missing' })
  })

  it('goes on when the server was away for a while', async () => {
    const store = openMemoryStore()
    const first = await serve({ store })
    const clock = new TestClock()
    const member = await Member.join(first.connectionString, clock)
    await member.joined()
    await first.stop()
    await happen(store, paid('b1'))
    await serve({ store, port: first.port })
    expect(of(await settle(store, clock, [member]), 'paid-not-ticketed')).toEqual(['opened b1'])
    await member.drain()
  })
})
