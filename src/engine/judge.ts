// Judging all subjects of a replay: their own findings, those of keys they share with others, and what would make them good. The log comes in
// parts, and so does the judging, in this thread or in others: memory holds the parts being judged and the results.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { groupSharedUses, type SharedUses, sharedUsesOf } from './detect.js'
import { addCounts, Fold, type FoldCounts } from './fold.js'
import { foldPart } from './fold-part.js'
import { hashOf } from './hash.js'
import { judgePart, judgeSharing, type PartQuestion, type PartResult, type SubjectResult } from './judge-part.js'
import { KeyUses } from './key-uses.js'
import type { Part, PartitionedLog } from './partitioned-log.js'
import type { Projection } from './projection.js'
import type { ReplayThreads } from './replay-threads.js'
import { SortedResults } from './sorted-results.js'

export interface JudgeOptions extends PartQuestion {
  /** Told now and then what share of the subjects has been judged, 0 to 1. */
  readonly onPart?: (share: number) => void
  /** Others that judge at the same time. Lookups are asked from this thread alone: with them it judges alone. */
  readonly others?: ReplayThreads
}

/** All that was found, and what was counted on the way. */
export interface Judgement {
  /** Of subjects with findings, by subject. */
  readonly results: SortedResults
  readonly subjects: number
  readonly counts: FoldCounts
}

/** Of the memory limit, what results may take; with the garbage between them it is twice as much. */
const RESULTS_SHARE = 1 / 8
/** More on the heap takes more time in collections of garbage than scratch space does: 20 million events took twice the time with 2.5 GB. */
const RESULTS_BYTES_MAX = 2 ** 28

/** Judges every subject of a log. Throws ScratchError, and what a lookup throws. */
export async function judge(log: PartitionedLog, projection: Projection, options: JudgeOptions): Promise<Judgement> {
  const keys = new KeyUses(log)
  const counts = { ...log.unownedCounts }
  const results = new SortedResults(log.roomFor(RESULTS_SHARE, RESULTS_BYTES_MAX))
  let subjects = 0
  let parts = 0
  for await (const judged of judgeEach(log.parts(), projection, options)) {
    addCounts(counts, judged.counts)
    subjects += judged.subjects
    for (const result of judged.results) results.add(result)
    keys.note(judged.keyUses)
    parts += 1
    options.onPart?.(parts / log.partCount)
  }
  await judgeShared(log, results, keys, { projection, ...options })
  return { results, subjects, counts }
}

/** So many parts each of the others has before it, so that it is never idle while this thread judges. */
const QUEUED = 2

/** Judges the parts, and gives the results as they come. */
async function* judgeEach(
  parts: Iterable<Part>,
  projection: Projection,
  options: JudgeOptions,
): AsyncIterable<PartResult> {
  const { now, happenedBy, signal } = options
  const others = options.lookUp ? undefined : options.others
  const handedOut = new HandedOut()
  for (const part of parts) {
    if (others && handedOut.size < others.count * QUEUED) {
      handedOut.add(others.judge(part, { now, ...(happenedBy !== undefined && { happenedBy }) }))
    } else {
      yield await judgePart(part, projection, options)
    }
    // So that a signal can come through, and what others have found.
    await nextTurn()
    signal?.throwIfAborted()
    yield* handedOut.take()
  }
  while (handedOut.size > 0) {
    await handedOut.next()
    signal?.throwIfAborted()
    yield* handedOut.take()
  }
}

/** Work of others, and what has come of it. */
class HandedOut {
  readonly #under = new Set<Promise<void>>()
  readonly #done: PartResult[] = []
  #failure: { readonly reason: unknown } | undefined

  get size(): number {
    return this.#under.size
  }

  add(work: Promise<PartResult>): void {
    const settled: Promise<void> = work
      .then(
        (result) => void this.#done.push(result),
        (reason) => {
          this.#failure ??= { reason }
        },
      )
      .finally(() => this.#under.delete(settled))
    this.#under.add(settled)
  }

  /** Waits for the next one. */
  async next(): Promise<void> {
    await Promise.race(this.#under)
  }

  /** What has come since. Throws what went wrong. */
  take(): PartResult[] {
    if (this.#failure) throw this.#failure.reason
    return this.#done.splice(0)
  }
}

/** Judges the subjects that share keys once more, now with what they share. */
async function judgeShared(
  log: PartitionedLog,
  results: SortedResults,
  keys: KeyUses,
  options: JudgeOptions & { projection: Projection },
): Promise<void> {
  const suspects = keys.suspects()
  if (suspects.size === 0) return
  const { projection } = options
  const shared = sharedAmong(suspects, log, options)
  const judged: SubjectResult[] = []
  for (const part of log.parts(new Set([...shared.keys()].map(hashOf)))) {
    for (const result of await judgeSharing(part, shared, projection, options)) judged.push(result)
  }
  results.replace(new Set(shared.keys()), judged)
}

function sharedAmong(
  suspects: ReadonlySet<number>,
  log: PartitionedLog,
  { projection, ...options }: JudgeOptions & { projection: Projection },
): ReadonlyMap<string, readonly SharedUses[]> {
  const uses = []
  for (const part of log.parts(suspects)) {
    for (const folded of foldPart(part, new Fold(projection, options))) uses.push(...sharedUsesOf(folded, projection))
  }
  return groupSharedUses(uses)
}
