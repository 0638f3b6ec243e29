// Applying a plan: approval, the right store and rules, then item by item behind the gate, each outcome written to the campaign. Stopped
// at any place and run again, it goes on; run again when done, it appends nothing.
import { eventAt } from '../engine/cut.js'
import { rulesOf } from '../engine/detect.js'
import type { Projection } from '../engine/projection.js'
import type { EventReader } from '../log/event-store.js'
import { parsePosition } from '../log/position.js'
import { readStoreMarker } from '../log/store-marker.js'
import { CampaignLog, type CampaignRecord, readCampaign } from './campaign.js'
import { openCases } from './cases.js'
import { PlanStaleError } from './decide.js'
import { Gate, type Limits } from './gate.js'
import { type ItemOutcome, isFinal, type OutcomeKind } from './item-outcome.js'
import { type Plan, type PlanItem, requireUnchanged, waitingCaseOf } from './plan.js'
import { settleItem } from './settle-item.js'
import type { Workplace } from './workplace.js'

/** The approval is missing or for another plan. */
export class ApprovalError extends Error {
  override readonly name = 'ApprovalError'
}

/** The authority does not serve this store, or does not say that it does. */
export class AuthorityRefusedError extends Error {
  override readonly name = 'AuthorityRefusedError'
}

/** Where an authority takes tens of milliseconds to answer, more would wait for this process and no longer for others. */
export const IN_FLIGHT = 64

export interface ApplyOptions extends Limits {
  /** The digest that was approved. */
  readonly approve: string
  /** Subjects in flight together, at most; one subject's items are settled in order. Default IN_FLIGHT. */
  readonly inFlight?: number
  /** Aborted: nothing new is begun, what is in flight is finished. */
  readonly signal?: AbortSignal
  readonly onOutcome?: (outcome: ItemOutcome) => void
}

export interface ApplySummary {
  readonly campaign: string
  readonly items: number
  readonly outcomes: Readonly<Record<OutcomeKind, number>>
  /** Items not begun in this run and not settled by an earlier one. */
  readonly left: number
  /** Every item is settled for good. */
  readonly complete: boolean
  /** Review cases newly opened. */
  readonly cases: number
  /** Findings that were there when items were read again afterwards: what slipped in behind a repair, or collided with it. */
  readonly opened: number
  /** Why it ended before the last item; undefined where it did not. */
  readonly stopped?: string
  readonly interrupted: boolean
}

/** Everything an apply needs; the campaign's id is made from the plan. */
export type ApplyWork = Omit<Workplace, 'campaignId'>

/**
 * Applies a plan. Throws ApprovalError without the plan's digest, PlanInvalidError where its content does not give that digest, PlanStaleError where the plan was made at another store or for another version of the
 * rules, AuthorityRefusedError, and what the store throws.
 */
export async function applyPlan(work: ApplyWork, options: ApplyOptions): Promise<ApplySummary> {
  const { plan, store } = work
  requireApproval(plan, options.approve)
  requireRules(plan, work.projection)
  await requireStore(plan, store)
  await requireAdmission(work)
  const log = new CampaignLog(store, plan, work.newId)
  const known = await readCampaign(store, log.id)
  // A plan without items is no campaign: a second repair appends nothing.
  const isCampaign = plan.items.length > 0
  if (isCampaign) await log.start(work.actors)
  const cases = known.casesOpened ? 0 : await openCases(store, plan.cases, { campaignId: log.id, newId: work.newId })
  if (isCampaign && !known.casesOpened) await log.openedCases(cases)
  return new Run({ ...work, campaignId: log.id }, log, known, options, cases).toEnd()
}

function requireApproval(plan: Plan, approve: string): void {
  if (approve === plan.digest) {
    requireUnchanged(plan)
    return
  }
  throw new ApprovalError(
    approve === ''
      ? `This plan needs an approval: --approve ${plan.digest}`
      : `The approval is for ${approve}, but this plan is ${plan.digest}`,
  )
}

function requireRules(plan: Plan, { name, version }: Projection): void {
  if (plan.projection === name && plan.version === version) return
  throw new PlanStaleError(
    `The plan is for ${plan.projection} ${plan.version}, the rules here are ${name} ${version}: plan again`,
  )
}

async function requireStore(plan: Plan, store: EventReader): Promise<void> {
  if (!plan.cut) return
  const position = parsePosition(plan.cut.position)
  const event = position && (await eventAt(store, position))
  if (event?.id === plan.cut.eventId) return
  throw new PlanStaleError(
    `The event at the plan's cut does not stand at ${plan.cut.position} here: it was made at another store; plan again`,
  )
}

/** A simulator must never answer for a store of real bookings: an authority that wants to is asked before anything is claimed. */
async function requireAdmission({ authority, store }: ApplyWork): Promise<void> {
  if (!authority?.admits) return
  const marker = await readStoreMarker(store)
  const result = await authority.admits({ generated: marker !== undefined })
  if (result.kind === 'admitted') return
  const said = result.kind === 'refused' ? 'does not serve this store' : 'does not say whether it serves this store'
  throw new AuthorityRefusedError(`${authority.name} ${said}: ${result.message}`)
}

/** One run over the items that are not settled yet. */
class Run {
  readonly #gate: Gate
  readonly #inFlightMax: number
  /** One a subject in flight, those that have ended included. */
  readonly #working: Promise<void>[] = []
  #failure: { readonly error: unknown } | undefined
  readonly #outcomes: Record<OutcomeKind, number> = {
    applied: 0,
    'already-good': 0,
    stale: 0,
    conflict: 0,
    held: 0,
    refused: 0,
    unknown: 0,
  }
  /** Taken in this run, and open all the same. */
  #unsettled = 0
  #left = 0
  #opened = 0
  #cases: number

  constructor(
    readonly work: Workplace,
    readonly log: CampaignLog,
    readonly known: CampaignRecord,
    readonly options: ApplyOptions,
    cases: number,
  ) {
    this.#gate = new Gate(options)
    this.#inFlightMax = options.inFlight ?? IN_FLIGHT
    this.#cases = cases
  }

  async toEnd(): Promise<ApplySummary> {
    const open = this.work.plan.items.filter((item) => !this.#reportKnown(item))
    const canary = open.slice(0, this.options.canary ?? 0)
    for (const item of canary) await this.#settle(item, true)
    const queue = groupBySubject(open.slice(canary.length))
    // Where everything fails, little more is tried than the budget allows: the rest joins as items turn out good.
    const first = Math.min(this.#inFlightMax, Math.max(1, this.options.errorBudget ?? this.#inFlightMax))
    while (this.#working.length < first) this.#join(queue)
    // What is in flight is finished before a failure is told: nothing may go on behind the caller's back. The list grows meanwhile.
    for (const work of this.#working) await work
    if (this.#failure) throw this.#failure.error
    return this.#summarise()
  }

  /** Reports an item that an earlier run settled for good. */
  #reportKnown(item: PlanItem): boolean {
    const settled = this.known.items.get(item.key)
    if (!settled) return false
    const kind = settled.outcome === 'applied' ? 'already-good' : (settled.outcome as OutcomeKind)
    this.#report({
      item,
      kind,
      ...(settled.revision !== undefined && { revision: settled.revision }),
      ...(settled.why && { why: settled.why }),
    })
    return true
  }

  /** One more subject in flight. */
  #join(queue: PlanItem[][]): void {
    const work = this.#drain(queue).catch((error: unknown) => {
      this.#gate.close('a failure')
      this.#failure ??= { error }
    })
    this.#working.push(work)
  }

  async #drain(queue: PlanItem[][]): Promise<void> {
    for (let items = queue.shift(); items; items = queue.shift()) {
      for (const item of items) {
        const isGood = await this.#settle(item, false)
        if (isGood && queue.length > 0 && this.#working.length < this.#inFlightMax) this.#join(queue)
      }
    }
  }

  /** Gives whether it is good now. */
  async #settle(item: PlanItem, isCanary: boolean): Promise<boolean> {
    if (this.options.signal?.aborted || !this.#gate.admit(item)) {
      this.#left += 1
      return false
    }
    const outcome = await settleItem(this.work, item)
    await this.#openCasesOf(outcome)
    if (isFinal(outcome)) await this.log.settle(outcome)
    else this.#unsettled += 1
    this.#gate.note(outcome, isCanary)
    this.#report(outcome)
    return outcome.kind === 'applied' || outcome.kind === 'already-good'
  }

  async #openCasesOf({ opened = [] }: ItemOutcome): Promise<void> {
    if (opened.length === 0) return
    this.#opened += opened.length
    const { store, newId, campaignId, projection } = this.work
    const cases = opened.map((finding) => waitingCaseOf(finding, projection))
    this.#cases += await openCases(store, cases, { campaignId, newId })
    const stopping = new Set(rulesOf(projection).flatMap(({ id, stopsCampaign }) => (stopsCampaign ? [id] : [])))
    const collision = opened.find(({ rule }) => stopping.has(rule))
    if (collision) this.#gate.close(`${collision.rule} on ${collision.subject}`)
  }

  #report(outcome: ItemOutcome): void {
    this.#outcomes[outcome.kind] += 1
    this.options.onOutcome?.(outcome)
  }

  async #summarise(): Promise<ApplySummary> {
    const interrupted = this.options.signal?.aborted ?? false
    const complete = this.#left + this.#unsettled === 0
    const stopped = this.#gate.shut ?? (interrupted ? 'interrupted' : undefined)
    if (complete && !this.known.finished && this.work.plan.items.length > 0) await this.log.finish(this.#outcomes)
    if (stopped !== undefined && this.#left > 0) await this.log.stop(stopped)
    return {
      campaign: this.log.id,
      items: this.work.plan.items.length,
      outcomes: this.#outcomes,
      left: this.#left,
      complete,
      cases: this.#cases,
      opened: this.#opened,
      ...(stopped !== undefined && this.#left > 0 && { stopped }),
      interrupted,
    }
  }
}

/** Items of one subject together, in the plan's order. */
function groupBySubject(items: readonly PlanItem[]): PlanItem[][] {
  const groups = new Map<string, PlanItem[]>()
  for (const item of items) {
    const group = groups.get(item.subject)
    if (group) group.push(item)
    else groups.set(item.subject, [item])
  }
  return [...groups.values()]
}
