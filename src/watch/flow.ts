// The flow of a domain: deliveries begin, and deliveries end. Where they only begin, something behind them has stopped, and that shows before
// any single one is overdue.
import type { LiveView } from '../engine/projection.js'
import type { FlowCount } from './checkpoint.js'
import type { OutagePolicy } from './outages.js'
import type { OwnCondition } from './own-alerts.js'

export const NO_FLOW: FlowCount = { count: 0, firstAt: null, first: null, last: null }

/** Counts what began since anything ended. Pure. */
export class Flow {
  readonly #from: ReadonlySet<string>
  readonly #to: ReadonlySet<string>
  readonly #policy: OutagePolicy
  #count: FlowCount

  constructor(flow: LiveView<unknown>['flow'], policy: OutagePolicy, known: FlowCount = NO_FLOW) {
    this.#from = new Set(flow?.from)
    this.#to = new Set(flow?.to)
    this.#policy = policy
    this.#count = known
  }

  /** What has begun since the last end. */
  get count(): FlowCount {
    return this.#count
  }

  /** Whether an event of this type tells of a delivery. */
  isEnd(type: string): boolean {
    return this.#to.has(type)
  }

  /** Takes in an event; `at`: when it came, in milliseconds since the Unix epoch. */
  note({ type, subject, at }: { type: string; subject: string; at: number }): void {
    if (this.#to.has(type)) this.#count = NO_FLOW
    else if (this.#from.has(type)) {
      const { count, firstAt, first } = this.#count
      this.#count = { count: count + 1, firstAt: firstAt ?? at, first: first ?? subject, last: subject }
    }
  }

  /** What is wrong where too much has begun, for too long, and nothing ended. */
  stopped(now: number): OwnCondition | undefined {
    const due = this.next()
    if (due === undefined || due > now) return undefined
    const { count, firstAt, first, last } = this.#count
    const page = 'deliveries begin and none ends'
    return { since: firstAt ?? now, page, detail: { count, first: { subject: first }, last: { subject: last } } }
  }

  /** When it counts as stopped if nothing ends by then. */
  next(): number | undefined {
    const { count, firstAt } = this.#count
    return firstAt === null || count <= this.#policy.findingsMax ? undefined : firstAt + this.#policy.windowMs
  }
}
