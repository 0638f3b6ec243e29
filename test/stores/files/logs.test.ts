// Log files as a log: every line an event of its transaction, the same at each reading, and what cannot be read is counted.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { transactions } from '../../../projections/transactions/transactions.js'
import { replay } from '../../../src/engine/replay.js'
import type { RecordedEvent } from '../../../src/log/event.js'
import { InvalidPositionError } from '../../../src/log/store-errors.js'
import { LogFileError } from '../../../src/stores/files/lines.js'
import { type LogFilesOptions, LogOptionsError, type LogProblem, openLogFiles } from '../../../src/stores/files/logs.js'
import { seedFor } from '../../controls/seed.js'

const folder = mkdtempSync(join(tmpdir(), 'makegood-logs-'))
afterAll(() => rmSync(folder, { recursive: true }))
const [payments, tickets] = [join(folder, 'payments.json'), join(folder, 'tickets.json')]

function openWith(paymentText: string, ticketText: string, options: Partial<LogFilesOptions> = {}) {
  writeFileSync(payments, paymentText)
  writeFileSync(tickets, ticketText)
  return openLogFiles({ payments: [payments], tickets: [tickets], ...options })
}

async function eventsOf(logs: ReturnType<typeof openLogFiles>): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = []
  for await (const batch of logs.readAll()) events.push(...batch.events)
  return events
}

function nextOf<T>(reading: AsyncIterable<T>): () => Promise<IteratorResult<T>> {
  const iterator = reading[Symbol.asyncIterator]()
  return () => iterator.next()
}

const line = (id: string | number, type = 'T'): string =>
  `${JSON.stringify({ transaction_id: id, event_type: type })}\n`
const NONE = { lines: 0, payments: 0, tickets: 0, blank: 0, otherType: 0, broken: 0, unattributableTickets: 0 }

describe('a reading', () => {
  it('gives each line as an event, doubled ones too, under ids that are equal at each reading', async () => {
    const logs = openWith(line(1) + line(1) + line('2'), line('1'))
    const events = await eventsOf(logs)
    expect(events.map((event) => `${event.stream}@${event.revision} ${event.position.commit}`)).toEqual([
      'paymentlog-1@0 1',
      'paymentlog-1@1 2',
      'paymentlog-2@0 3',
      'ticketlog-1@0 4',
    ])
    expect(new Set(events.map(({ id }) => id)).size).toBe(4)
    expect(await eventsOf(logs)).toEqual(events)
    expect(logs.report()).toEqual({ ...NONE, lines: 4, payments: 3, tickets: 1 })
  })

  it('counts blank lines and other types, and gives them no event', async () => {
    const logs = openWith(`\n${line(1, 'Paid')}${line(2, 'Voided')}`, '\r\n', { paymentTypes: ['Paid'] })
    expect((await eventsOf(logs)).map(({ stream }) => stream)).toEqual(['paymentlog-1'])
    expect(logs.report()).toEqual({ ...NONE, lines: 4, payments: 1, blank: 2, otherType: 1 })
  })

  it('takes what we wrote for a ticket whatever types are asked for, so that it is never written again', async () => {
    const logs = openWith(line(1) + line(2), '{"transaction_id": "1", "event_type": "Ticket Issued"}\n', {
      ticketTypes: ['Ticket Confirmed'],
    })
    const result = await replay(logs, transactions, { now: 0 })
    expect(result.compensations.map(({ subject }) => subject)).toEqual(['2'])
    expect(logs.report()).toEqual({ ...NONE, lines: 3, payments: 2, tickets: 1 })
  })

  it('tells each broken line as it comes, and holds whom a broken ticket line speaks of', async () => {
    const problems: LogProblem[] = []
    const ticketText = `{"transaction_id":"2","x\n{"tr\n`
    const logs = openWith(`{"transaction_id":"1"\n`, ticketText, { onProblem: (problem) => problems.push(problem) })
    const events = await eventsOf(logs)
    expect(events.map(({ stream, type }) => [stream, type])).toEqual([
      ['ticketlog-2', 'makegood.unreadable-line'],
      ['ticketlog-', 'makegood.unreadable-line'],
    ])
    expect(problems).toEqual([
      { file: payments, line: 1, why: 'not valid JSON' },
      { file: tickets, line: 1, why: 'not valid JSON' },
      { file: tickets, line: 2, why: 'not valid JSON' },
    ])
    expect(logs.report()).toEqual({ ...NONE, lines: 3, broken: 3, unattributableTickets: 1 })
  })

  it('of one stream gives its events in either direction', async () => {
    const logs = openWith(line(1) + line(10) + line(1), '')
    const read = await logs.readStream('paymentlog-1', { direction: 'backwards', maxCount: 1 })
    const revisions: number[] = []
    if (read.kind === 'found') for await (const events of read.events) revisions.push(...events.map((e) => e.revision))
    expect(revisions).toEqual([1])
    expect(await logs.readStream('ticketlog-1')).toEqual({ kind: 'missing' })
  })

  it('back from the end gives the last event', async () => {
    const logs = openWith(line(1) + line(2), line(3))
    for await (const { events } of logs.readAll({ direction: 'backwards', maxCount: 1 })) {
      expect(events.map(({ stream }) => stream)).toEqual(['ticketlog-3'])
    }
    expect.assertions(1)
  })

  it('refuses standard input for both logs, and a file that is not there', async () => {
    expect(() => openLogFiles({ payments: ['-'], tickets: ['-'] })).toThrow(LogOptionsError)
    await expect(eventsOf(openLogFiles({ payments: [join(folder, 'none')], tickets: [] }))).rejects.toThrow(
      'no such file',
    )
  })

  it('tells before its first event that a later file is not there', async () => {
    writeFileSync(payments, line(1).repeat(5_000))
    const logs = openLogFiles({ payments: [payments], tickets: [join(folder, 'none')] })
    await expect(nextOf(logs.readAll())()).rejects.toThrow(LogFileError)
  })

  it.each(['', 'a..b', '.a', 'a.'])('refuses a key that is no path: %j', (key) => {
    expect(() => openWith('', '', { key })).toThrow(LogOptionsError)
  })

  it('tells a problem once, however often and in whatever part the files are read', async () => {
    const problems: number[] = []
    const logs = openWith(`${line(1)}x\n${line(2)}y\n`, '', { onProblem: (problem) => problems.push(problem.line) })
    for await (const _ of logs.readAll({ maxCount: 1 })) break
    await eventsOf(logs)
    for await (const _ of logs.readAll({ direction: 'backwards', maxCount: 1 })) break
    expect(problems).toEqual([2, 4])
    expect(logs.report()).toMatchObject({ lines: 4, broken: 2 })
  })

  it('reads no file for a stream that is none of its own', async () => {
    const logs = openLogFiles({ payments: [join(folder, 'none')], tickets: [] })
    expect(await logs.readStream('makegood.store')).toEqual({ kind: 'missing' })
    await expect(logs.readStream('paymentlog-1')).rejects.toThrow(LogFileError)
  })

  it('refuses to begin at a place that no line can have', async () => {
    const reading = openWith(line(1), '').readAll({ from: { commit: 1n, prepare: 0n } })
    await expect(nextOf(reading)()).rejects.toThrow(InvalidPositionError)
  })

  it('stops when it is told to although nothing of what it reads is asked for', async () => {
    const controller = new AbortController()
    const logs = openWith(line(1).repeat(5_000), '')
    const next = nextOf(logs.readAll({ filter: { streamPrefixes: ['none-'] }, signal: controller.signal }))
    expect((await next()).value).toMatchObject({ events: [], position: { commit: 1_000n } })
    controller.abort(new Error('enough'))
    await expect(next()).rejects.toThrow('enough')
  })
})

/** A line and whose it is: undefined where it is broken and speaks of nobody for certain. */
interface MadeLine {
  readonly text: string
  readonly id: string | undefined
}
const id = fc.oneof(fc.nat(9).map(String), fc.constantFrom('12345678901234567890', 'ü', '__proto__'))
const madeLine: fc.Arbitrary<MadeLine> = fc.tuple(id, fc.nat(6)).map(([of, form]) => {
  const number = /^\d+$/.test(of) ? of : JSON.stringify(of)
  const escaped = [...of].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
  const texts = [
    `{"x":"y","data":{"id":${JSON.stringify(of)}},"event_type":"T"}`,
    `{ "event_type" : "T", "data" : { "id" : ${number} } }`,
    `{"data":{"id":"${escaped}","id2":1},"event_type":"T"}`,
    `{"data":{"id":${number}},"event_type":"T","id":"other"}`,
    `{"transaction_id": ${JSON.stringify(of)}, "event_type": "Ticket Issued"}`,
  ]
  return form < texts.length ? { text: texts[form] as string, id: of } : { text: '{"da', id: undefined }
})

it('any logs give every line to its transaction, as a plain reading of the whole files would', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(madeLine),
      fc.array(madeLine),
      fc.constantFrom('\n', '\r\n'),
      async (paid, issued, end) => {
        const text = (lines: readonly MadeLine[]) => lines.map((made) => made.text + end).join('')
        const logs = openWith(text(paid), text(issued), { key: 'data.id' })
        const expected = [
          ...paid.flatMap((made) => (made.id === undefined ? [] : [`paymentlog-${made.id}`])),
          ...issued.map((made) => `ticketlog-${made.id ?? ''}`),
        ]
        expect((await eventsOf(logs)).map(({ stream }) => stream)).toEqual(expected)
        const broken = [...paid, ...issued].filter((made) => made.id === undefined).length
        expect(logs.report()).toMatchObject({ lines: paid.length + issued.length, broken })
      },
    ),
    { numRuns: 100, seed: seedFor('any logs') },
  )
})

it('of 100,000 payments and 98,765 tickets, 1 % broken and 1 % doubled, exactly the missing ones are found', async () => {
  const broken = (i: number) => i % 100 === 50
  const doubled = (i: number) => i % 100 === 70
  const textOf = (count: number) =>
    Array.from({ length: count }, (_, i) =>
      broken(i) ? `{"transaction_id":"${i}","x\n` : line(i).repeat(doubled(i) ? 2 : 1),
    ).join('')
  const logs = openWith(textOf(100_000), textOf(98_765))
  const result = await replay(logs, transactions, { now: 0, countUnreadable: () => logs.report().broken })
  const missing = Array.from({ length: 1_235 }, (_, i) => 98_765 + i).filter((i) => !broken(i))
  expect(result.compensations.map(({ subject }) => subject)).toEqual(missing.map(String))
  expect(logs.report()).toMatchObject({
    lines: 100_000 + 1_000 + 98_765 + 987,
    broken: 1_000 + 988,
    unattributableTickets: 0,
  })
}, 60_000)
