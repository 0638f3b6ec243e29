// What is remembered of a projection beside what it writes: whether it is to run, and which of its lives it leads. Each change is an event.
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { jsonEvent, type RecordedEvent } from '../../log/event.js'
import type { EventStore } from '../../log/event-store.js'
import { operationTimedOut, unavailable } from '../status.js'

const SETTINGS = z.object({ enabled: z.boolean(), epoch: z.number().int(), version: z.number().int() })

export type ProjectionSettings = Readonly<z.infer<typeof SETTINGS>>

/** Of a projection that nobody changed. */
const FRESH: ProjectionSettings = { enabled: true, epoch: -1, version: 1 }

export async function loadSettings(store: EventStore, projection: string): Promise<ProjectionSettings> {
  const read = await store.readStream(streamOf(projection), { direction: 'backwards', maxCount: 1 })
  if (read.kind !== 'found') return FRESH
  for await (const [last] of read.events) return (last && settingsIn(last)) ?? FRESH
  return FRESH
}

/** Throws the status of a change that was not written. */
export async function saveSettings(store: EventStore, projection: string, settings: ProjectionSettings): Promise<void> {
  const event = jsonEvent({ id: randomUUID(), type: '$ProjectionUpdated', data: settings })
  const { kind } = await store.append(streamOf(projection), [event], 'any')
  if (kind === 'unknown') throw operationTimedOut()
  if (kind !== 'appended') throw unavailable('The projection cannot be changed')
}

function streamOf(projection: string): string {
  return `$projections-${projection}`
}

function settingsIn({ data }: RecordedEvent): ProjectionSettings | undefined {
  try {
    return SETTINGS.safeParse(JSON.parse(Buffer.from(data).toString('utf8'))).data
  } catch {
    return undefined
  }
}
