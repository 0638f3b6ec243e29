// The load of the live bench, in a process of its own: orders are paid, and all but one in fifty are sent a second later.
// Arguments: the store, events a second, seconds, a name for its streams. Prints how many orders were never sent.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { openStore } from '../dist/src/open-store.js'

const [where, perSecond, seconds, run] = process.argv.slice(2)
const TICK_MS = 10
const SENT_AFTER_MS = 1_000
const FORGOTTEN_EVERY = 50

const store = await openStore(where, 'write')
const toSend = []
const appends = new Set()
const [startedAt, orders] = [Date.now(), (perSecond * seconds) / 2]
for (let paid = 0; paid < orders || toSend.length > 0; await sleep(TICK_MS)) {
  const now = Date.now()
  const due = Math.min(orders, ((now - startedAt) / 1000) * (perSecond / 2))
  for (; paid < due; paid += 1) {
    append('order', 'Paid', paid)
    if (paid % FORGOTTEN_EVERY !== 0) toSend.push({ order: paid, at: now + SENT_AFTER_MS })
  }
  while (toSend[0]?.at <= now) append('parcel', 'Sent', toSend.shift().order)
}
await Promise.all(appends)
await store.close()
process.stdout.write(
  `${JSON.stringify({ forgotten: Math.ceil(orders / FORGOTTEN_EVERY), ms: Date.now() - startedAt })}\n`,
)

function append(category, type, order) {
  const data = { at: Date.now(), note: 'x'.repeat(240) }
  const event = { id: randomUUID(), type, contentType: 'application/json', data: Buffer.from(JSON.stringify(data)) }
  const appended = store
    .append(`${category}-${run}${order}`, [{ ...event, metadata: Buffer.alloc(0) }], 'noStream')
    .then(({ kind }) => {
      if (kind !== 'appended') throw new Error(`the load could not be written: ${kind}`)
      appends.delete(appended)
    })
  appends.add(appended)
}
