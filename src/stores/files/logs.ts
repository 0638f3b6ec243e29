// Log files as a log: every line of a payments file is an event in `paymentlog-{transaction id}`, every line of a tickets file one in
// `ticketlog-{transaction id}`, with the ids and revisions that an import gives them. Read only, and streamed.
import type { EventBatch, RecordedEvent } from '../../log/event.js'
import type { EventReader, ReadAllOptions, ReadStreamOptions, StreamRead } from '../../log/event-store.js'
import { comparePositions, type Position } from '../../log/position.js'
import { InvalidPositionError } from '../../log/store-errors.js'
import { categoryOf } from '../../log/stream.js'
import { assertReadable, canReadTwice, readLines } from './lines.js'
import { type LineSource, LogPass, type LogProblem, type LogReport } from './log-pass.js'
import type { SurveyThreads } from './survey-threads.js'
import { readUnsettled } from './unsettled.js'

export type { LogProblem, LogReport } from './log-pass.js'

/** A batch is given after so many lines at the latest, whether they gave events or not. */
const BATCH_LINES = 1_000

export interface LogFilesOptions {
  readonly payments: readonly string[]
  readonly tickets: readonly string[]
  /** Where a line holds its transaction id; default `transaction_id`. A dot goes one level down. */
  readonly key?: string
  /** Event types that count; default all. */
  readonly paymentTypes?: readonly string[]
  readonly ticketTypes?: readonly string[]
  /** Told of every line that cannot be read, as it comes, and once however often the files are read. */
  readonly onProblem?: (problem: LogProblem) => void
  /** Other threads that look at large logs beside this one; default none. */
  readonly threads?: SurveyThreads
}

/** Log files behind the reading half of the port. Every line has a place, also one that gives no event: its number over all files. */
export interface LogFiles extends EventReader {
  /** Of the last reading. */
  report(): LogReport
}

/** What was asked for cannot be: a key that is no path of names, or standard input twice. */
export class LogOptionsError extends Error {
  override readonly name = 'LogOptionsError'
}

/** Log files as a log. Nothing is opened before it is read. Throws LogOptionsError. */
export function openLogFiles(options: LogFilesOptions): LogFiles {
  if ([...options.payments, ...options.tickets].filter((file) => file === '-').length > 1) {
    throw new LogOptionsError('-: standard input can be read once only; name a file for the other log')
  }
  return new Logs(options, parseKey(options.key ?? 'transaction_id'))
}

function parseKey(text: string): readonly string[] {
  const key = text.split('.')
  if (key.includes('')) {
    throw new LogOptionsError(`Key ${JSON.stringify(text)}: expected names joined by dots, such as data.transactionId`)
  }
  return key
}

class Logs implements LogFiles {
  readonly #options: LogFilesOptions
  readonly #files: readonly LineSource[]
  readonly #key: readonly string[]
  #pass: LogPass
  /** The problems of lines up to here have been told. */
  #toldUpTo = 0n

  constructor(options: LogFilesOptions, key: readonly string[]) {
    this.#options = options
    this.#key = key
    this.#files = [
      ...options.payments.map((file) => ({ file, category: 'paymentlog' as const })),
      ...options.tickets.map((file) => ({ file, category: 'ticketlog' as const })),
    ]
    this.#pass = this.#newPass()
  }

  report(): LogReport {
    return this.#pass.report
  }

  /** Reads all files and keeps what the stream holds of them: for the few events of a transaction. */
  async readStream(stream: string, options: ReadStreamOptions = {}): Promise<StreamRead> {
    const { direction = 'forwards', from, maxCount = Number.POSITIVE_INFINITY, signal } = options
    const found: RecordedEvent[] = []
    for await (const { events } of this.#batches(signal, isInLogs(stream))) {
      for (const event of events) if (event.stream === stream) found.push(event)
    }
    if (found.length === 0) return { kind: 'missing' }
    const forwards = direction === 'forwards'
    const first =
      typeof from === 'number' ? from : from === 'end' || (!from && !forwards) ? Number.POSITIVE_INFINITY : 0
    const wanted = found.filter(({ revision }) => (forwards ? revision >= first : revision <= first))
    const events = (forwards ? wanted : wanted.reverse()).slice(0, maxCount)
    return { kind: 'found', events: oneRun(events) }
  }

  async *readAll(options: ReadAllOptions = {}): AsyncGenerator<EventBatch, void, undefined> {
    const { direction = 'forwards', from, filter } = options
    assertPlace(from)
    const isWanted = (event: RecordedEvent) =>
      filter === undefined || filter.streamPrefixes.some((prefix) => event.stream.startsWith(prefix))
    if (direction === 'backwards') yield* this.#backwards(options, isWanted)
    else if (!(yield* this.#unsettled(options))) yield* this.#forwards(options, isWanted)
  }

  /** Leaves out what is settled, where that was allowed and can be seen; false where nothing was given. */
  async *#unsettled({ settled, signal, ...place }: ReadAllOptions): AsyncGenerator<EventBatch, boolean, undefined> {
    if (settled?.by !== 'ticketlog' || !isEverything(place)) return false
    if (!(await canReadTwice(this.#files.map(({ file }) => file)))) return false
    const pass = yield* readUnsettled({
      ...this.#options,
      logs: this.#files,
      key: this.#key,
      newPass: () => this.#newPass(),
      bytesMax: settled.bytesMax ?? Number.POSITIVE_INFINITY,
      ...(signal && { signal }),
    })
    if (pass) this.#pass = pass
    return pass !== undefined
  }

  async *#forwards({ from = 'start', maxCount, signal }: ReadAllOptions, isWanted: Wanted): AsyncGenerator<EventBatch> {
    let left = maxCount ?? Number.POSITIVE_INFINITY
    if (from === 'end' || left <= 0) return
    for await (const batch of this.#batches(signal)) {
      const events = batch.events
        .filter((event) => isWanted(event) && (from === 'start' || comparePositions(event.position, from) >= 0))
        .slice(0, left)
      left -= events.length
      yield left > 0 ? { ...batch, events } : { events, position: events.at(-1)?.position ?? batch.position }
      if (left <= 0) return
    }
  }

  /** A file has no index: going back is reading forwards and keeping the end. */
  async *#backwards({ from = 'end', maxCount, signal }: ReadAllOptions, isWanted: Wanted): AsyncGenerator<EventBatch> {
    const left = maxCount ?? Number.POSITIVE_INFINITY
    if (from === 'start' || left <= 0) return
    let kept: RecordedEvent[] = []
    for await (const batch of this.#batches(signal)) {
      for (const event of batch.events) {
        if (isWanted(event) && (from === 'end' || comparePositions(event.position, from) < 0)) kept.push(event)
      }
      if (kept.length > left) kept = kept.slice(-left)
    }
    const [first] = kept
    if (first) yield { events: kept.reverse(), position: first.position }
  }

  /** All events, forwards, in batches that may hold none. */
  async *#batches(signal: AbortSignal | undefined, isAnything = true): AsyncGenerator<EventBatch, void, undefined> {
    signal?.throwIfAborted()
    if (!isAnything) return
    // Hours of payments are not read before it is known that there are tickets to compare them with.
    for (const { file } of this.#files) await assertReadable(file)
    const pass = this.#newPass()
    this.#pass = pass
    let [events, lines]: [RecordedEvent[], number] = [[], 0]
    for (const log of this.#files) {
      for await (const line of readLines(log.file)) {
        const event = pass.take(line, log)
        if (event) events.push(event)
        lines += 1
        if (lines < BATCH_LINES) continue
        yield { events, position: pass.position }
        signal?.throwIfAborted()
        ;[events, lines] = [[], 0]
      }
    }
    if (lines > 0) yield { events, position: pass.position }
  }

  #newPass(): LogPass {
    const { onProblem } = this.#options
    const pass: LogPass = new LogPass({
      ...this.#options,
      key: this.#key,
      onProblem: (problem) => {
        if (pass.position.commit <= this.#toldUpTo) return
        this.#toldUpTo = pass.position.commit
        onProblem?.(problem)
      },
    })
    return pass
  }
}

/** Whether a reading is of both logs from end to end. */
function isEverything({ from = 'start', maxCount, filter }: ReadAllOptions): boolean {
  const isWhole = from === 'start' && maxCount === undefined
  return isWhole && ['paymentlog-', 'ticketlog-'].every((prefix) => filter?.streamPrefixes.includes(prefix) ?? true)
}

type Wanted = (event: RecordedEvent) => boolean

function isInLogs(stream: string): boolean {
  const category = categoryOf(stream)
  return category === 'paymentlog' || category === 'ticketlog'
}

function assertPlace(from: Position | 'start' | 'end' | undefined): void {
  if (typeof from === 'object' && from.commit !== from.prepare) throw new InvalidPositionError(from)
}

async function* oneRun(events: readonly RecordedEvent[]) {
  if (events.length > 0) yield events
}
