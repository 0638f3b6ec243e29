// A histogram of turns: how many findings came and went in each stretch of time, how many were open at its end, and the window in which most of
// them came.
import type { Turn } from './turns.js'

/** Times in milliseconds since the Unix epoch; `from` belongs to the bucket, `to` to the next. */
export interface Bucket {
  readonly from: number
  readonly to: number
  readonly came: number
  readonly went: number
  /** At the end of it. */
  readonly open: number
}

/** The neighbouring buckets around the fullest one that have at least a tenth of its findings: from the first to the last finding that came in them. */
export interface Window {
  readonly from: number
  readonly to: number
  readonly came: number
}

export interface Histogram {
  readonly bucketMs: number
  readonly buckets: readonly Bucket[]
  /** Undefined where nothing came. */
  readonly window: Window | undefined
}

const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000] as const
const WIDTHS = [
  ...[1, 5, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 7, 30, 90, 365].map((count) => count * DAY),
]
/** So many lines a person takes in at once. */
const BUCKETS_WANTED_MAX = 48
export const BUCKETS_MAX = 10_000

/** A width of buckets that gives more of them than can be told. */
export class TooManyBucketsError extends Error {
  override readonly name = 'TooManyBucketsError'
  constructor(readonly count: number) {
    super(`that would be ${count.toLocaleString('en')} buckets; at most ${BUCKETS_MAX.toLocaleString('en')} are told`)
  }
}

/** The histogram of turns, which are in the order of time. Buckets begin at multiples of their width. Throws TooManyBucketsError. */
export function histogramOf(turns: readonly Turn[], bucketMs: number = widthFor(turns)): Histogram {
  const [first] = turns
  const last = turns.at(-1)
  if (!first || !last) return { bucketMs, buckets: [], window: undefined }
  const start = Math.floor(first.at / bucketMs)
  const count = Math.floor(last.at / bucketMs) - start + 1
  if (count > BUCKETS_MAX) throw new TooManyBucketsError(count)
  const counts = Array.from({ length: count }, () => ({ came: 0, went: 0 }))
  for (const { kind, at } of turns) (counts[Math.floor(at / bucketMs) - start] as (typeof counts)[number])[kind] += 1
  let open = 0
  const buckets = counts.map(({ came, went }, index) => {
    open += came - went
    const from = (start + index) * bucketMs
    return { from, to: from + bucketMs, came, went, open }
  })
  return { bucketMs, buckets, window: windowOf(turns, buckets) }
}

function widthFor(turns: readonly Turn[]): number {
  const span = (turns.at(-1)?.at ?? 0) - (turns[0]?.at ?? 0)
  return WIDTHS.find((width) => span / width < BUCKETS_WANTED_MAX - 1) ?? Math.ceil(span / BUCKETS_WANTED_MAX)
}

function windowOf(turns: readonly Turn[], buckets: readonly Bucket[]): Window | undefined {
  const most = Math.max(...buckets.map(({ came }) => came))
  if (most === 0) return undefined
  const isFull = (index: number) => (buckets[index]?.came ?? 0) * 10 >= most
  let [first, last] = [0, 0].map(() => buckets.findIndex(({ came }) => came === most)) as [number, number]
  while (first > 0 && isFull(first - 1)) first -= 1
  while (last < buckets.length - 1 && isFull(last + 1)) last += 1
  const [from, to] = [buckets[first]?.from ?? 0, buckets[last]?.to ?? 0]
  const within = turns.filter(({ kind, at }) => kind === 'came' && at >= from && at < to)
  return { from: within[0]?.at ?? from, to: within.at(-1)?.at ?? to, came: within.length }
}
