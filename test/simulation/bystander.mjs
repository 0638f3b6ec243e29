// Somebody who writes beside a repair: sells bookings and has them ticketed, issues live for passengers whom the repair has in its plan,
// requests refunds and takes them back. Arguments: store, authority URL, journal, a file of acts, pause in ms. What was acknowledged
// to it goes to the journal, synced, one line an append.
import { randomUUID } from 'node:crypto'
import { fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { httpAuthority } from '../../dist/src/authorities/http-authority.js'
import { jsonEvent } from '../../dist/src/log/event.js'
import { openEmbeddedStore } from '../../dist/src/stores/embedded/embedded-store.js'

const [folder, url, journalPath, actsPath, pauseMs] = process.argv.slice(2)
const { acts, now } = JSON.parse(readFileSync(actsPath, 'utf8'))
const store = await openEmbeddedStore({ folder })
const authority = httpAuthority(url)
const journal = openSync(journalPath, 'a')
/** Past every grace period, and before every time-out of an attempt. */
const HOUR_MS = 3_600_000
const lately = (msAgo) => new Date(Date.parse(now) - msAgo).toISOString()

async function eventsOf(stream) {
  const read = await store.readStream(stream)
  const events = []
  if (read.kind === 'found') for await (const batch of read.events) events.push(...batch)
  return events.map(({ type, data }) => ({ type, data: JSON.parse(new TextDecoder().decode(data)) }))
}

/** Appends behind a guard and notes it; false where the guard did not hold. */
async function append(act, stream, expected, drafts) {
  const batch = { id: randomUUID(), size: drafts.length }
  const events = drafts.map(({ type, data }) => jsonEvent({ id: randomUUID(), type, data, metadata: { batch } }))
  const result = await store.append(stream, events, expected)
  if (result.kind !== 'appended') return false
  const ids = events.map(({ id }) => id)
  writeSync(journal, `${JSON.stringify({ ...act, stream, expected, ids })}\n`)
  fsyncSync(journal)
  return true
}

const guardOf = (events) => (events.length === 0 ? 'noStream' : events.length - 1)

/** Appends behind whatever stands there by now, as often as it takes. */
async function appendAtHead(act, stream, drafts) {
  while (!(await append(act, stream, guardOf(await eventsOf(stream)), drafts))) await sleep(1)
}

/** Asks until there is a ticket: in doubt under the same key, refused under another. */
async function issue({ bookingId, passengerId }) {
  for (let key = `live-${randomUUID()}`; ; ) {
    const answer = await authority.issue({ key, request: { bookingId, passengerId } })
    if (answer.kind === 'done') return answer.answer
    if (answer.kind === 'refused') key = `live-${randomUUID()}`
    await sleep(5)
  }
}

/** The ticket that the passenger has at the authority already. */
async function lookUp({ bookingId, passengerId }) {
  for (;;) {
    const told = await authority.lookUp({ key: `live-${randomUUID()}`, request: { bookingId, passengerId } })
    if (told.kind === 'found') return told.answer
    if (told.kind === 'none') return undefined
    await sleep(5)
  }
}

async function orderOf(bookingId) {
  const order = {}
  for (const { type, data } of await eventsOf(`payment-${bookingId}`)) {
    if (type === 'PaymentRequested' || type === 'OrderAmended') Object.assign(order, data)
  }
  return order
}

async function recordLive(act, ticket) {
  const { bookingId, passengerId } = act
  const { segments, orderVersion } = await orderOf(bookingId)
  const { ticketNumber, documentType, issuedAt } = ticket
  const coupons = segments.map(({ segmentId }, n) => ({ couponNumber: n + 1, segmentId, status: 'OPEN' }))
  const data = { bookingId, passengerId, ticketNumber, documentType, issuedAt, orderVersion, coupons, origin: 'LIVE' }
  await appendAtHead(act, `ticket-${bookingId}`, [
    { type: 'TicketIssued', data: { ...data, conjunctionNumbers: [], occurredAt: lately(0) } },
  ])
}

const PERFORM = {
  /** A refund of the last capture. */
  async refund(act) {
    const stream = `payment-${act.bookingId}`
    const events = await eventsOf(stream)
    const capture = events.findLast(({ type }) => type === 'PaymentCaptured')?.data
    const { captureId, amount } = capture ?? {}
    const data = { bookingId: act.bookingId, occurredAt: lately(HOUR_MS), refundId: act.refundId, captureId, amount }
    if (capture) await appendAtHead(act, stream, [{ type: 'RefundRequested', data }])
  },

  /** The refund failed: what was stale is owed again. */
  async 'refund-failed'(act) {
    const stream = `payment-${act.bookingId}`
    const refund = (await eventsOf(stream)).findLast(({ data }) => data.refundId === act.refundId)?.data
    if (refund) await appendAtHead(act, stream, [{ type: 'RefundFailed', data: refund }])
  },

  /** Live ticketing as it should be: claims behind the guard of what it read, and leaves alone what another has claimed. */
  async live(act) {
    const { bookingId, passengerId } = act
    const stream = `ticket-${bookingId}`
    const events = await eventsOf(stream)
    const isTaken = events.some(
      ({ data }) => data.passengerId === passengerId || data.passengerIds?.includes(passengerId),
    )
    if (isTaken) return
    const claim = {
      bookingId,
      occurredAt: lately(0),
      attemptId: randomUUID(),
      passengerIds: [passengerId],
      origin: 'LIVE',
    }
    if (!(await append(act, stream, guardOf(events), [{ type: 'TicketIssueRequested', data: claim }]))) return
    // As it goes: a first try that came to nothing and may be repeated.
    if (act.failsFirst) {
      await appendAtHead(act, stream, [
        { type: 'TicketIssueFailed', data: { ...claim, code: 'HOST_DOWN', retryable: true } },
      ])
      return
    }
    await recordLive(act, (await lookUp(act)) ?? (await issue(act)))
  },

  /** Live ticketing that looks at no claim, nor at what was issued before. */
  async 'live-rude'(act) {
    await recordLive(act, await issue(act))
  },

  /** A new booking, like an old one: paid in one append, then ticketed. */
  async sell(act) {
    if (!(await PERFORM['sell-unticketed'](act))) return
    for (const { passengerId } of (await orderOf(act.bookingId)).passengers) {
      await PERFORM.live({ ...act, passengerId })
    }
  },

  /** The same, and nobody has it ticketed. */
  async 'sell-unticketed'(act) {
    const { bookingId, like } = act
    const copied = (await eventsOf(`payment-${like}`)).map(({ type, data }) => ({
      type,
      data: { ...data, bookingId, occurredAt: lately(HOUR_MS) },
    }))
    return append(act, `payment-${bookingId}`, 'noStream', copied)
  },
}

for (const act of acts) {
  await PERFORM[act.act](act)
  await sleep(Number(pauseMs))
}
await store.close()
