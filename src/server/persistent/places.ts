// Places in what a group reads, as text: `5` is a revision of a stream, `C:5/P:5` a position of `$all`. So they stand in checkpoints
// and are told to clients.
import { comparePositions, type Position } from '../../log/position.js'
import { type Revision, TOMBSTONE_REVISION } from '../../log/revision.js'

const TOMBSTONE_PLACE = String(2n ** 63n - 1n)
const REVISION = /^\d{1,19}$/
const POSITION = /^C:(\d{1,19})\/P:(\d{1,19})$/

/** What `startFrom` says of a group that began at the start or at the end. */
export const STREAM_ENDS = { start: '0', end: '-1' } as const
export const ALL_ENDS = { start: 'C:0/P:0', end: 'C:-1/P:-1' } as const

export function placeOfRevision(revision: Revision): string {
  return revision === TOMBSTONE_REVISION ? TOMBSTONE_PLACE : String(revision)
}

export function placeOfPosition({ commit, prepare }: Position): string {
  return `C:${commit}/P:${prepare}`
}

/** Undefined where the text is no revision. */
export function revisionAt(place: string): Revision | undefined {
  return REVISION.test(place) ? Number(place) : undefined
}

/** Undefined where the text is no position. */
export function positionAt(place: string): Position | undefined {
  const match = POSITION.exec(place)
  return match ? { commit: BigInt(match[1] ?? ''), prepare: BigInt(match[2] ?? '') } : undefined
}

/** Whether a place is before another or equal; both are of one source. */
export function isUpTo(place: string, limit: string): boolean {
  const [position, end] = [positionAt(place), positionAt(limit)]
  if (position && end) return comparePositions(position, end) <= 0
  return (revisionAt(place) ?? 0) <= (revisionAt(limit) ?? -1)
}
