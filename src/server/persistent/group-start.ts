// Where a new group begins: what a start means in the log at the moment at which it is given. It is kept with the group, so that
// nothing that comes after that moment is lost, whenever the first consumer comes.
import type { EventStore } from '../../log/event-store.js'
import { comparePositions, type Position } from '../../log/position.js'
import { type Revision, TOMBSTONE_REVISION } from '../../log/revision.js'
import { InvalidPositionError } from '../../log/store-errors.js'
import { endOfLog } from '../streams/end-of-log.js'
import { ALL_STREAM, type GroupDefinition, type GroupName } from './group-definition.js'
import type { Start } from './group-request.js'
import { groupFailed } from './group-statuses.js'
import { ALL_ENDS, placeOfPosition, placeOfRevision, STREAM_ENDS } from './places.js'

/** The part of a definition that says where a group begins. */
export type Beginning = Pick<GroupDefinition, 'startFrom' | 'startAfter'>

export async function beginningInStream(store: EventStore, stream: string, start: Start<Revision>): Promise<Beginning> {
  if (start === 'start' || start === 0) return { startFrom: STREAM_ENDS.start }
  if (start !== 'end') return { startFrom: String(start), startAfter: String(start - 1) }
  const last = await lastRevisionOf(store, stream)
  return { startFrom: STREAM_ENDS.end, ...(last !== undefined && { startAfter: placeOfRevision(last) }) }
}

/** Throws the status of a position at which no record stands. */
export async function beginningInAll(store: EventStore, group: string, start: Start<Position>): Promise<Beginning> {
  if (start === 'start') return { startFrom: ALL_ENDS.start }
  const end = await endOfLog(store)
  if (start === 'end') return { startFrom: ALL_ENDS.end, ...(end && { startAfter: placeOfPosition(end) }) }
  const name: GroupName = { source: ALL_STREAM, group }
  if (!end || comparePositions(start, end) > 0) throw groupFailed(name, BEYOND_LOG)
  const before = await positionBefore(store, start, name)
  return { startFrom: placeOfPosition(start), ...(before && { startAfter: placeOfPosition(before) }) }
}

const BEYOND_LOG =
  'Invalid Start From position: commit position must be less than or equal to the last commit position in the transaction file.'

/** The record before a position; undefined for the first. */
async function positionBefore(store: EventStore, from: Position, name: GroupName): Promise<Position | undefined> {
  try {
    for await (const batch of store.readAll({ direction: 'backwards', from, maxCount: 1 })) return batch.position
    return undefined
  } catch (error) {
    if (!(error instanceof InvalidPositionError)) throw error
    throw groupFailed(name, `Invalid Start From position: no record stands at ${placeOfPosition(from)}.`)
  }
}

async function lastRevisionOf(store: EventStore, stream: string): Promise<Revision | undefined> {
  const read = await store.readStream(stream, { direction: 'backwards', maxCount: 1 })
  if (read.kind === 'tombstoned') return TOMBSTONE_REVISION
  if (read.kind === 'missing') return undefined
  for await (const [last] of read.events) return last?.revision
  return undefined
}
