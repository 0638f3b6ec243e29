// The load of the live bench, in a process of its own: orders are paid, and all but one in fifty are sent a second later.
// Arguments: the store, events a second, seconds, a name for its streams. Prints how long it took, and when the log had taken each order that
// was never sent.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { openStore } from '../dist/src/open-store.js'
import { FORGOTTEN_EVERY } from './live-orders.mjs'

const [where, perSecond, seconds, run] = process.argv.slice(2)
const TICK_MS = 10
const SENT_AFTER_MS = 1_000
/** What a stall of the disk has held up goes out bit by bit: the client slows down with every append that waits. */
const AT_ONCE = 64

const store = await openStore(where, 'write')
const [startedAt, orders] = [Date.now(), (perSecond * seconds) / 2]
const [waiting, toSend, appending, takenAt] = [[], [], new Set(), {}]
for (let paid = 0; paid < orders || toSend.length > 0; await sleep(TICK_MS)) {
  const now = Date.now()
  const due = Math.min(orders, ((now - startedAt) / 1000) * (perSecond / 2))
  for (; paid < due; paid += 1) {
    waiting.push({ category: 'order', type: 'Paid', order: paid })
    if (paid % FORGOTTEN_EVERY !== 0) toSend.push({ order: paid, at: now + SENT_AFTER_MS })
  }
  while (toSend[0]?.at <= now) waiting.push({ category: 'parcel', type: 'Sent', order: toSend.shift().order })
  appendWaiting()
}
while (waiting.length + appending.size > 0) await sleep(TICK_MS)
await store.close()
process.stdout.write(`${JSON.stringify({ takenAt, ms: Date.now() - startedAt })}\n`)

function appendWaiting() {
  while (appending.size < AT_ONCE && waiting.length > 0) {
    const { category, type, order } = waiting.shift()
    const data = Buffer.from(JSON.stringify({ at: Date.now(), note: 'x'.repeat(240) }))
    const event = { id: randomUUID(), type, contentType: 'application/json', data, metadata: Buffer.alloc(0) }
    const appended = appendSurely(`${category}-${run}${order}`, event).then(() => {
      appending.delete(appended)
      if (order % FORGOTTEN_EVERY === 0) takenAt[`${run}${order}`] = Date.now()
      appendWaiting()
    })
    appending.add(appended)
  }
}

/** An answer that comes too late on a busy machine is asked for again, with the identical request. */
async function appendSurely(stream, event) {
  for (;;) {
    const { kind } = await store.append(stream, [event], 'noStream')
    if (kind === 'appended') return
    if (kind !== 'unknown') throw new Error(`the load could not be written: ${kind}`)
  }
}
