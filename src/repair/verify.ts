// Verification: an independent replay of the whole log after a repair. Every item that a campaign settled must be good, and no work may
// be recorded twice, whatever the campaign itself says of it.
import { parseMetadata } from '../engine/decode.js'
import type { Projection } from '../engine/projection.js'
import { type ReplayOptions, type ReplayResult, replay } from '../engine/replay.js'
import type { EventReader } from '../log/event-store.js'
import { comparePositions } from '../log/position.js'
import { prefixesOf } from '../log/stream.js'
import { type CampaignRecord, listCampaigns, readCampaign, type SettledItem } from './campaign.js'
import { keyOf } from './plan.js'
import { ownMarkOf } from './provenance.js'

/** An item that is not good, and why. */
export interface BadItem {
  readonly campaign: string
  readonly item: SettledItem
  readonly why: string
}

export interface VerifyResult {
  readonly campaigns: readonly string[]
  readonly items: number
  readonly bad: readonly BadItem[]
  /** Keys whose work is recorded more than once, with how often. */
  readonly doubled: Readonly<Record<string, number>>
  readonly replay: ReplayResult
}

/** No campaign of this id was begun in this store. */
export class CampaignUnknownError extends Error {
  override readonly name = 'CampaignUnknownError'
}

/** Verifies one campaign, or all of them. Throws CampaignUnknownError and what the store throws. */
export async function verify(
  reader: EventReader,
  projection: Projection,
  options: ReplayOptions & { campaign?: string },
): Promise<VerifyResult> {
  const campaigns = await campaignsOf(reader, projection, options.campaign)
  const result = await replay(reader, projection, options)
  const recorded = await findRecorded(reader, projection, options)
  const known: Known = {
    recorded,
    found: new Set(result.findings.map(({ id }) => id)),
    owed: new Set(
      result.compensations.flatMap(({ subject, intents }) =>
        intents.map((intent) => keyOf(projection, subject, intent)),
      ),
    ),
    forbidding: rulesByEvent(result.findings),
  }
  const bad = campaigns.flatMap(({ id, items }) =>
    [...items.values()].flatMap((item) => {
      const why = problemOf(item, known)
      return why === undefined ? [] : [{ campaign: id, item, why }]
    }),
  )
  return {
    campaigns: campaigns.map(({ id }) => id),
    items: campaigns.reduce((sum, { items }) => sum + items.size, 0),
    bad,
    doubled: Object.fromEntries([...recorded].flatMap(([key, { times }]) => (times > 1 ? [[key, times]] : []))),
    replay: result,
  }
}

async function campaignsOf(
  reader: EventReader,
  { name }: Projection,
  id: string | undefined,
): Promise<CampaignRecord[]> {
  if (id === undefined) return (await listCampaigns(reader)).filter(({ start }) => start?.projection === name)
  const campaign = await readCampaign(reader, id)
  if (!campaign.start)
    throw new CampaignUnknownError(`No campaign ${id} in this store; \`makegood campaigns\` lists them`)
  // By other rules nothing of it could be found to be wrong.
  if (campaign.start.projection !== name)
    throw new CampaignUnknownError(`Campaign ${id} is of projection ${campaign.start.projection}, not of ${name}`)
  return [campaign]
}

/** How the log records the work of one key as done. */
interface Recorded {
  times: number
  readonly events: string[]
}

/** What the log says of all items. */
interface Known {
  readonly recorded: ReadonlyMap<string, Recorded>
  /** Ids of all findings. */
  readonly found: ReadonlySet<string>
  /** Keys of all work that is owed. */
  readonly owed: ReadonlySet<string>
  /** By event: rules that it breaks with others, so that no repair may stand and a person must look. */
  readonly forbidding: ReadonlyMap<string, readonly string[]>
}

function rulesByEvent(findings: ReplayResult['findings']): Map<string, string[]> {
  const byEvent = new Map<string, string[]>()
  for (const { rule, disposition, opensCase, evidence } of findings) {
    if (disposition !== 'never' || !opensCase) continue
    for (const id of evidence.events) byEvent.set(id, [...(byEvent.get(id) ?? []), rule])
  }
  return byEvent
}

function problemOf(item: SettledItem, { recorded, found, owed, forbidding }: Known): string | undefined {
  if (item.outcome === 'refused') return undefined
  const { times, events } = recorded.get(item.key) ?? { times: 0, events: [] }
  if (item.outcome === 'applied' && times === 0) return 'said to be applied, and no event in the log records it'
  if (times > 1) return `recorded ${times} times`
  const still = item.findingIds.filter((id) => found.has(id))
  if (still.length > 0 && times === 0) return `still found: ${still.join(', ')}`
  if (owed.has(item.key)) return 'still owed: another plan would do it again'
  const broken = new Set(events.flatMap((id) => forbidding.get(id) ?? []))
  return broken.size > 0 ? `what records it is part of: ${[...broken].join(', ')}` : undefined
}

/** How the log records the work of each key as done. */
async function findRecorded(
  reader: EventReader,
  projection: Projection,
  { cut }: ReplayOptions,
): Promise<ReadonlyMap<string, Recorded>> {
  const recorded = new Map<string, Recorded>()
  for await (const { events } of reader.readAll({ filter: { streamPrefixes: prefixesOf(projection.categories) } })) {
    for (const event of events) {
      if (cut && comparePositions(event.position, cut.position) > 0) return recorded
      const mark = ownMarkOf(parseMetadata(event.metadata))
      if (mark?.step !== 'settle') continue
      const known = recorded.get(mark.key) ?? { times: 0, events: [] }
      recorded.set(mark.key, known)
      known.events.push(event.id)
      if (mark.part === 0) known.times += 1
    }
  }
  return recorded
}
