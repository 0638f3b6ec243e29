// The log job by the survey gives what the log job over every event gives: findings, digest, order, counts, problems.
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { transactions } from '../../../projections/transactions/transactions.js'
import { defineProjection, type Projection } from '../../../src/engine/projection.js'
import { replay } from '../../../src/engine/replay.js'
import type { EventReader, ReadAllOptions } from '../../../src/log/event-store.js'
import { folderScratch } from '../../../src/scratch/folder-scratch.js'
import { type LogFilesOptions, type LogProblem, openLogFiles } from '../../../src/stores/files/logs.js'
import { seedFor } from '../../controls/seed.js'
import { anyLog } from './log-lines.js'

const folder = mkdtempSync(join(tmpdir(), 'makegood-survey-'))
afterAll(() => rmSync(folder, { recursive: true }))

const { settledBy: _, ...everyEvent } = transactions
const overEveryEvent: Projection = defineProjection(everyEvent)

function write(name: string, bytes: Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

/** All that a scan of log files says, and how many events were folded for it. */
async function scan(projection: Projection, options: LogFilesOptions, bytesMax = 2 ** 30) {
  const problems: LogProblem[] = []
  const logs = openLogFiles({ ...options, onProblem: (problem) => problems.push(problem) })
  let given = 0
  const reader: EventReader = {
    readStream: (stream, how) => logs.readStream(stream, how),
    async *readAll(how?: ReadAllOptions) {
      for await (const batch of logs.readAll(how)) {
        given += batch.events.length
        yield batch
      }
    },
  }
  const { summary, ...result } = await replay(reader, projection, {
    now: 0,
    memory: { bytesMax, scratch: () => folderScratch(folder) },
    countUnreadable: () => logs.report().broken,
  })
  // An ordinal counts what was given: of compensations only their order is the same.
  const compensations = result.compensations.map(({ ordinal: _ordinal, ...rest }) => rest)
  const said = { ...result, compensations, summary: { ...summary, elapsedMs: 0 }, report: logs.report(), problems }
  return { given, said }
}

const OPTIONS: fc.Arbitrary<Partial<LogFilesOptions>> = fc.constantFrom(
  {},
  {},
  { paymentTypes: ['Paid', 'Größe'] },
  { ticketTypes: ['Ticket Issued'] },
  { ticketTypes: ['Refund'], paymentTypes: ['Refund', 'Ticket Issued'] },
  { key: 'id' },
  { key: 'event_type' },
  { key: 'x.transaction_id' },
  { key: 'constructor' },
)

it('of any logs a scan says the same, whether settled transactions are left out or not', async () => {
  let [given, all] = [0, 0]
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyLog, { maxLength: 2 }),
      fc.array(anyLog, { maxLength: 2 }),
      OPTIONS,
      fc.boolean(),
      async (paid, issued, options, isPacked) => {
        const files = (kind: string, logs: readonly Buffer[]) =>
          logs.map((bytes, i) => write(`${kind}-${i}`, isPacked && i === 0 ? gzipSync(bytes) : bytes))
        const logs = { payments: files('payments', paid), tickets: files('tickets', issued), ...options }
        const [fast, full] = [await scan(transactions, logs), await scan(overEveryEvent, logs)]
        expect(fast.said).toEqual(full.said)
        given += fast.given
        all += full.given
      },
    ),
    { numRuns: 400, seed: seedFor('survey') },
  )
  // Else it was not the survey that was seen.
  expect(given).toBeLessThan(all)
})

describe('a log', () => {
  const line = (id: string | number, type = 'Paid') => `${JSON.stringify({ transaction_id: id, event_type: type })}\n`
  const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

  async function expectEqual(
    payments: readonly string[],
    tickets: readonly string[],
    { bytesMax, givenMax }: { bytesMax?: number; givenMax: number },
  ) {
    const fast = await scan(transactions, { payments, tickets }, bytesMax)
    const full = await scan(overEveryEvent, { payments, tickets })
    expect(fast.said).toEqual(full.said)
    expect(fast.given).toBeLessThanOrEqual(givenMax)
    return fast.said
  }

  it('of more ids than may be held at once is read in rounds, and says the same', async () => {
    const id = (n: number) => `${n}-${'x'.repeat(1_000)}`
    const paid = numbers(20_000).map((n) => line(id(n)))
    const issued = numbers(20_000)
      .filter((n) => n % 100 !== 7)
      .map((n) => line(id(n), 'T'))
    const [payments, tickets] = [
      write('p', Buffer.from(paid.join(''))),
      write('t', Buffer.from(`${issued.join('')}{"transaction_id":"${id(5)}","x\n`)),
    ]
    const said = await expectEqual([payments], [tickets], { bytesMax: 12 * 2 ** 20, givenMax: 205 })
    expect(said.findings).toHaveLength(201)
  })

  it('of more ids than any number of rounds could hold is read event by event', async () => {
    const [payments, tickets] = [write('p', Buffer.from(line(1) + line(2))), write('t', Buffer.from(line(1)))]
    await expectEqual([payments], [tickets], { bytesMax: 1, givenMax: 3 })
  })

  it('with an id longer than a table holds is read event by event', async () => {
    const long = 'x'.repeat(5 * 2 ** 20)
    const [payments, tickets] = [write('p', Buffer.from(line(long) + line(2))), write('t', Buffer.from(line(long)))]
    await expectEqual([payments], [tickets], { givenMax: 3 })
  })

  it('with lines longer than a line may be, and with lines of many chunks, says the same', async () => {
    const wide = (id: string, length: number) =>
      `{"transaction_id":"${id}","event_type":"T","x":"${'x'.repeat(length)}"}\n`
    const payments = write(
      'p',
      Buffer.from(
        numbers(50)
          .map((n) => line(n))
          .join(''),
      ),
    )
    const tickets = write(
      't',
      Buffer.from(
        [line(1), wide('2', 3 * 2 ** 20), wide('3', 17 * 2 ** 20), line(4), '{"transaction_id":"5","x\n', line(5)].join(
          '',
        ),
      ),
    )
    await expectEqual([payments], [tickets], { givenMax: 50 })
  })

  it('in which most is not settled says the same', async () => {
    const payments = write(
      'p',
      Buffer.from(
        numbers(30_000)
          .map((n) => line(n % 20_000))
          .join(''),
      ),
    )
    const tickets = write(
      't',
      Buffer.from(
        numbers(300)
          .map((n) => line(n * 50))
          .join(''),
      ),
    )
    const said = await expectEqual([payments], [tickets], { givenMax: 30_000 })
    expect(said.summary.coverage).toMatchObject({ events: 30_300, subjects: 20_000, streams: 20_300 })
  })
})

describe('a survey', () => {
  const line = (id: number) => `{"transaction_id":${id},"event_type":"T"}\n`
  const settled = { by: 'ticketlog' }

  /** Two logs of which the first is read in many blocks; only the last payment has no ticket. */
  function openLogs(options: Partial<LogFilesOptions> = {}) {
    const ids = Array.from({ length: 100_000 }, (_, n) => n)
    const payments = write('p', Buffer.from(ids.map(line).join('')))
    const tickets = write('t', Buffer.from(ids.slice(0, -1).map(line).join('')))
    return { payments, logs: openLogFiles({ payments: [payments], tickets: [tickets], ...options }) }
  }

  it('tells how far it has come before it gives anything', async () => {
    const examined: number[] = []
    for await (const batch of openLogs().logs.readAll({ settled })) {
      if (batch.examined !== undefined) examined.push(batch.examined)
      if (batch.leftOut) expect(batch.leftOut).toEqual({ events: 199_996, streams: 199_996, subjects: 99_998 })
    }
    expect(examined.length).toBeGreaterThan(3)
    expect(examined).toEqual([...examined].sort((a, b) => a - b))
    expect(examined.at(-1)).toBe(199_999)
  })

  it('stops when it is told to', async () => {
    const controller = new AbortController()
    const reading = openLogs().logs.readAll({ settled, signal: controller.signal })[Symbol.asyncIterator]()
    expect((await reading.next()).value).toMatchObject({ events: [] })
    controller.abort(new Error('enough'))
    await expect(reading.next()).rejects.toThrow('enough')
  })

  it('takes the logs as they were when it began, however much is appended while it reads them', async () => {
    const { payments, logs } = openLogs()
    const ids: string[] = []
    // So little memory that it needs rounds, each of which would see another file.
    for await (const { events, examined } of logs.readAll({ settled: { ...settled, bytesMax: 5 * 2 ** 20 } })) {
      if (examined !== undefined) appendFileSync(payments, `${line(100_000 + examined)}{"tor`)
      ids.push(...events.map(({ stream, position }) => `${stream} ${position.commit}`))
    }
    expect(ids).toEqual(['paymentlog-99998 99999', 'paymentlog-99999 100000', 'ticketlog-99998 199999'])
    expect(logs.report()).toMatchObject({ lines: 199_999, broken: 0 })
  })

  it('says so where what it found is no longer in the file', async () => {
    const { payments, logs } = openLogs()
    const read = async () => {
      for await (const { examined } of logs.readAll({ settled })) if (examined === 199_999) writeFileSync(payments, '')
    }
    await expect(read()).rejects.toThrow(/line 99999 has changed since it was read; run again/)
  })

  it('is not made of a part of the logs, of one of them, or for another category', async () => {
    const { logs } = openLogs()
    const from = { commit: 5n, prepare: 5n }
    for (const how of [
      { from },
      { maxCount: 10 },
      { filter: { streamPrefixes: ['paymentlog-'] } },
      { direction: 'backwards', maxCount: 1 },
    ] as const) {
      for await (const batch of logs.readAll({ settled, ...how })) {
        expect(batch.events.length).toBeGreaterThan(0)
        expect(batch.leftOut).toBeUndefined()
        break
      }
    }
    for await (const batch of logs.readAll({ settled: { by: 'paymentlog' } })) {
      expect(batch.events.length).toBeGreaterThan(0)
      break
    }
  })
})
