// PORT and protocol: other threads that survey logs beside this one. Where a program gives none, one thread does it all, with the same result.
import { MessageChannel, type MessagePort, type TransferListItem, type Worker } from 'node:worker_threads'
import { IdTableFullError, type SettledCounts } from './id-table.js'
import { LogFileError } from './lines.js'
import { NumberList } from './number-list.js'
import { type StretchReport, SurveyPart, type SurveyTask } from './survey-part.js'

export interface SurveyThreads {
  /** How many there may be beside this one. */
  readonly count: number
  /** Starts a thread, which calls `surveyInThread` with what it is given. */
  start(start: ThreadStart, transfer: readonly TransferListItem[]): Worker
  /** Logs of fewer bytes a thread are not worth one; default 64 MiB. */
  readonly bytesMin?: number
  /** So much of a log is looked at in one piece; default 1 MiB. */
  readonly rangeBytes?: number
}

/** What a thread is started with. */
export interface ThreadStart {
  readonly task: SurveyTask
  readonly thread: number
  readonly claims: Int32Array
  /** To each other thread, by its number. */
  readonly ports: readonly (MessagePort | undefined)[]
}

/** What is settled of one thread's ids, and the lines of the others. */
export interface SettledPart {
  readonly counts: SettledCounts
  readonly lineIds: Uint32Array
}

type Answer =
  | { readonly kind: 'stretch'; readonly report: StretchReport }
  | { readonly kind: 'surveyed' }
  | { readonly kind: 'settled'; readonly settled: SettledPart }
  | { readonly kind: 'failed'; readonly is: 'table full' | 'unreadable' | 'other'; readonly error: unknown }

/** What runs in another thread: its part of the survey, and when it is asked, what of it is settled. */
export async function surveyInThread(start: ThreadStart, control: MessagePort): Promise<void> {
  const tell = (answer: Answer) => control.postMessage(answer)
  const part = new SurveyPart(start.task, start.thread, start.claims, start.ports)
  control.on('message', ({ last }: { last: number }) => {
    const lineIds = new NumberList()
    const counts = part.settle(last, (id) => lineIds.push(id))
    tell({ kind: 'settled', settled: { counts, lineIds: lineIds.toArray() } })
  })
  try {
    for await (const report of part.survey()) tell({ kind: 'stretch', report })
    tell({ kind: 'surveyed' })
  } catch (error) {
    const is = error instanceof IdTableFullError ? 'table full' : error instanceof LogFileError ? 'unreadable' : 'other'
    tell({ kind: 'failed', is, error })
  }
}

/** The error of another thread, of which only the message comes over. */
function failureOf({ is, error }: Answer & { kind: 'failed' }): unknown {
  if (is === 'other' || !(error instanceof Error)) return error
  return is === 'table full' ? new IdTableFullError(error.message) : new LogFileError(error.message, { cause: error })
}

/** The threads of one round, of which this one is the first. */
export class SurveyTeam {
  /** This thread's own. */
  readonly part: SurveyPart
  readonly #workers: readonly Worker[]
  readonly #reports: StretchReport[] = []
  readonly #settled: SettledPart[] = []
  #surveyed = 0
  #failure: { readonly reason: unknown } | undefined
  #tellNews: () => void = () => {}

  constructor(task: SurveyTask, threads: SurveyThreads | undefined) {
    const claims = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
    const ports = connect(task.threads)
    this.part = new SurveyPart(task, 0, claims, ports[0] ?? [])
    this.#workers = ports.slice(1).flatMap((own, i) => {
      const start = { task, thread: i + 1, claims, ports: own }
      return threads
        ? [
            this.#listenTo(
              threads.start(
                start,
                own.filter((port) => port !== undefined),
              ),
            ),
          ]
        : []
    })
  }

  /** What the other threads have told since this was asked last. Throws what one of them failed with. */
  takeReports(): StretchReport[] {
    if (this.#failure) throw this.#failure.reason
    return this.#reports.splice(0)
  }

  /** Waits until the other threads have told of all their stretches. Throws what one of them failed with. */
  async surveyed(): Promise<void> {
    await this.#until(() => this.#surveyed === this.#workers.length)
  }

  /** What is settled in the other threads, once all of them have surveyed. Throws what one of them failed with. */
  async settle(last: number): Promise<readonly SettledPart[]> {
    for (const worker of this.#workers) worker.postMessage({ last })
    await this.#until(() => this.#settled.length === this.#workers.length)
    return this.#settled
  }

  /** Ends the other threads, also in the middle of their work. */
  async close(): Promise<void> {
    this.part.close()
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }

  #listenTo(worker: Worker): Worker {
    worker.on('message', (answer: Answer) => this.#hear(answer))
    worker.on('error', (error) => this.#fail(error))
    worker.on('exit', () => this.#fail(new Error('A thread that reads logs ended before its work was done')))
    return worker
  }

  #hear(answer: Answer): void {
    if (answer.kind === 'stretch') this.#reports.push(answer.report)
    else if (answer.kind === 'surveyed') this.#surveyed += 1
    else if (answer.kind === 'settled') this.#settled.push(answer.settled)
    else this.#fail(failureOf(answer))
    this.#tellNews()
  }

  #fail(reason: unknown): void {
    this.#failure ??= { reason }
    this.part.fail(reason)
    this.#tellNews()
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!this.#failure && !isSo()) {
      await new Promise<void>((resolve) => {
        this.#tellNews = resolve
      })
    }
    if (this.#failure) throw this.#failure.reason
  }
}

/** A way between each two of so many threads: by thread its ends, by the thread at the other end. */
function connect(threads: number): (MessagePort | undefined)[][] {
  const ports = Array.from({ length: threads }, () => new Array<MessagePort | undefined>(threads).fill(undefined))
  for (const [a, ends] of ports.entries()) {
    for (let b = a + 1; b < threads; b += 1) {
      const { port1, port2 } = new MessageChannel()
      ends[b] = port1
      const others = ports[b]
      if (others) others[a] = port2
    }
  }
  return ports
}
