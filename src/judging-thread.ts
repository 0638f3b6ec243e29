// Composition: what runs in a thread that judges. It is told the projection's name or module once, and then one part after the other.
import { parentPort, workerData } from 'node:worker_threads'
import { type JudgePartOptions, judgePart, type PartResult } from './engine/judge-part.js'
import type { Part } from './engine/partitioned-log.js'
import { loadProjection } from './load-projection.js'

export interface Question {
  readonly part: Part
  readonly options: JudgePartOptions
}

export type Answer =
  | { readonly kind: 'judged'; readonly result: PartResult }
  | { readonly kind: 'failed'; readonly error: unknown }

const projection = loadProjection(workerData as string)

parentPort?.on('message', async ({ part, options }: Question) => {
  parentPort?.postMessage(await answerTo(part, options))
})

async function answerTo(part: Part, options: JudgePartOptions): Promise<Answer> {
  try {
    return { kind: 'judged', result: await judgePart(part, await projection, options) }
  } catch (error) {
    return { kind: 'failed', error }
  }
}
