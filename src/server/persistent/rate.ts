// How fast something counts: in all its time, and since somebody looked last.

export interface RateReading {
  readonly since: number
  readonly perSecond: number
}

export class Rate {
  readonly #startedMs: number
  #seen = 0

  constructor(nowMs: number) {
    this.#startedMs = nowMs
  }

  /** `total` is what was counted so far. */
  read(total: number, nowMs: number): RateReading {
    const since = total - this.#seen
    this.#seen = total
    const seconds = (nowMs - this.#startedMs) / 1_000
    return { since, perSecond: seconds > 0 ? Math.round(total / seconds) : 0 }
  }
}
