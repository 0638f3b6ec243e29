// Repairing live: findings that the policy names and that were told of are planned, approved by the policy and applied, through the same protocol
// as `apply`, beside the reading and never in its way.
import { isRepairable } from '../engine/finding.js'
import type { Projection } from '../engine/projection.js'
import type { EventStore } from '../log/event-store.js'
import { StoreUnavailableError } from '../log/store-errors.js'
import type { OwnCondition } from './own-alerts.js'
import { pauseUnless } from './pause.js'
import { RepairLedger } from './repair-ledger.js'
import type { RepairPolicy, Value } from './repair-policy.js'
import type { Session } from './session.js'
import { isCurrent } from './watch-state.js'

/** What one round came to. */
export interface RepairReport {
  /** How many items ended how. */
  readonly outcomes: Readonly<Record<string, number>>
  /** Why it ended before the last item; undefined where it did not. */
  readonly stopped?: string
}

/**
 * PORT: plans the repair of some subjects as they stand now, takes of it what `reserve` allows (of the items' values, in order, the first so many),
 * and applies that. Throws what the store throws.
 */
export type Repair = (
  subjects: readonly string[],
  reserve: (values: readonly (Value | undefined)[]) => Promise<number>,
  signal: AbortSignal,
) => Promise<RepairReport>

export interface AutoRepairOptions {
  readonly store: EventStore
  /** The name of the watch. */
  readonly name: string
  readonly projection: Projection
  readonly policy: RepairPolicy
  readonly repair: Repair
  /** The session that runs; undefined while the watch stands by. */
  readonly session: () => Session | undefined
  /** Why nothing may be repaired now (a freeze window, a kill switch); undefined where it may. */
  readonly frozen: () => string | undefined
  /** Milliseconds since the Unix epoch: the hours of the limits are its hours. */
  readonly clock: () => number
  readonly newId: () => string
  readonly everyMs: number
  readonly onReport: (report: RepairReport) => void
  readonly onTrouble: (error: Error) => void
}

/** Subjects of one round. */
const SUBJECTS_MAX = 50
const HOUR_MS = 3_600_000
/** Outcomes that count against the error budget, as in a campaign. */
const FAILURES = ['refused', 'unknown', 'conflict']
/** Where this hour has no room, it looks again after so long. */
const NO_ROOM_MS = 60_000
/** A subject is tried again after so long at the earliest: whoever was in the way may be gone by then. */
const TRY_AGAIN_MS = 15 * 60_000

export class AutoRepair {
  readonly #options: AutoRepairOptions
  readonly #triedAt = new Map<string, number>()
  #ledger: RepairLedger | undefined
  #restUntil = Number.NEGATIVE_INFINITY
  #failures: { readonly at: number; readonly count: number }[] = []
  #stopped: OwnCondition | undefined

  constructor(options: AutoRepairOptions) {
    this.#options = options
  }

  /** Why it repairs no more until it is started again; undefined while it does. */
  get stopped(): OwnCondition | undefined {
    return this.#stopped
  }

  /** Repairs until the signal is aborted; what is in flight then is finished. */
  async run(signal: AbortSignal): Promise<void> {
    const { everyMs, onTrouble } = this.#options
    while (!signal.aborted && !this.#stopped) {
      try {
        await this.#round(signal)
      } catch (error) {
        const failure = error instanceof Error ? error : new Error(String(error))
        onTrouble(failure)
        this.#ledger = undefined
        if (!(failure instanceof StoreUnavailableError)) this.#stop(failure.message)
      }
      await pauseUnless(signal, everyMs)
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { store, name, policy, repair, frozen, clock, newId, onReport } = this.#options
    if (frozen() !== undefined || clock() < this.#restUntil) return
    const subjects = this.#candidates()
    if (subjects.length === 0) return
    const ledger = this.#ledger ?? (await RepairLedger.open(store, name, clock()))
    this.#ledger = ledger
    let hasRoom = true
    const reserve = async (values: readonly (Value | undefined)[]) => {
      const count = await ledger.reserve(values, policy, { now: clock(), newId })
      hasRoom = count === values.length
      return count
    }
    const report = await repair(subjects, reserve, signal)
    if (!hasRoom) this.#restUntil = clock() + NO_ROOM_MS
    for (const subject of subjects) if (hasRoom) this.#triedAt.set(subject, clock())
    onReport(report)
    if (report.stopped !== undefined && frozen() === undefined && !signal.aborted) this.#stop(report.stopped)
    this.#countFailures(report)
  }

  /** A few failures in each round are as many as one round could have. */
  #countFailures({ outcomes }: RepairReport): void {
    const { policy, clock } = this.#options
    const count = FAILURES.reduce((sum, outcome) => sum + (outcomes[outcome] ?? 0), 0)
    this.#failures = [...this.#failures, { at: clock(), count }].filter(({ at }) => at > clock() - HOUR_MS)
    const inHour = this.#failures.reduce((sum, round) => sum + round.count, 0)
    if (inHour >= policy.errorBudget) this.#stop(`error budget: ${inHour} items failed within an hour`)
  }

  /** Subjects with a finding that the policy names, that nothing on them holds, and that was told of. */
  #candidates(): string[] {
    const { session: current, policy } = this.#options
    const session = current()
    if (!session || !isCurrent(session.state) || this.#isHalted(session)) return []
    const now = this.#options.clock()
    for (const [subject, at] of this.#triedAt) if (at + TRY_AGAIN_MS <= now) this.#triedAt.delete(subject)
    const subjects: string[] = []
    for (const [subject, found] of session.detection.found) {
      const told = new Set(session.alerts.alertsOf(subject).map(({ id }) => id))
      const isDue = found.some(
        ({ finding }) => isRepairable(finding) && policy.rules.includes(finding.rule) && told.has(finding.id),
      )
      if (isDue && (this.#triedAt.get(subject) ?? Number.NEGATIVE_INFINITY) + TRY_AGAIN_MS <= now)
        subjects.push(subject)
      if (subjects.length >= SUBJECTS_MAX) break
    }
    return subjects
  }

  /** A repair met a live ticket somewhere: nothing more is repaired until a person has settled it. */
  #isHalted(session: Session): boolean {
    const halting = new Set(
      this.#options.projection.rules.flatMap(({ id, stopsCampaign }) => (stopsCampaign ? [id] : [])),
    )
    for (const { rule } of session.alerts.all()) if (halting.has(rule)) return true
    return false
  }

  #stop(why: string): void {
    this.#stopped ??= { since: this.#options.clock(), page: 'repairing has stopped', detail: { why } }
  }
}
