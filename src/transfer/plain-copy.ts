// An event as it can be appended: marked with its former place, its `$tb` counted as its stream is counted there.
import type { ProposedEvent } from '../log/event.js'
import type { LineEvent } from '../log/event-line.js'
import type { Revision } from '../log/revision.js'
import { withMarks } from './copy-marks.js'

export interface PlainCopy {
  readonly original: LineEvent
  /** The revision at which it is to stand. */
  readonly at: Revision
  readonly proposed: ProposedEvent
  /** What became of the time; `none` where none was known. */
  readonly time: 'moved' | 'lost' | 'none'
  /** Whether its `$tb` was counted anew. */
  readonly isRecounted: boolean
  readonly isRenumbered: boolean
}

/** The copy of an event that is to stand at revision `at`. `truncateBefore`: what its `$tb` becomes, where that is to change. */
export function copyOf(
  original: LineEvent,
  { at, truncateBefore }: { at: Revision; truncateBefore: Revision | undefined },
): PlainCopy {
  const { id, type, contentType, created, revision } = original
  const isRenumbered = at !== revision
  const isRecounted = truncateBefore !== undefined
  const data = isRecounted ? recount(original.data, truncateBefore) : original.data
  const marked = withMarks(original.metadata, { created, revision, isRenumbered })
  return {
    original,
    at,
    proposed: { id, type, contentType, data, metadata: marked ?? original.metadata },
    time: created === undefined ? 'none' : marked ? 'moved' : 'lost',
    isRecounted,
    isRenumbered,
  }
}

function recount(metadata: Uint8Array, truncateBefore: Revision): Uint8Array {
  const json = JSON.parse(new TextDecoder().decode(metadata)) as object
  return new TextEncoder().encode(JSON.stringify({ ...json, $tb: truncateBefore }))
}
