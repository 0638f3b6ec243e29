// Composition: what runs in a thread of a replay. It is told once what projection and which store it is about, and then what to read and to judge.
import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import { type JudgePartOptions, judgePart, type PartResult } from './engine/judge-part.js'
import type { Part } from './engine/partitioned-log.js'
import { pourRange, type RangeQuestion, type RangeRead } from './engine/pour-range.js'
import type { Block } from './engine/spool.js'
import { loadProjection } from './load-projection.js'
import { openStore } from './open-store.js'

export interface ThreadData {
  /** What `loadProjection` takes. */
  readonly projection: string
  /** What `openStore` takes; undefined: nothing is read here. */
  readonly store: string | undefined
}

export type Question =
  | { readonly kind: 'read'; readonly question: RangeQuestion }
  | { readonly kind: 'judge'; readonly part: Part; readonly options: JudgePartOptions }
  /** A batch of records was taken. */
  | { readonly kind: 'taken' }

export type Message =
  | { readonly kind: 'records'; readonly block: Block }
  | { readonly kind: 'done'; readonly result: PartResult | RangeRead }
  /** `name`: the error's own, which is lost on the way with its class. */
  | { readonly kind: 'failed'; readonly error: unknown; readonly name: string | undefined }

/** Batches that may be on their way: enough that neither side waits for a message, and little memory. */
const UNDER_WAY_MAX = 8

const data = workerData as ThreadData
const projection = loadProjection(data.projection)
let underWay = 0

parentPort?.on('message', async (question: Question) => {
  if (question.kind === 'taken') underWay -= 1
  else post(await answerTo(question))
})

async function answerTo(question: Exclude<Question, { kind: 'taken' }>): Promise<Message> {
  try {
    const result =
      question.kind === 'judge'
        ? await judgePart(question.part, await projection, question.options)
        : await read(question.question)
    return { kind: 'done', result }
  } catch (error) {
    return { kind: 'failed', error, name: error instanceof Error ? error.name : undefined }
  }
}

async function read(question: RangeQuestion): Promise<RangeRead> {
  if (data.store === undefined) throw new Error('a thread without a store reads nothing')
  const store = await openStore(data.store, 'read')
  try {
    return await pourRange(store, await projection, question, send)
  } finally {
    await store.close()
  }
}

async function send({ bytes, used }: Block): Promise<void> {
  while (parentPort && underWay >= UNDER_WAY_MAX) await once(parentPort, 'message')
  underWay += 1
  post({ kind: 'records', block: { bytes, used } }, [bytes.buffer as ArrayBuffer])
}

function post(message: Message, handedOver: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, handedOver)
}
