// A campaign: one plan carried out, by however many processes and runs. It is a stream, `makegood.campaign-{id}`, named by the plan's digest, so
// that all processes applying one plan share it and a later run goes on where an earlier one was stopped.
import { v5 as uuidV5 } from 'uuid'
import { z } from 'zod'
import { jsonEvent, type RecordedEvent } from '../log/event.js'
import type { AppendResult, EventReader, EventStore } from '../log/event-store.js'
import { StoreUnavailableError } from '../log/store-errors.js'
import { streamOf, subjectOf } from '../log/stream.js'
import type { ItemOutcome, OutcomeKind } from './item-outcome.js'
import type { Plan } from './plan.js'
import type { Actors } from './provenance.js'

const CATEGORY = 'makegood.campaign'
/** Namespace of campaign ids (a UUID of our own choice). */
const CAMPAIGN_NAMESPACE = '5e1a7d0c-93b4-5f62-a8c1-7b2d9e4f6a03'

const started = z.object({
  planDigest: z.string(),
  projection: z.string(),
  version: z.string(),
  now: z.string(),
  items: z.int(),
  actor: z.string(),
  approver: z.string(),
})
const settled = z.object({
  key: z.string(),
  subject: z.string(),
  findingIds: z.array(z.string()),
  rules: z.array(z.string()),
  outcome: z.string(),
  stream: z.string(),
  revision: z.number().optional(),
  why: z.string().optional(),
})
const stopped = z.object({ why: z.string() })
const finished = z.object({ counts: z.record(z.string(), z.number()) })

export type CampaignStart = z.infer<typeof started>
export type SettledItem = z.infer<typeof settled>

/** A campaign as its stream tells it. */
export interface CampaignRecord {
  readonly id: string
  readonly start: CampaignStart | undefined
  /** By key: what became of each item for good. */
  readonly items: ReadonlyMap<string, SettledItem>
  readonly casesOpened: boolean
  readonly finished: boolean
  /** Why the last run ended early; undefined where it did not. */
  readonly stopped: string | undefined
}

/** The id of a plan's campaign. */
export function campaignIdOf(plan: Plan): string {
  return uuidV5(plan.digest, CAMPAIGN_NAMESPACE)
}

/** Reads a campaign; one that was never begun has no start and no items. */
export async function readCampaign(reader: EventReader, id: string): Promise<CampaignRecord> {
  const read = await reader.readStream(streamOf(CATEGORY, id))
  const builder = new CampaignBuilder(id)
  if (read.kind === 'found') {
    for await (const batch of read.events) for (const event of batch) builder.add(event)
  }
  return builder
}

/** All campaigns of a store, in the order of their beginning. */
export async function listCampaigns(reader: EventReader): Promise<CampaignRecord[]> {
  const campaigns = new Map<string, CampaignBuilder>()
  for await (const { events } of reader.readAll({ filter: { streamPrefixes: [`${CATEGORY}-`] } })) {
    for (const event of events) {
      const id = subjectOf(event.stream) ?? ''
      const builder = campaigns.get(id) ?? new CampaignBuilder(id)
      campaigns.set(id, builder)
      builder.add(event)
    }
  }
  return [...campaigns.values()]
}

class CampaignBuilder implements CampaignRecord {
  start: CampaignStart | undefined
  readonly items = new Map<string, SettledItem>()
  casesOpened = false
  finished = false
  stopped: string | undefined
  constructor(readonly id: string) {}

  add({ type, data }: RecordedEvent): void {
    const json: unknown = JSON.parse(new TextDecoder().decode(data))
    if (type === 'CampaignStarted') this.start ??= started.parse(json)
    else if (type === 'CasesOpened') this.casesOpened = true
    else if (type === 'CampaignStopped') this.stopped = stopped.parse(json).why
    else if (type === 'CampaignFinished') [this.finished, this.stopped] = [true, undefined]
    else if (type === 'ItemSettled') {
      const item = settled.parse(json)
      // Several processes may report one item; what one of them applied is what counts.
      if (this.items.get(item.key)?.outcome !== 'applied') this.items.set(item.key, item)
    }
  }
}

/** Writes a campaign's stream. It is ours, and every event of it stands for itself, so it is appended to without a guard. */
export class CampaignLog {
  readonly id: string
  constructor(
    readonly store: EventStore,
    readonly plan: Plan,
    readonly newId: () => string,
  ) {
    this.id = campaignIdOf(plan)
  }

  /** Begins the campaign, or joins one that is begun. */
  async start({ actor, approver }: Actors): Promise<void> {
    const { digest, projection, version, now, items } = this.plan
    const data: CampaignStart = { planDigest: digest, projection, version, now, items: items.length, actor, approver }
    const event = jsonEvent({ id: this.newId(), type: 'CampaignStarted', data })
    const result = await this.store.append(streamOf(CATEGORY, this.id), [event], 'noStream')
    if (result.kind !== 'conflict') requireWritten(result)
  }

  async settle({ item, kind, revision, why }: ItemOutcome): Promise<void> {
    const data: SettledItem = {
      key: item.key,
      subject: item.subject,
      findingIds: [...item.intent.answers],
      rules: item.rules,
      outcome: kind,
      stream: item.stream,
      ...(revision !== undefined && { revision }),
      ...(why !== undefined && { why }),
    }
    await this.#append('ItemSettled', data)
  }

  openedCases(count: number): Promise<void> {
    return this.#append('CasesOpened', { count })
  }

  stop(why: string): Promise<void> {
    return this.#append('CampaignStopped', { why })
  }

  finish(counts: Readonly<Partial<Record<OutcomeKind, number>>>): Promise<void> {
    return this.#append('CampaignFinished', { counts } satisfies z.input<typeof finished>)
  }

  async #append(type: string, data: unknown): Promise<void> {
    const event = jsonEvent({ id: this.newId(), type, data })
    requireWritten(await this.store.append(streamOf(CATEGORY, this.id), [event], 'any'))
  }
}

function requireWritten(result: AppendResult): void {
  if (result.kind === 'appended') return
  const why = result.kind === 'conflict' ? 'a conflict' : result.message
  throw new StoreUnavailableError(`The campaign could not be recorded: ${why}`)
}
