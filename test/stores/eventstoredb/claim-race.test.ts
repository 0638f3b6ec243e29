// Fifty processes apply one plan at the same time over the wire, with one ticket authority: everything is done once, by one of them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { makegood, newFolder, rowsOf, summaryOf } from '../../cli/run-makegood.js'
import { eventsOfLog } from '../../controls/events.js'
import { startServe } from '../../server/serve-process.js'
import { spawnSimulator } from '../../simulator/simulator-process.js'
import { open } from './opened.js'

const PROCESSES = 50

test('fifty processes that apply one plan over the wire do each item once', { timeout: 300_000 }, async () => {
  const folder = newFolder()
  const { connectionString } = await startServe(['--insecure', '--store', join(folder, 'served')])
  const store = ['--store', connectionString]
  await makegood(['generate', '--bookings', '20', '--seed', '3', '--scenario', 'outage', ...store, '--truth', folder])
  const known = ['--known', join(folder, 'authority.jsonl')]
  const ledger = join(folder, 'ledger.jsonl')
  const simulator = await spawnSimulator(['--ledger', ledger, '--port', '0', ...known])
  onTestFinished(() => simulator.kill())
  const file = join(folder, 'plan.json')
  const digest = String(summaryOf(await makegood(['plan', '--out', file, ...store])).digest)
  const apply = () => makegood(['apply', file, '--approve', digest, '--authority', simulator.url, ...store])

  const ran = await Promise.all(Array.from({ length: PROCESSES }, apply))
  expect(ran.filter(({ code }) => code !== 0 && code !== 3).map(({ code, stderr }) => [code, stderr])).toEqual([])
  const items: { readonly key: string }[] = JSON.parse(readFileSync(file, 'utf8')).items
  const rows = ran.flatMap(rowsOf).filter(({ type }) => type === 'item')
  const applied = rows.filter(({ outcome }) => outcome === 'applied').map(({ key }) => key)
  expect(rows.length).toBeGreaterThanOrEqual(items.length)
  expect(new Set(applied).size).toBe(applied.length)

  const again = summaryOf(await apply())
  expect(again).toMatchObject({ complete: true, outcomes: { 'already-good': items.length } })
  expect(summaryOf(await makegood(['verify', ...store]))).toMatchObject({ items: items.length, bad: 0, doubled: {} })
  const log = await eventsOfLog(await open(connectionString), { filter: { streamPrefixes: ['ticket-'] } })
  const issued = log.filter(({ type, metadata }) => type === 'TicketIssued' && metadata.length > 0)
  const repairs = issued.map(({ stream, data }) => {
    const { passengerId, origin, ticketNumber } = JSON.parse(Buffer.from(data).toString())
    return { origin, who: `${stream} ${passengerId}`, ticketNumber }
  })
  const ours = repairs.filter(({ origin }) => origin === 'REPAIR')
  expect(ours.length).toBe(items.length)
  expect(new Set(ours.map(({ who }) => who)).size).toBe(ours.length)
  expect(new Set(ours.map(({ ticketNumber }) => ticketNumber)).size).toBe(ours.length)
})
