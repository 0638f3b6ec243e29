// The log job on several threads says what it says on one; a thread that fails is told of, and none is left behind.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import type { RecordedEvent } from '../../../src/log/event.js'
import { LogFileError } from '../../../src/stores/files/lines.js'
import { type LogFilesOptions, type LogProblem, openLogFiles } from '../../../src/stores/files/logs.js'
import type { SurveyThreads, ThreadStart } from '../../../src/stores/files/survey-threads.js'
import { seedFor } from '../../controls/seed.js'
import { anyLog } from './log-lines.js'

const folder = mkdtempSync(join(tmpdir(), 'makegood-survey-threads-'))
afterAll(() => rmSync(folder, { recursive: true }))

const THREAD = resolve('dist/src/survey-thread.js')

/** Threads for logs of any size. `started` holds those that were started. */
function threadsOf(options: Partial<SurveyThreads> & { code?: (start: ThreadStart) => string } = {}) {
  const started: Worker[] = []
  const threads: SurveyThreads = {
    count: 1,
    bytesMin: 1,
    rangeBytes: 100,
    start: (start, transfer) => {
      const how = { workerData: start, transferList: [...transfer] }
      const code = options.code?.(start)
      const worker = code === undefined ? new Worker(THREAD, how) : new Worker(code, { ...how, eval: true })
      started.push(worker)
      return worker
    },
    ...options,
  }
  return { threads, started }
}

function write(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

/** All that a reading says, and what it gives. */
async function read(options: LogFilesOptions, bytesMax = 2 ** 30) {
  const problems: LogProblem[] = []
  const logs = openLogFiles({ ...options, onProblem: (problem) => problems.push(problem) })
  const events: RecordedEvent[] = []
  const leftOut: unknown[] = []
  for await (const batch of logs.readAll({ settled: { by: 'ticketlog', bytesMax } })) {
    events.push(...batch.events)
    if (batch.leftOut) leftOut.push(batch.leftOut)
  }
  return { events, leftOut, problems, report: { ...logs.report() } }
}

const line = (id: string | number, type = 'T') => `${JSON.stringify({ transaction_id: id, event_type: type })}\n`
const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

it('of any logs they say what one thread says: events, revisions, counts, and problems in their order', async () => {
  let [taken, leftOut] = [0, 0]
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyLog, { minLength: 1, maxLength: 3 }),
      fc.array(anyLog, { minLength: 1, maxLength: 3 }),
      fc.constantFrom<Partial<LogFilesOptions>>(
        {},
        {},
        { paymentTypes: ['Paid'] },
        { ticketTypes: ['Refund'] },
        { key: 'id' },
      ),
      fc.integer({ min: 30, max: 2_000 }),
      fc.integer({ min: 1, max: 2 }),
      async (paid, issued, options, rangeBytes, count) => {
        const files = (kind: string, logs: readonly Buffer[]) => logs.map((bytes, i) => write(`${kind}-${i}`, bytes))
        const logs = { payments: files('payments', paid), tickets: files('tickets', issued), ...options }
        const { threads, started } = threadsOf({ count, rangeBytes })
        const alone = await read(logs)
        expect(await read({ ...logs, threads })).toEqual(alone)
        taken += started.length
        leftOut += alone.leftOut.length
      },
    ),
    { numRuns: 30, seed: seedFor('survey threads'), endOnFailure: true },
  )
  // Else it was not they that were seen.
  expect(taken).toBeGreaterThan(20)
  expect(leftOut).toBeGreaterThan(20)
})

describe('several threads', () => {
  const ids = numbers(60_000)
  const payments = () => write('p', `\ufeff${ids.map((n) => line(n % 50_000)).join('')}broken\n${line('last')}`)
  const tickets = () => write('t', `{"transaction_id":"7","x\n${ids.map((n) => line(n + 3)).join('')}`.slice(0, -1))

  it('read large logs between them, a few ids for each', async () => {
    const logs = { payments: [payments()], tickets: [tickets()] }
    const { threads, started } = threadsOf({ count: 2, rangeBytes: 20_000 })
    const said = await read({ ...logs, threads })
    expect(said).toEqual(await read(logs))
    expect(started).toHaveLength(2)
    expect(said.report).toMatchObject({ lines: 120_003, broken: 2 })
    const places = said.events.map(({ stream, revision }) => `${stream} ${revision}`)
    expect(places.filter((place) => /-(0|1|7|last) /.test(place))).toEqual([
      ...['paymentlog-0 0', 'paymentlog-1 0', 'paymentlog-7 0', 'paymentlog-0 1', 'paymentlog-1 1', 'paymentlog-7 1'],
      ...['paymentlog-last 0', 'ticketlog-7 0', 'ticketlog-7 1'],
    ])
  })

  it('need rounds where their ids are too many together, and say the same', async () => {
    const long = (n: number) => `${n}-${'x'.repeat(1_000)}`
    const paid = numbers(20_000).map((n) => line(long(n)))
    const logs = { payments: [write('p', paid.join(''))], tickets: [write('t', paid.slice(9, -9).join(''))] }
    const { threads, started } = threadsOf({ rangeBytes: 2 ** 20 })
    const said = await read({ ...logs, threads }, 16 * 2 ** 20)
    expect(said).toEqual(await read(logs))
    expect(said.leftOut).toEqual([{ events: 39_962, streams: 39_962, subjects: 19_981 }])
    expect(started.length).toBeGreaterThan(2)
  })

  it('are not started for small logs, nor for packed ones', async () => {
    const paid = numbers(1_000).map((n) => line(n))
    const logs = { payments: [write('p', paid.join(''))], tickets: [write('t.gz', gzipSync(paid.slice(9).join('')))] }
    const { threads, started } = threadsOf({ rangeBytes: 20_000 })
    expect(await read({ ...logs, threads })).toEqual(await read(logs))
    const { bytesMin: _, ...usual } = threads
    await read({ payments: [payments()], tickets: [tickets()], threads: usual })
    expect(started).toEqual([])
  })

  it('leave logs with an id longer than a table holds to a reading of every event', async () => {
    const long = line('x'.repeat(5 * 2 ** 20))
    const logs = { payments: [write('p', long + line(2))], tickets: [write('t', long)] }
    const { threads } = threadsOf({ rangeBytes: 2 ** 20 })
    const said = await read({ ...logs, threads })
    expect(said.leftOut).toEqual([])
    expect(said.events).toHaveLength(3)
  })
})

describe('a thread', () => {
  const logs = () => ({
    payments: [
      write(
        'p',
        numbers(20_000)
          .map((n) => line(n))
          .join(''),
      ),
    ],
    tickets: [write('t', line(1))],
  })
  /** The thread as it is, but for something that is done in front. */
  const behind = (code: string) => () => `${code}; import(${JSON.stringify(`file://${THREAD}`)})`

  function expectEnded(started: readonly Worker[]): void {
    expect(started.length).toBeGreaterThan(0)
    // A thread that has ended has no number any more.
    for (const { threadId } of started) expect(threadId).toBe(-1)
  }

  it('that throws fails the reading with its error, and is ended', async () => {
    const { threads, started } = threadsOf({ code: () => "throw new RangeError('a thread that breaks')" })
    await expect(read({ ...logs(), threads })).rejects.toThrow(new RangeError('a thread that breaks'))
    expectEnded(started)
  })

  it('that ends in the middle fails the reading', async () => {
    const { threads, started } = threadsOf({ count: 2, code: behind('setTimeout(() => process.exit(), 60)') })
    const slow: SurveyThreads = { ...threads, rangeBytes: 2 }
    await expect(read({ ...logs(), threads: slow })).rejects.toThrow('ended before its work was done')
    expectEnded(started)
  })

  it('that cannot read a file says so as the one thread would', async () => {
    const files = logs()
    const broken =
      "const fs = require('node:fs/promises'); require('node:module').syncBuiltinESMExports(fs.open = () => { throw Object.assign(new Error('x'), { code: 'EACCES' }) })"
    const { threads, started } = threadsOf({ code: behind(broken) })
    const reading = read({ ...files, threads: { ...threads, rangeBytes: 2 } })
    const error: unknown = await reading.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(LogFileError)
    expect((error as Error).message).toBe(`${files.payments[0]}: cannot be read: no right to read it`)
    expectEnded(started)
  })

  it('is ended with the reading, also one that is left or told to stop', async () => {
    for (const how of ['end', 'leave', 'stop'] as const) {
      const { threads, started } = threadsOf()
      const files = logs()
      const controller = new AbortController()
      const { signal } = controller
      const reading = openLogFiles({ ...files, threads }).readAll({ settled: { by: 'ticketlog' }, signal })
      const stopped = (async () => {
        for await (const _ of reading) {
          if (how === 'leave') break
          if (how === 'stop') controller.abort(new Error('enough'))
        }
      })()
      if (how === 'stop') await expect(stopped).rejects.toThrow('enough')
      else await stopped
      expectEnded(started)
    }
  })
})
