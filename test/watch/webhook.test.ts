// Alerts over a webhook: signed, in order, each at least once whatever the receiver does, and the watch waits for none of it.
import { createHmac, randomUUID } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { httpPost } from '../../src/http-post.js'
import type { EventStore } from '../../src/log/event-store.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { Webhook } from '../../src/watch/webhook.js'
import { type Happening, happen, NOW } from './live-airline.js'
import { Receiver } from './receiver.js'
import { alertRecords, TestClock, until, Watching } from './watching.js'

const SECRET = 'only the two of us know'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function receive(): Promise<Receiver> {
  const receiver = await Receiver.open()
  closing.push(() => receiver.close())
  return receiver
}

function openWebhook(store: EventStore, receiver: Receiver, secret?: string): Promise<Webhook> {
  return Webhook.open({
    store,
    watch: 'w',
    post: httpPost(receiver.url),
    ...(secret !== undefined && { secret }),
    clock: () => NOW,
    newId: randomUUID,
    retryMs: 5,
    onTrouble: () => {},
  })
}

/** A webhook of watch `w` that runs until the test is over, or it is stopped. */
async function deliver(store: EventStore, receiver: Receiver, secret?: string) {
  const webhook = await openWebhook(store, receiver, secret)
  const ending = new AbortController()
  const running = webhook.run(ending.signal)
  const stop = async () => {
    ending.abort()
    await running
  }
  closing.push(stop)
  return { webhook, stop }
}

const paid = (subject: string): Happening => ({
  subject,
  category: 'payment',
  what: 'event',
  type: 'PaymentCaptured',
  data: { passengers: ['p1'], amountMinor: 100, at: new Date(NOW).toISOString() },
})

function watchWith(store: EventStore, webhook?: Webhook, outageAfter = 1_000): Watching {
  const watching = new Watching(store, new TestClock(), {
    outage: { findingsMax: outageAfter, windowMs: 600_000 },
    onWritten: (records) => webhook?.noteWritten(records),
  })
  closing.push(() => watching.drain())
  return watching
}

describe('a webhook', () => {
  it('is sent each alert, signed so that the receiver can tell who sent it', async () => {
    const [store, receiver] = [openMemoryStore(), await receive()]
    const { webhook } = await deliver(store, receiver, SECRET)
    watchWith(store, webhook)
    await happen(store, paid('b1'))
    await until(() => receiver.got.length === 1, 'delivered')
    const { record, body, headers } = receiver.got[0] as Receiver['got'][0]
    expect(record).toMatchObject({
      type: 'alert',
      change: 'opened',
      rule: 'paid-not-ticketed',
      subject: 'b1',
      watch: 'w',
    })
    const [, time, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['makegood-signature'])) ?? []
    expect(time).toBe(String(NOW))
    expect(signature).toBe(createHmac('sha256', SECRET).update(`${time}.${body}`).digest('hex'))
    expect(headers['makegood-delivery']).toMatch(/^[0-9a-f-]{36}$/)
  })

  it.each([
    ['answers with an error', 503],
    ['redirects', 302],
  ])('that %s gets everything later, in order, and the watch waits for none of it', async (_, answer) => {
    const [store, receiver] = [openMemoryStore(), await receive()]
    const { webhook } = await deliver(store, receiver)
    const watching = watchWith(store, webhook)
    receiver.answer = answer
    for (const subject of ['b1', 'b2', 'b3']) await happen(store, paid(subject))
    await until(() => watching.told.length === 3, 'the watch goes on')
    await until(() => webhook.failures > 1, 'tried again')
    expect(webhook.backlog).toBe(3)
    expect(receiver.got).toEqual([])
    receiver.answer = 200
    await until(() => receiver.got.length === 3, 'delivered')
    expect(receiver.changes).toEqual(['opened b1', 'opened b2', 'opened b3'])
    await until(() => webhook.backlog === 0, 'nothing waits')
  })

  it('that never answers holds up neither the watch nor its end', async () => {
    const [store, receiver] = [openMemoryStore(), await receive()]
    receiver.answer = undefined
    const { webhook, stop } = await deliver(store, receiver)
    const watching = watchWith(store, webhook)
    for (const subject of ['b1', 'b2']) await happen(store, paid(subject))
    await until(() => watching.told.length === 2, 'the watch goes on')
    expect(webhook.backlog).toBe(2)
    await stop()
    expect(webhook.failures).toBe(0)
  })

  it('that was away finds what waited in the stream, after a restart too, and nothing twice', async () => {
    const [store, receiver] = [openMemoryStore(), await receive()]
    const first = await deliver(store, receiver)
    const watching = watchWith(store, first.webhook)
    await happen(store, paid('b1'))
    await until(() => first.webhook.backlog === 0 && receiver.got.length === 1, 'the first')
    await first.stop()
    for (const subject of ['b2', 'b3']) await happen(store, paid(subject))
    await until(() => watching.told.length === 3, 'told')
    const second = await openWebhook(store, receiver)
    expect(second.backlog).toBe(2)
    await deliver(store, receiver)
    await until(() => receiver.got.length === 3, 'the others')
    expect(receiver.changes).toEqual(['opened b1', 'opened b2', 'opened b3'])
  })

  it('that was stopped before anything was delivered loses nothing', async () => {
    const [store, receiver] = [openMemoryStore(), await receive()]
    const first = await deliver(store, receiver)
    await first.stop()
    const watching = watchWith(store)
    await happen(store, paid('b1'))
    await until(() => watching.told.length === 1, 'told')
    await deliver(store, receiver)
    await until(() => receiver.got.length === 1, 'delivered')
    expect(receiver.changes).toEqual(['opened b1'])
  })

  it('is served by the process that holds the lease, and by no other', async () => {
    const [store, receiver] = [openMemoryStore(), await receive()]
    const start = async () => {
      const webhook = await openWebhook(store, receiver)
      const watching = new Watching(store, new TestClock(), {
        onWritten: (records) => webhook.noteWritten(records),
        beside: (held) => webhook.run(held),
      })
      closing.push(() => watching.drain())
      return { watching, isIdle: () => webhook.backlog === 0 }
    }
    const both = [await start(), await start()] as const
    await until(() => both.some(({ watching }) => watching.standbys.length > 0), 'one stands by')
    const [holder, standby] = both[0].watching.standbys.length > 0 ? [both[1], both[0]] : both
    for (const subject of ['b1', 'b2', 'b3']) await happen(store, paid(subject))
    // Whoever ends between an answer and its being remembered is followed by one who sends again.
    await until(() => receiver.got.length === 3 && holder.isIdle(), 'delivered by the first')
    await holder.watching.drain()
    await until(() => standby.watching.session?.state === 'live', 'taken over')
    for (const subject of ['b4', 'b5']) await happen(store, paid(subject))
    await until(() => receiver.got.length >= 5 && standby.isIdle(), 'delivered by the second')
    await standby.watching.drain()
    expect(receiver.changes).toEqual(['b1', 'b2', 'b3', 'b4', 'b5'].map((subject) => `opened ${subject}`))
  })

  it('that is new is not sent what was written before', async () => {
    const [store, receiver] = [openMemoryStore(), await receive()]
    const watching = watchWith(store)
    await happen(store, paid('b1'))
    await until(() => watching.told.length === 1, 'told')
    await deliver(store, receiver)
    await happen(store, paid('b2'))
    await until(() => receiver.got.length === 1, 'delivered')
    expect(receiver.changes).toEqual(['opened b2'])
  })

  it('is sent one alert for an outage, not each of its findings', async () => {
    const [store, receiver] = [openMemoryStore(), await receive()]
    for (const subject of ['b1', 'b2', 'b3', 'b4', 'b5']) await happen(store, paid(subject))
    const { webhook } = await deliver(store, receiver)
    const watching = watchWith(store, webhook, 3)
    await until(() => watching.told.length === 6, 'told')
    await until(() => receiver.got.length === 1, 'delivered')
    expect(receiver.got[0]?.record).toMatchObject({
      rule: 'outage',
      change: 'opened',
      page: 'many at once: paid-not-ticketed',
      detail: { of: 'paid-not-ticketed', count: 5, first: { subject: 'b1' }, last: { subject: 'b5' } },
    })
    const outage = receiver.got[0]?.record.id
    const grouped = (await alertRecords(store)).filter(({ rule }) => rule === 'paid-not-ticketed')
    expect(grouped.map(({ group }) => group)).toEqual([outage, outage, outage, outage, outage])
  })
})
