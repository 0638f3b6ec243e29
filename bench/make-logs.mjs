// The input of the log job, from a seed: the same bytes on every machine.

import { once } from 'node:events'
import { createWriteStream, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** How many lines; payments beyond the tickets are spread evenly. */
export const LOG_SHAPE = { payments: 2_000_000, tickets: 1_980_000 }

/** Tickets come up to so many payments after their own. */
const DELAY_MAX = 100_000
const WRITE_LINES = 4_000

/** Writes payments.json and tickets.json where they are not there yet. */
export async function writeLogs(folder) {
  const [payments, tickets] = [join(folder, 'payments.json'), join(folder, 'tickets.json')]
  if (!existsSync(payments) || !existsSync(tickets)) {
    await writeLines(payments, paymentLines())
    await writeLines(tickets, ticketLines())
  }
  return { payments, tickets, bytes: statSync(payments).size + statSync(tickets).size }
}

async function writeLines(path, lines) {
  const file = createWriteStream(path)
  let gathered = []
  for (const line of lines) {
    gathered.push(line)
    if (gathered.length < WRITE_LINES) continue
    if (!file.write(gathered.join(''))) await once(file, 'drain')
    gathered = []
  }
  file.end(gathered.join(''))
  await once(file, 'close')
}

function* paymentLines() {
  for (let n = 0; n < LOG_SHAPE.payments; n += 1) {
    const amount = `${(mix(n, 5) % 900) + 20}.${String(mix(n, 6) % 100).padStart(2, '0')}`
    yield `{"transaction_id": "${idOf(n)}", "event_type": "Payment Confirmed", "amount": ${amount}, "currency": "EUR", "occurred_at": "${timeOf(n)}"}\n`
  }
}

function* ticketLines() {
  const missingEvery = LOG_SHAPE.payments / (LOG_SHAPE.payments - LOG_SHAPE.tickets)
  const ticketed = Array.from({ length: LOG_SHAPE.payments }, (_, n) => n).filter((n) => n % missingEvery !== 7)
  const place = new Float64Array(LOG_SHAPE.payments).map((_, n) => n + (mix(n, 7) % DELAY_MAX))
  ticketed.sort((a, b) => place[a] - place[b])
  for (const n of ticketed) {
    const number = `220${String(mix(n, 8)).padStart(10, '0')}`
    yield `{"transaction_id": "${idOf(n)}", "event_type": "Ticket Issued", "ticket": "${number}", "occurred_at": "${timeOf(n + 900)}"}\n`
  }
}

/** A UUID, as such ids mostly are. */
function idOf(n) {
  const [a, b, c, d] = [1, 2, 3, 4].map((part) => mix(n, part).toString(16).padStart(8, '0'))
  return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-a${c.slice(1, 4)}-${c.slice(4)}${d}`
}

function timeOf(n) {
  return new Date(Date.UTC(2026, 4, 1) + n * 500).toISOString()
}

/** An even 32-bit number of n and a part: the finaliser of MurmurHash3, by Austin Appleby, in the public domain. */
function mix(n, part) {
  let hash = Math.imul(n ^ Math.imul(part, 0x9e3779b9), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
