// Outages and the flow behind them: when many findings are one thing, and when deliveries have stopped.
import { describe, expect, it } from 'vitest'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { Flow, NO_FLOW } from '../../src/watch/flow.js'
import { Outages } from '../../src/watch/outages.js'
import { type Happening, happen, MINUTE_MS, NOW } from './live-airline.js'
import { alertRecords, TestClock, until, Watching } from './watching.js'

const POLICY = { findingsMax: 3, windowMs: 10 * MINUTE_MS }

function makeOutages(): Outages {
  let ids = 0
  return new Outages(POLICY, () => {
    ids += 1
    return `outage ${ids}`
  })
}

const opening = (subject: string, since: number, rule = 'owed') => ({ rule, subject, since })

describe('an outage', () => {
  it('begins with one finding more than so many in the window, and not before', () => {
    const outages = makeOutages()
    expect(outages.note([opening('a', 1), opening('b', 2), opening('c', 3)], 100)).toEqual([])
    const [begun] = outages.note([opening('d', 4)], 200)
    expect(begun).toEqual({
      id: 'outage 1',
      detail: {
        of: 'owed',
        count: 4,
        first: { subject: 'a', since: 1 },
        last: { subject: 'd', since: 4 },
        lastOpenedAt: 200,
      },
    })
  })

  it('does not begin where the findings come more slowly, or are of several rules', () => {
    const outages = makeOutages()
    for (let minute = 0; minute < 40; minute += 4) {
      expect(outages.note([opening(`s${minute}`, 0)], minute * MINUTE_MS)).toEqual([])
    }
    expect(outages.note([opening('a', 0, 'r1'), opening('b', 0, 'r2'), opening('c', 0, 'r3')], 0)).toEqual([])
  })

  it('takes in what follows, with the earliest and the latest of all, and begins once', () => {
    const outages = makeOutages()
    const all = Array.from({ length: 50 }, (_, n) => opening(`s${n}`, 1_000 + ((n * 7) % 50)))
    const [begun, ...others] = outages.note(all, 5)
    expect(others).toEqual([])
    expect(begun?.detail).toMatchObject({ count: 50, first: { subject: 's0' }, last: { since: 1_049 } })
    expect(outages.note([opening('early', 1)], 6)).toEqual([])
    expect(outages.of('owed', 7)?.detail).toMatchObject({ count: 51, first: { subject: 'early' }, lastOpenedAt: 6 })
  })

  it('takes nothing more in once nothing was opened for the whole window, and another one may begin', () => {
    const outages = makeOutages()
    const openings = ['a', 'b', 'c', 'd'].map((subject) => opening(subject, 0))
    outages.note(openings, 1_000)
    const end = 1_000 + POLICY.windowMs
    expect(outages.next(1_000)).toBe(end)
    expect(outages.of('owed', end - 1)?.id).toBe('outage 1')
    expect(outages.of('owed', end)).toBeUndefined()
    expect(outages.next(end)).toBeUndefined()
    expect(outages.note([opening('later', 9)], end)).toEqual([])
    expect(outages.note(openings, end).map(({ id }) => id)).toEqual(['outage 2'])
  })

  it('is over when it takes nothing more in and none of its findings is open', () => {
    const outages = makeOutages()
    outages.note(
      ['a', 'b', 'c', 'd'].map((subject) => opening(subject, 0)),
      1_000,
    )
    const end = 1_000 + POLICY.windowMs
    expect(outages.takeEnded(end - 1, () => false)).toEqual([])
    expect(outages.takeEnded(end, () => true)).toEqual([])
    expect(outages.takeEnded(end, () => false).map(({ id }) => id)).toEqual(['outage 1'])
    expect(outages.takeEnded(end, () => false)).toEqual([])
  })

  it('goes on after a restart as it was', () => {
    const [before, after] = [makeOutages(), makeOutages()]
    const [begun] = before.note(
      ['a', 'b', 'c', 'd'].map((subject) => opening(subject, 7)),
      1_000,
    )
    after.restore('outage 1', { ...begun?.detail, window: { from: 'x', to: 'y' } })
    after.restore('something else', { state: 'reconnecting' })
    expect(after.get('outage 1')).toEqual(begun)
    expect(after.get('something else')).toBeUndefined()
  })
})

describe('the flow', () => {
  const flow = () => new Flow({ from: ['Paid'], to: ['Issued'] }, POLICY)
  const paid = (at: number, subject = 's') => ({ type: 'Paid', subject, at })

  it('has stopped once more than so much has begun, for longer than the window, and nothing ended', () => {
    const watched = flow()
    for (const at of [0, 1, 2]) watched.note(paid(at))
    expect(watched.next()).toBeUndefined()
    watched.note(paid(3, 'last'))
    expect(watched.next()).toBe(POLICY.windowMs)
    expect(watched.stopped(POLICY.windowMs - 1)).toBeUndefined()
    expect(watched.stopped(POLICY.windowMs)).toBeDefined()
    expect(watched.count).toEqual({ count: 4, firstAt: 0, first: 's', last: 'last' })
  })

  it('goes on with one delivery', () => {
    const watched = flow()
    for (const at of [0, 1, 2, 3]) watched.note(paid(at))
    watched.note({ type: 'Issued', subject: 's', at: 4 })
    watched.note({ type: 'Strange', subject: 's', at: 4 })
    expect(watched.count).toEqual(NO_FLOW)
  })

  it('is nothing where the projection names none', () => {
    const watched = new Flow(undefined, POLICY)
    for (let at = 0; at < 9; at += 1) watched.note(paid(at))
    expect(watched.stopped(Number.MAX_SAFE_INTEGER)).toBeUndefined()
  })
})

describe('a watch in an outage', () => {
  const event = (subject: string, category: Happening['category'], type: string, data: object): Happening => ({
    subject,
    category,
    what: 'event',
    type,
    data,
  })
  const at = new Date(NOW).toISOString()
  const paid = (subject: string) =>
    event(subject, 'payment', 'PaymentCaptured', { passengers: ['p1'], amountMinor: 1, at })
  const issued = (subject: string) =>
    event(subject, 'ticket', 'TicketIssued', { ticketNumber: subject, passengerId: 'p1', origin: 'LIVE' })

  it('says so once, says when deliveries have stopped, and says when both are over', async () => {
    const store = openMemoryStore()
    const clock = new TestClock()
    clock.now = Date.now()
    const outage = { findingsMax: 3, windowMs: 10 * MINUTE_MS }
    const first = new Watching(store, clock, { outage })
    for (const subject of ['b1', 'b2', 'b3', 'b4', 'b5']) await happen(store, paid(subject))
    await until(() => first.told.some(({ rule }) => rule === 'outage'), 'the outage')
    await until(() => first.told.length === 6, 'its findings')
    clock.now += 9 * MINUTE_MS
    await first.drain()
    const second = new Watching(store, clock, { outage })
    await until(() => second.session?.state === 'live', 'live')
    clock.now += 2 * MINUTE_MS
    await until(() => second.told.length === 1, 'deliveries have stopped')
    await happen(store, issued('b1'))
    await until(() => second.told.length === 3, 'b1, and the flow, are good again')
    expect(second.told.some(({ rule }) => rule === 'outage')).toBe(false)
    for (const subject of ['b2', 'b3', 'b4', 'b5']) await happen(store, issued(subject))
    await until(() => second.told.length === 8, 'all are good again')
    await second.drain()
    const own = (await alertRecords(store)).filter(({ subject }) => subject === null)
    expect(own.map(({ change, rule, page }) => `${change} ${rule}: ${page}`).sort()).toEqual([
      'opened delivery-stopped: deliveries begin and none ends',
      'opened outage: many at once: paid-not-ticketed',
      'resolved delivery-stopped: deliveries begin and none ends',
      'resolved outage: many at once: paid-not-ticketed',
    ])
    expect(own.find(({ rule, change }) => rule === 'outage' && change === 'resolved')?.detail).toMatchObject({
      count: 5,
    })
    const stopped = own.find(({ rule }) => rule === 'delivery-stopped')
    expect(stopped?.detail).toEqual({ count: 5, first: { subject: 'b1' }, last: { subject: 'b5' } })
  })
})
