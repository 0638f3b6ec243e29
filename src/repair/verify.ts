// Verification: an independent replay of the whole log after a repair. Every item that a campaign settled must be good, and no work may
// be recorded twice, whatever the campaign itself says of it.
import { parseMetadata } from '../engine/decode.js'
import type { Projection } from '../engine/projection.js'
import { type ReplayOptions, type ReplayResult, replay } from '../engine/replay.js'
import type { EventReader } from '../log/event-store.js'
import { comparePositions } from '../log/position.js'
import { prefixesOf } from '../log/stream.js'
import { type CampaignRecord, listCampaigns, readCampaign, type SettledItem } from './campaign.js'
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
  const recorded = await countRecorded(reader, projection, options)
  const found = new Set(result.findings.map(({ id }) => id))
  const bad = campaigns.flatMap(({ id, items }) =>
    [...items.values()].flatMap((item) => {
      const why = problemOf(item, found, recorded)
      return why === undefined ? [] : [{ campaign: id, item, why }]
    }),
  )
  return {
    campaigns: campaigns.map(({ id }) => id),
    items: campaigns.reduce((sum, { items }) => sum + items.size, 0),
    bad,
    doubled: Object.fromEntries([...recorded].filter(([, count]) => count > 1)),
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
  return [campaign]
}

function problemOf(
  item: SettledItem,
  found: ReadonlySet<string>,
  recorded: ReadonlyMap<string, number>,
): string | undefined {
  if (item.outcome === 'refused') return undefined
  const times = recorded.get(item.key) ?? 0
  if (item.outcome === 'applied' && times === 0) return 'said to be applied, and no event in the log records it'
  if (times > 1) return `recorded ${times} times`
  const still = item.findingIds.filter((id) => found.has(id))
  return still.length > 0 && times === 0 ? `still found: ${still.join(', ')}` : undefined
}

/** How often the log records the work of each key as done. */
async function countRecorded(
  reader: EventReader,
  projection: Projection,
  { cut }: ReplayOptions,
): Promise<ReadonlyMap<string, number>> {
  const recorded = new Map<string, number>()
  for await (const { events } of reader.readAll({ filter: { streamPrefixes: prefixesOf(projection.categories) } })) {
    for (const event of events) {
      if (cut && comparePositions(event.position, cut.position) > 0) return recorded
      const mark = ownMarkOf(parseMetadata(event.metadata))
      if (mark?.step === 'settle' && mark.part === 0) recorded.set(mark.key, (recorded.get(mark.key) ?? 0) + 1)
    }
  }
  return recorded
}
