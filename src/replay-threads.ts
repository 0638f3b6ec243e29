// Composition: threads of a replay. A range's records are handed over to this one; a part's bytes are shared with them, or handed over where they come
// from scratch space; what was found comes back.
import { Worker } from 'node:worker_threads'
import type { JudgePartOptions, PartResult } from './engine/judge-part.js'
import type { Part } from './engine/partitioned-log.js'
import type { RangeQuestion, RangeRead } from './engine/pour-range.js'
import type { ReplayThreads, ThreadSource } from './engine/replay-threads.js'
import type { Block } from './engine/spool.js'
import { sourceOf } from './load-projection.js'
import { StoreCorruptError, StoreUnavailableError } from './log/store-errors.js'
import { addressOf } from './open-store.js'
import type { Message, Question, ThreadData } from './replay-thread.js'

/** Threads that may be started; none where the projection cannot be loaded in another one, being made by a program. */
export function replayThreads(count: number): ThreadSource {
  return {
    count,
    open: (projection, reader) => {
      const source = sourceOf(projection)
      if (source === undefined || count < 1) return undefined
      return openThreads({ projection: source, store: addressOf(reader) }, count)
    },
  }
}

function openThreads(data: ThreadData, count: number): ReplayThreads {
  const pool = Array.from({ length: count }, () => new ReplayThread(data))
  return {
    count,
    ...(data.store !== undefined && {
      readRange: (question, onRecords) => leastBusy(pool).readRange(question, onRecords),
    }),
    judge: (part, options) => leastBusy(pool).judge(part, options),
    close: async () => void (await Promise.all(pool.map((thread) => thread.close()))),
  }
}

function leastBusy(pool: readonly ReplayThread[]): ReplayThread {
  return pool.reduce((least, thread) => (thread.waiting < least.waiting ? thread : least))
}

/** What a thread judges is garbage at once: with three times as much room for it a replay is no faster, and takes 30 MB more a thread. */
const YOUNG_MB_MAX = 16

/** What the store says in a thread is of the class that it is of here. */
const STORE_ERRORS: Readonly<Record<string, new (message: string, options?: ErrorOptions) => Error>> = {
  StoreCorruptError,
  StoreUnavailableError,
}

function errorOf({ error, name = '' }: Extract<Message, { kind: 'failed' }>): unknown {
  const StoreError = STORE_ERRORS[name]
  return StoreError && error instanceof Error ? new StoreError(error.message, { cause: error }) : error
}

/** Somebody who asked. */
interface Waiting {
  readonly onRecords?: (block: Block) => void
  readonly resolve: (result: never) => void
  readonly reject: (reason: unknown) => void
}

/** What was made for a part alone, and is not shared. */
function handedOver(blocks: readonly Block[]): ArrayBuffer[] {
  const isAlone = ({ bytes }: Block) => bytes.length === bytes.buffer.byteLength
  return blocks.filter(isAlone).flatMap(({ bytes: { buffer } }) => (buffer instanceof ArrayBuffer ? [buffer] : []))
}

/** One thread, which answers in the order in which it is asked. */
class ReplayThread {
  readonly #worker: Worker
  readonly #waiting: Waiting[] = []
  #ended: unknown

  constructor(workerData: ThreadData) {
    this.#worker = new Worker(new URL('./replay-thread.js', import.meta.url), {
      workerData,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB_MAX },
    })
    this.#worker.on('message', (message: Message) => this.#take(message))
    this.#worker.on('error', (error) => this.#end(error))
    this.#worker.on('exit', () => this.#end(new Error('A thread of the replay ended before its work was done')))
    // Never what keeps the process from ending.
    this.#worker.unref()
  }

  get waiting(): number {
    return this.#waiting.length
  }

  readRange(question: RangeQuestion, onRecords: (block: Block) => void): Promise<RangeRead> {
    return this.#ask({ kind: 'read', question }, onRecords)
  }

  judge({ blocks }: Part, options: JudgePartOptions): Promise<PartResult> {
    const part = { blocks: blocks.map(({ bytes, used }) => ({ bytes, used })) }
    return this.#ask({ kind: 'judge', part, options }, undefined, handedOver(blocks))
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #ask<Result>(
    question: Question,
    onRecords?: (block: Block) => void,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<Result> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.push({ resolve, reject, ...(onRecords && { onRecords }) })
      this.#worker.ref()
      this.#worker.postMessage(question, transfer)
    })
  }

  #take(message: Message): void {
    if (message.kind === 'records') this.#takeRecords(message.block)
    else if (message.kind === 'done') this.#waiting.shift()?.resolve(message.result as never)
    else this.#waiting.shift()?.reject(errorOf(message))
  }

  #takeRecords(block: Block): void {
    const [waiting] = this.#waiting
    try {
      waiting?.onRecords?.(block)
      const taken: Question = { kind: 'taken' }
      this.#worker.postMessage(taken)
    } catch (error) {
      // Nobody asks it for the next batch: it waits until it is closed.
      waiting?.reject(error)
    }
  }

  #end(reason: unknown): void {
    this.#ended ??= reason
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended)
  }
}
