// How long consumers take to answer: the last measurements, and what a real server tells of them where a group keeps extra statistics.
import type { LatencyInfo } from './group-info.js'

const MEASUREMENTS_MAX = 1_000

const PERCENTILES: readonly (readonly [string, number])[] = [
  ['Fastest', 0],
  ['Quintile 1', 20],
  ['Quintile 2', 40],
  ['Quintile 3', 60],
  ['Quintile 4', 80],
  ['Quintile 5', 100],
  ['90%', 90],
  ['95%', 95],
  ['99%', 99],
  ['99.5%', 99.5],
  ['99.9%', 99.9],
  ['Highest', 100],
]

export class Latencies {
  readonly #ms: number[] = []
  #next = 0

  add(ms: number): void {
    this.#ms[this.#next] = ms
    this.#next = (this.#next + 1) % MEASUREMENTS_MAX
  }

  /** Nothing before the first measurement. */
  describe(): LatencyInfo[] {
    const count = this.#ms.length
    if (count === 0) return []
    const sorted = this.#ms.toSorted((a, b) => a - b)
    const at = (percent: number) => sorted[Math.min(count - 1, Math.floor((percent / 100) * count))] ?? 0
    const mean = sorted.reduce((sum, ms) => sum + ms, 0) / count
    const named = PERCENTILES.map(([name, percent]) => ({ name, ms: at(percent) }))
    return [{ name: 'Mean', ms: mean }, { name: 'Median', ms: at(50) }, ...named]
  }
}
