// Logs that are odd themselves: events lost, streams cut, limited or deleted, an event that stands in the wrong stream.
import { v5 } from 'uuid'
import type { StoredEvent } from './booking-events.js'

export const DAMAGES = ['first lost', 'one lost', 'cut', 'limited', 'once limited', 'deleted', 'wrong stream'] as const
export type Damage = 'none' | (typeof DAMAGES)[number]

const NAMESPACE = '2f0a3c57-1f05-4f7c-8f3e-1f5f6f7d9e10'

/** The events with damage done to one of them, or to its stream: the one that `where` points at. */
export function damaged(events: readonly StoredEvent[], how: Damage, where: number): StoredEvent[] {
  const at = events[where % Math.max(1, events.length)]
  if (at === undefined) return []
  switch (how) {
    case 'first lost':
      return events.filter((event) => event.stream !== at.stream || event.revision > 0)
    case 'one lost':
      return events.filter((event) => event !== at)
    case 'cut':
      return [...events, metadataOf(at.stream, 0, { $tb: 1 })]
    case 'limited':
      return [...events, metadataOf(at.stream, 0, { $maxCount: 100 })]
    case 'once limited':
      return [...events, metadataOf(at.stream, 0, { $maxAge: 60 }), metadataOf(at.stream, 1, {})]
    case 'deleted':
      return [...events, metadataOf(at.stream, 0, { $tb: 2 ** 63 })]
    case 'wrong stream':
      return numbered(events.map((event) => (event === at ? { ...event, stream: otherStreamOf(event.stream) } : event)))
    default:
      return [...events]
  }
}

function metadataOf(stream: string, revision: number, data: object): StoredEvent {
  const id = v5(`${stream}/${revision}/${JSON.stringify(data)}`, NAMESPACE)
  return { stream: `$$${stream}`, revision, id, type: '$metadata', data, metadata: undefined, created: undefined }
}

function otherStreamOf(stream: string): string {
  const [category, subject] = stream.split('-')
  return `${category === 'payment' ? 'ticket' : 'payment'}-${subject}`
}

/** The events with the revisions that they have in the streams in which they now stand. */
function numbered(events: readonly StoredEvent[]): StoredEvent[] {
  const heads = new Map<string, number>()
  return events.map((event) => {
    const revision = heads.get(event.stream) ?? 0
    heads.set(event.stream, revision + 1)
    return { ...event, revision }
  })
}
