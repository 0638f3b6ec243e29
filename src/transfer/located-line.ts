// Lines of exported logs with the places where they stand, and how the import of lines can end.
import { type LineEvent, parseEventLine } from '../log/event-line.js'
import { placeName } from '../log/restorable-store.js'

/** Where a line stands; lines count from 1. */
export interface LinePlace {
  readonly file: string
  readonly line: number
}

/** A line as it was read from a file, without its end, or what kept it from being read. */
export type FileLine = LinePlace &
  ({ readonly kind: 'line'; readonly bytes: Uint8Array } | { readonly kind: 'broken'; readonly why: string })

/** A line that holds an event. */
export interface LocatedEvent extends LinePlace {
  readonly event: LineEvent
}

/**
 * Why an import ended before the end of its lines, and at which: `broken`, the line holds no event; `refused`, its event does not fit into
 * the store; `interrupted`, somebody wanted no more. That line and what follows was not imported.
 */
export interface Stop extends LinePlace {
  readonly kind: 'broken' | 'refused' | 'interrupted'
  readonly why: string
}

/** Parses a line; undefined where it is blank, which carries nothing. */
export function parseLine(line: FileLine): LocatedEvent | Stop | undefined {
  const { file, line: number } = line
  if (line.kind === 'broken') return { kind: 'broken', file, line: number, why: line.why }
  if (line.bytes.every((byte) => byte === 0x20 || byte === 0x09)) return undefined
  const parsed = parseEventLine(line.bytes)
  return parsed.kind === 'event'
    ? { file, line: number, event: parsed.event }
    : { kind: 'broken', file, line: number, why: parsed.why }
}

/** The stop at an event that does not fit. */
export function refusedAt({ file, line, event }: LocatedEvent, message: string): Stop {
  return { kind: 'refused', file, line, why: `${placeName(event)}: ${message}` }
}
