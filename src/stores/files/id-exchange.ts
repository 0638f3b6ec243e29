// Ids on the way from the lines that name them to the threads that keep them: each id has one thread, told by its hash, so that no table is
// ever shared. A thread keeps its own ids at once and sends the others by the batch; it takes what others send between two stretches.
import type { MessagePort } from 'node:worker_threads'
import { hashOf, IdBatch, type Ids, shareOf } from './id-batch.js'
import { type IdTable, IdTableFullError } from './id-table.js'
import type { IdSink } from './stretch.js'

const BATCH_IDS = 1024
/** So many batches may wait for another thread; then this one waits too. */
const WAITING_MAX = 64
/** Lines are kept as numbers of 32 bits. */
const LINES_MAX = 2 ** 32 - 1

type Message = { readonly kind: 'ids'; readonly ids: Ids } | { readonly kind: 'taken' } | { readonly kind: 'end' }

/** Which ids are kept here and which by whom. */
export interface Sharing {
  /** Of the threads, this one. */
  readonly thread: number
  readonly threads: number
  /** Where memory is too small for all ids, each round has its part of them. */
  readonly round: number
  readonly rounds: number
  /** Of the hashes: in all threads the same. */
  readonly seed: number
}

/** Another thread. */
interface Peer {
  readonly port: MessagePort
  /** Batches that it has not taken yet, the oldest first. */
  readonly sent: IdBatch[]
}

export class IdExchange implements IdSink {
  readonly #table: IdTable
  readonly #sharing: Sharing
  /** By thread; none at this thread's own place. */
  readonly #peers: readonly (Peer | undefined)[]
  readonly #batches: IdBatch[]
  readonly #free: IdBatch[] = []
  #linesBefore = 0
  #ended = 0
  #failure: { readonly reason: unknown } | undefined
  #tellNews: () => void = () => {}

  /** `ports`: one to each other thread, by its number. */
  constructor(table: IdTable, sharing: Sharing, ports: readonly (MessagePort | undefined)[]) {
    this.#table = table
    this.#sharing = sharing
    this.#peers = ports.map((port) => port && { port, sent: [] })
    this.#batches = Array.from({ length: sharing.threads }, () => new IdBatch(BATCH_IDS))
    for (const peer of this.#others()) peer.port.on('message', (message: Message) => this.#hear(message, peer))
  }

  /** How many lines this thread has looked at in stretches before this one. */
  get linesBefore(): number {
    return this.#linesBefore
  }

  take(view: DataView, start: number, end: number, marks: number, line: number): void {
    const { thread, threads, round, rounds, seed } = this.#sharing
    const hash = hashOf(view, start, end, seed)
    const to = shareOf(hash, threads * rounds) - threads * round
    if (to < 0 || to >= threads) return
    const batch = this.#batches[to] as IdBatch
    batch.add(view, start, end, hash, marks, lineId(this.#linesBefore + line, thread, threads))
    if (batch.isFull) this.#pass(to)
  }

  /** Ends a stretch of so many lines. Waits where others have fallen behind. Throws what `fail` was told, and IdTableFullError. */
  async endStretch(lines: number): Promise<void> {
    this.#linesBefore += lines
    if ((this.#linesBefore + 1) * this.#sharing.threads > LINES_MAX) throw new IdTableFullError('Too many lines')
    await this.#until(() => this.#others().every(({ sent }) => sent.length < WAITING_MAX))
  }

  /** Waits until all ids of all threads are where they are kept. Throws as `endStretch` does. */
  async end(): Promise<void> {
    for (const to of this.#batches.keys()) this.#pass(to)
    const others = this.#others()
    for (const { port } of others) port.postMessage({ kind: 'end' } satisfies Message)
    await this.#until(() => this.#ended === others.length)
  }

  /** Ends all waiting, for a reason. */
  fail(reason: unknown): void {
    this.#failure ??= { reason }
    this.#tellNews()
  }

  close(): void {
    for (const { port } of this.#others()) port.close()
  }

  #others(): Peer[] {
    return this.#peers.filter((peer) => peer !== undefined)
  }

  /** Passes a batch on to the thread whose ids it holds. */
  #pass(to: number): void {
    const batch = this.#batches[to] as IdBatch
    const peer = this.#peers[to]
    if (!peer) {
      this.#table.take(batch)
      batch.clear()
      return
    }
    peer.port.postMessage({ kind: 'ids', ids: batch.toMessage() } satisfies Message)
    peer.sent.push(batch)
    this.#batches[to] = this.#free.pop() ?? new IdBatch(BATCH_IDS)
  }

  #hear(message: Message, peer: Peer): void {
    if (message.kind === 'ids') {
      try {
        this.#table.take(message.ids)
      } catch (error) {
        this.fail(error)
      }
      peer.port.postMessage({ kind: 'taken' } satisfies Message)
      return
    }
    if (message.kind === 'end') this.#ended += 1
    else this.#reuse(peer.sent.shift())
    this.#tellNews()
  }

  #reuse(batch: IdBatch | undefined): void {
    if (!batch) return
    batch.clear()
    this.#free.push(batch)
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

/** A line's number among those of all threads, from its number among those of its own. Both count from 1. */
export function lineId(line: number, thread: number, threads: number): number {
  return (line - 1) * threads + thread + 1
}

/** The thread whose line it is, and the line's number there. */
export function lineOfId(id: number, threads: number): { readonly thread: number; readonly line: number } {
  const thread = (id - 1) % threads
  return { thread, line: (id - 1 - thread) / threads + 1 }
}
