// How long a watch has not known the end of what it follows. What is unread is not missing: beyond a bound that is an alarm of its own.
import type { OwnCondition } from './own-alerts.js'
import { isLagging, type WatchState } from './watch-state.js'

export class Lag {
  readonly #clock: () => number
  readonly #alarmMs: number
  #state: WatchState = 'starting'
  /** Undefined while the end is known. */
  #since: number | undefined

  /** `clock` in milliseconds since the Unix epoch; a lag of `alarmMs` is an alarm. */
  constructor(clock: () => number, alarmMs: number) {
    this.#clock = clock
    this.#alarmMs = alarmMs
    this.#since = clock()
  }

  /** The watch has come to another state. */
  enter(state: WatchState): void {
    this.#state = state
    if (!isLagging(state)) this.#since = undefined
    else this.#since ??= this.#clock()
  }

  get ms(): number {
    return this.#since === undefined ? 0 : this.#clock() - this.#since
  }

  /** When the lag that goes on becomes an alarm; undefined where there is none, or it is one already. */
  alarmAt(now: number): number | undefined {
    if (this.#since === undefined || this.#since + this.#alarmMs <= now) return undefined
    return this.#since + this.#alarmMs
  }

  /** The alarm, where there is one at `now`; `others`: since when what the watch rests on has lagged, by its name. */
  condition(now: number, others: Readonly<Record<string, number | undefined>>): OwnCondition | undefined {
    const lags = Object.entries({ watch: this.#since, ...others })
    const [behind, since] = lags.find(([, one]) => one !== undefined && now - one >= this.#alarmMs) ?? []
    if (behind === undefined || since === undefined) return undefined
    const page = behind === 'consumer' ? 'the consumer that delivers lags' : 'the watch lags'
    return { since, page, detail: { state: this.#state, behind } }
  }
}
