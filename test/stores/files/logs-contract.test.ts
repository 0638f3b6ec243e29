// Log files keep the reading part of the contract of an event store.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from 'vitest'
import { openLogFiles } from '../../../src/stores/files/logs.js'
import { readingContract } from '../../contract/reading-contract.js'
import type { LoggedEvent, ReadingHarness } from '../../contract/store-harness.js'
import { gather } from '../../controls/events.js'

const line = (id: string, n: number): string => JSON.stringify({ transaction_id: id, event_type: 'Happened', n })

async function makeReading(): Promise<ReadingHarness> {
  const folder = mkdtempSync(join(tmpdir(), 'makegood-contract-'))
  const [payments, tickets] = [join(folder, 'payments.json'), join(folder, 'tickets.json')]
  const paid = ['a', 'b', 'a', 'a', 'c', 'a', 'b', 'a', 'a'].map(line)
  const issued = ['b', 'a', 'b'].map(line)
  // What gives no event stands among what does: positions have gaps.
  writeFileSync(payments, ['\n', ...paid.map((text) => `${text}\n`), 'broken\n', '\n'].join(''))
  writeFileSync(tickets, `\n${issued.join('\n\n')}\n\n`)
  const reader = openLogFiles({ payments: [payments], tickets: [tickets] })
  const logged = [...loggedOf('paymentlog', paid), ...loggedOf('ticketlog', issued)]
  const events = (await gather(reader.readAll())).flatMap((batch) => batch.events)
  // Ids are made from the lines; that they are the same at each reading is what the contract then sees.
  return {
    reader,
    logged: logged.map((event, i) => ({ ...event, id: events[i]?.id ?? '' })),
    dispose: async () => rmSync(folder, { recursive: true }),
  }
}

function loggedOf(category: string, lines: readonly string[]): Omit<LoggedEvent, 'id'>[] {
  const revisions = new Map<string, number>()
  return lines.map((text) => {
    const stream = `${category}-${JSON.parse(text).transaction_id}`
    const revision = revisions.get(stream) ?? 0
    revisions.set(stream, revision + 1)
    return { stream, revision, type: 'Happened', data: Buffer.from(text) }
  })
}

describe('log files keep the reading part of the contract', () => {
  readingContract(makeReading)
})
