// Review cases: what no machine may settle, left for a person as a stream of its own, `makegood.case-{finding id}`, once a finding.
import { z } from 'zod'
import { jsonEvent } from '../log/event.js'
import type { EventReader, EventStore } from '../log/event-store.js'
import { StoreUnavailableError } from '../log/store-errors.js'
import { streamOf } from '../log/stream.js'
import { type WaitingCase, waitingCase } from './plan.js'

const CATEGORY = 'makegood.case'
/** Cases opened at once: they are independent, and a durable store commits them together. */
const AT_ONCE = 64

const opened = z.object({ ...waitingCase.shape, campaignId: z.string() })

/** A case as its stream tells it. */
export type ReviewCase = z.infer<typeof opened>

/** Opens a case for each; one that is open already stays as it is. Returns how many are new. */
export async function openCases(
  store: EventStore,
  cases: readonly WaitingCase[],
  { campaignId, newId }: { campaignId: string; newId: () => string },
): Promise<number> {
  let fresh = 0
  for (let start = 0; start < cases.length; start += AT_ONCE) {
    const results = await Promise.all(
      cases.slice(start, start + AT_ONCE).map((waiting) => openCase(store, { ...waiting, campaignId }, newId())),
    )
    fresh += results.filter(Boolean).length
  }
  return fresh
}

async function openCase(store: EventStore, review: ReviewCase, id: string): Promise<boolean> {
  const event = jsonEvent({ id, type: 'CaseOpened', data: review })
  const result = await store.append(streamOf(CATEGORY, review.findingId), [event], 'noStream')
  if (result.kind === 'refused' || result.kind === 'unknown') {
    throw new StoreUnavailableError(`A review case for ${review.subject} could not be opened: ${result.message}`)
  }
  return result.kind === 'appended'
}

/** All cases of a store, in the order of their opening. */
export async function listCases(reader: EventReader): Promise<ReviewCase[]> {
  const cases: ReviewCase[] = []
  for await (const { events } of reader.readAll({ filter: { streamPrefixes: [`${CATEGORY}-`] } })) {
    for (const event of events) {
      if (event.type === 'CaseOpened') cases.push(opened.parse(JSON.parse(new TextDecoder().decode(event.data))))
    }
  }
  return cases
}
