// What pinned strategies go by: the stream that an event is from, or the correlation id in its metadata.
import type { Sent } from '../streams/event-encoder.js'
import { shownEvent } from './shown-event.js'
import type { StrategyName } from './strategies.js'

const LINK_TYPE = '$>'

export function pinOf(sent: Sent, strategy: StrategyName): string {
  if (strategy === 'PinnedByCorrelation') return correlationIdOf(sent) ?? sourceStreamOf(sent)
  return strategy === 'Pinned' ? sourceStreamOf(sent) : ''
}

/** The stream of the event itself, also where only the link to it is there: `payment-42` of `5@payment-42`. */
function sourceStreamOf(sent: Sent): string {
  const place = shownEvent(sent)
  if (place.type !== LINK_TYPE) return place.stream
  const target = Buffer.from(place.data).toString('utf8')
  const at = target.indexOf('@')
  return at < 0 ? place.stream : target.slice(at + 1)
}

function correlationIdOf({ event }: Sent): string | undefined {
  if (!event || event.metadata.length === 0) return undefined
  try {
    const metadata: unknown = JSON.parse(Buffer.from(event.metadata).toString('utf8'))
    const id =
      typeof metadata === 'object' && metadata !== null && '$correlationId' in metadata && metadata.$correlationId
    return typeof id === 'string' ? id : undefined
  } catch {
    return undefined
  }
}
