// Where a log ended when a transfer began: what stands behind it was added since.
import type { EventReader } from '../log/event-store.js'
import { comparePositions, type Position } from '../log/position.js'

/** The position of the last event; undefined where there is none. */
export async function headOf(store: EventReader): Promise<Position | undefined> {
  for await (const { events } of store.readAll({ direction: 'backwards', maxCount: 1 })) {
    if (events[0]) return events[0].position
  }
  return undefined
}

/** Whether an event at `position` was added after a log ended at `head`. Events without a position can no longer be read, so they are old. */
export function isAddedSince(head: Position | undefined, position: Position | undefined): boolean {
  return position !== undefined && (head === undefined || comparePositions(position, head) > 0)
}
