// Outages: when one thing breaks, a thousand bookings show it. Once more than so many findings of a rule were opened in so many minutes, one
// alert speaks for all of them, with its window and its first and last subject. When nothing more comes it takes no more in, and it is
// open as long as any of its findings is.
import { z } from 'zod'

export interface OutagePolicy {
  /** More than this many findings of one rule in the window are an outage. */
  readonly findingsMax: number
  readonly windowMs: number
}

/** A finding for which an alert is about to be opened. */
export interface Opening {
  readonly rule: string
  readonly subject: string
  /** Since when it is so, in milliseconds since the Unix epoch: the domain's own time, else when it was found. */
  readonly since: number
}

const edge = z.object({ subject: z.string(), since: z.number() })

/** What an outage alert tells. Times in milliseconds since the Unix epoch. */
const outageDetail = z.object({
  of: z.string(),
  count: z.int(),
  /** The earliest and the latest of its findings. */
  first: edge,
  last: edge,
  /** When the last finding was opened. */
  lastOpenedAt: z.number(),
})
export type OutageDetail = z.infer<typeof outageDetail>

export interface Outage {
  readonly id: string
  readonly detail: OutageDetail
}

/** Follows the openings of each rule. Pure but for the ids it is given. */
export class Outages {
  readonly #policy: OutagePolicy
  readonly #newId: () => string
  readonly #recent = new Map<string, { readonly opening: Opening; readonly at: number }[]>()
  readonly #open = new Map<string, Outage>()

  constructor(policy: OutagePolicy, newId: () => string) {
    this.#policy = policy
    this.#newId = newId
  }

  /** Goes on with an outage that was told of before; what is no outage's detail is passed over. */
  restore(id: string, detail: unknown): void {
    const parsed = outageDetail.safeParse(detail)
    if (parsed.success) this.#open.set(id, { id, detail: parsed.data })
  }

  /** Takes in findings that are opened at `now`; gives the outages that they begin. */
  note(openings: readonly Opening[], now: number): Outage[] {
    const begun: string[] = []
    for (const opening of openings) {
      const outage = this.of(opening.rule, now)
      if (outage) this.#open.set(outage.id, { ...outage, detail: withOpening(outage.detail, opening, now) })
      else if (this.#isTooMany(opening, now)) begun.push(this.#begin(opening.rule).id)
    }
    // As they stand after all of them.
    return begun.flatMap((id) => this.#open.get(id) ?? [])
  }

  /** The outage that speaks for findings of a rule that are opened at `now`. */
  of(rule: string, now: number): Outage | undefined {
    return [...this.#open.values()].find(({ detail }) => detail.of === rule && now < this.#endOf(detail))
  }

  get(id: string): Outage | undefined {
    return this.#open.get(id)
  }

  /** The outages that take no more in by `now` and of whose findings none is open; they are forgotten. */
  takeEnded(now: number, hasOpenFindings: (id: string) => boolean): Outage[] {
    const ended = [...this.#open.values()].filter(
      ({ id, detail }) => this.#endOf(detail) <= now && !hasOpenFindings(id),
    )
    for (const { id } of ended) this.#open.delete(id)
    return ended
  }

  /** When after `now` the first outage takes no more in, if nothing more comes. */
  next(now: number): number | undefined {
    const ends = [...this.#open.values()].map(({ detail }) => this.#endOf(detail)).filter((end) => end > now)
    return ends.length === 0 ? undefined : Math.min(...ends)
  }

  #endOf({ lastOpenedAt }: OutageDetail): number {
    return lastOpenedAt + this.#policy.windowMs
  }

  #isTooMany(opening: Opening, now: number): boolean {
    const { findingsMax, windowMs } = this.#policy
    const recent = (this.#recent.get(opening.rule) ?? []).filter(({ at }) => at > now - windowMs)
    recent.push({ opening, at: now })
    this.#recent.set(opening.rule, recent)
    return recent.length > findingsMax
  }

  #begin(rule: string): Outage {
    const recent = this.#recent.get(rule) ?? []
    this.#recent.delete(rule)
    const detail = recent.reduce<OutageDetail | undefined>(
      (sofar, { opening, at }) => withOpening(sofar, opening, at),
      undefined,
    )
    const outage = { id: this.#newId(), detail: detail as OutageDetail }
    this.#open.set(outage.id, outage)
    return outage
  }
}

function withOpening(sofar: OutageDetail | undefined, { rule, subject, since }: Opening, at: number): OutageDetail {
  const one = { subject, since }
  if (!sofar) return { of: rule, count: 1, first: one, last: one, lastOpenedAt: at }
  return {
    of: rule,
    count: sofar.count + 1,
    first: since < sofar.first.since ? one : sofar.first,
    last: since >= sofar.last.since ? one : sofar.last,
    lastOpenedAt: Math.max(at, sofar.lastOpenedAt),
  }
}
