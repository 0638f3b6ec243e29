// Where the log ends.
import type { EventStore } from '../../log/event-store.js'
import type { Position } from '../../log/position.js'

/** The position of the log's last record; undefined where it has none. */
export async function endOfLog(store: EventStore): Promise<Position | undefined> {
  for await (const batch of store.readAll({ direction: 'backwards', maxCount: 1 })) return batch.position
  return undefined
}
