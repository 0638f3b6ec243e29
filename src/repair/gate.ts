// The gate: what bounds a campaign. Every item passes it before anything is asked or written; once it is shut it stays shut.
import type { ItemOutcome } from './item-outcome.js'
import type { PlanItem } from './plan.js'

export interface Limits {
  /** The first items are settled one by one; unless each is good, the campaign stops. */
  readonly canary?: number
  /** At most this many items are taken in one run. */
  readonly max?: number
  /** At most this much money a currency, in minor units, in one run. */
  readonly maxValue?: Readonly<Record<string, number>>
  /** The run stops once this many items were refused, unknown or in conflict. */
  readonly errorBudget?: number
  /** Asked before each item; a text is the reason not to go on (a freeze window, a kill switch). */
  readonly isFrozen?: () => string | undefined
}

/** Counts what passes and says when to stop. */
export class Gate {
  #taken = 0
  #errors = 0
  readonly #value = new Map<string, number>()
  #shut: string | undefined

  constructor(readonly limits: Limits) {}

  /** Why nothing passes any more; undefined while open. */
  get shut(): string | undefined {
    return this.#shut
  }

  /** Whether an item may be begun; if so it is counted. */
  admit(item: PlanItem): boolean {
    this.#shut ??= this.#reasonAgainst(item)
    if (this.#shut !== undefined) return false
    this.#taken += 1
    const { value } = item.intent
    if (value) this.#value.set(value.currency, this.#valueWith(value))
    return true
  }

  /** Counts an outcome against the budget. */
  note({ kind, item }: ItemOutcome, isCanary: boolean): void {
    if (kind === 'refused' || kind === 'unknown' || kind === 'conflict') this.#errors += 1
    const { errorBudget } = this.limits
    if (errorBudget !== undefined && this.#errors >= errorBudget)
      this.close(`error budget: ${this.#errors} items failed`)
    if (isCanary && kind !== 'applied' && kind !== 'already-good') this.close(`canary: ${item.subject} ended ${kind}`)
  }

  /** Shuts the gate for another reason. */
  close(why: string): void {
    this.#shut ??= why
  }

  #reasonAgainst({ intent: { value } }: PlanItem): string | undefined {
    const { max, maxValue, isFrozen } = this.limits
    if (max !== undefined && this.#taken >= max) return `limit: ${max} items in one run`
    const most = value && maxValue?.[value.currency]
    if (value && most !== undefined && this.#valueWith(value) > most)
      return `limit: ${most} ${value.currency} in one run`
    return isFrozen?.()
  }

  #valueWith({ currency, amountMinor }: { currency: string; amountMinor: number }): number {
    return (this.#value.get(currency) ?? 0) + amountMinor
  }
}
