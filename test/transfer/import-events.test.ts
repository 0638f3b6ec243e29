// Importing logs: once, in any home, behind guards; and one digest whatever home the same logs are read from.
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { transactions } from '../../projections/transactions/transactions.js'
import { replay } from '../../src/engine/replay.js'
import { jsonEvent } from '../../src/log/event.js'
import type { EventReader, EventStore } from '../../src/log/event-store.js'
import { StoreUnavailableError } from '../../src/log/store-errors.js'
import { openEmbeddedStore } from '../../src/stores/embedded/embedded-store.js'
import { openLogFiles } from '../../src/stores/files/logs.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { importEvents } from '../../src/transfer/import-events.js'

const folder = mkdtempSync(join(tmpdir(), 'makegood-import-'))
const line = (id: string, type: string, more = {}) =>
  `${JSON.stringify({ transaction_id: id, event_type: type, ...more })}\n`

function logsOf(name: string, payments: readonly string[], tickets: readonly string[]) {
  const files = { payments: [join(folder, `${name}-payments`)], tickets: [join(folder, `${name}-tickets`)] }
  writeFileSync(files.payments[0] as string, payments.join(''))
  writeFileSync(files.tickets[0] as string, tickets.join(''))
  return openLogFiles(files)
}

const digestOf = async (reader: EventReader) => (await replay(reader, transactions, { now: 0 })).summary.digest

const PAYMENTS = ['A', 'B', 'B', 'C', 'D'].map((id, n) => line(id, 'Paid', { n }))
const TICKETS = [line('A', 'Ticket Issued'), '{"transaction_id":"C","cut', line('nobody', 'Ticket Issued')]

describe.each([
  ['memory', async (): Promise<EventStore> => openMemoryStore()],
  ['embedded', () => openEmbeddedStore({ folder: mkdtempSync(join(folder, 'store-')) })],
])('importing into %s', (_home, openStore) => {
  it('gives the digest of the files themselves, unreadable ticket lines included', async () => {
    const logs = logsOf('digest', PAYMENTS, TICKETS)
    const store = await openStore()
    await importEvents(logs, store)
    expect(await digestOf(store)).toBe(await digestOf(logs))
    await store.close()
  })

  it('adds nothing again, only what has come since when the logs grew, and nothing twice after a repair', async () => {
    const store = await openStore()
    expect(await importEvents(logsOf('grown', PAYMENTS, []), store)).toEqual({ added: 5, present: 0 })
    expect(await importEvents(logsOf('grown', PAYMENTS, []), store)).toEqual({ added: 0, present: 5 })
    const compensation = jsonEvent({ id: crypto.randomUUID(), type: 'Ticket Issued', data: {} })
    await store.append('ticketlog-D', [compensation], 'noStream')
    const late = [line('D', 'Ticket Issued', { late: true })]
    expect(await importEvents(logsOf('grown', PAYMENTS, late), store)).toEqual({ added: 1, present: 5 })
    expect(await importEvents(logsOf('grown', PAYMENTS, late), store)).toEqual({ added: 0, present: 6 })
    await store.close()
  })
})

it('stops and says so where a stream cannot be written', async () => {
  const store = openMemoryStore()
  await store.tombstone('paymentlog-B', 'any')
  await expect(importEvents(logsOf('closed', PAYMENTS, []), store)).rejects.toThrow(StoreUnavailableError)
})

it('ends at an abort with the reason given', async () => {
  const reason = new Error('enough')
  const importing = importEvents(logsOf('aborted', PAYMENTS, []), openMemoryStore(), {
    signal: AbortSignal.abort(reason),
  })
  await expect(importing).rejects.toBe(reason)
})
