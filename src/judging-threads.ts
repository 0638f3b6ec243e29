// Composition: threads that judge parts of a log. A part's bytes are shared with them, or copied where they come from scratch space; what was
// found comes back.
import { Worker } from 'node:worker_threads'
import type { JudgePartOptions, PartResult } from './engine/judge-part.js'
import type { PartJudges } from './engine/part-judges.js'
import type { Part } from './engine/partitioned-log.js'
import type { Projection } from './engine/projection.js'
import type { Answer, Question } from './judging-thread.js'
import { sourceOf } from './load-projection.js'

/** Starts threads that judge by a projection; undefined where it cannot be loaded in another thread, being made by a program. */
export function openJudgingThreads(projection: Projection, threads: number): PartJudges | undefined {
  const source = sourceOf(projection)
  if (source === undefined || threads < 1) return undefined
  const pool = Array.from({ length: threads }, () => new JudgingThread(source))
  return {
    threads,
    judge: (part, options) => leastBusy(pool).judge(part, options),
    close: async () => void (await Promise.all(pool.map((thread) => thread.close()))),
  }
}

function leastBusy(pool: readonly JudgingThread[]): JudgingThread {
  return pool.reduce((least, thread) => (thread.waiting < least.waiting ? thread : least))
}

/** What a thread judges is garbage at once: with three times as much room for it a replay is no faster, and takes 30 MB more a thread. */
const YOUNG_MB_MAX = 16

interface Waiting {
  readonly resolve: (result: PartResult) => void
  readonly reject: (reason: unknown) => void
}

/** One thread, which answers in the order in which it is asked. */
class JudgingThread {
  readonly #worker: Worker
  readonly #waiting: Waiting[] = []
  #ended: unknown

  constructor(projection: string) {
    this.#worker = new Worker(new URL('./judging-thread.js', import.meta.url), {
      workerData: projection,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB_MAX },
    })
    this.#worker.on('message', (answer: Answer) => {
      const waiting = this.#waiting.shift()
      if (answer.kind === 'judged') waiting?.resolve(answer.result)
      else waiting?.reject(answer.error)
    })
    this.#worker.on('error', (error) => this.#end(error))
    this.#worker.on('exit', () => this.#end(new Error('A thread that judges ended before its work was done')))
    // Never what keeps the process from ending.
    this.#worker.unref()
  }

  get waiting(): number {
    return this.#waiting.length
  }

  judge({ blocks }: Part, options: JudgePartOptions): Promise<PartResult> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#worker.ref()
      const question: Question = { part: { blocks: blocks.map(({ bytes, used }) => ({ bytes, used })) }, options }
      this.#worker.postMessage(question)
    })
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #end(reason: unknown): void {
    this.#ended ??= reason
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended)
  }
}
