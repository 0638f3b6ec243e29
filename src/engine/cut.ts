// Cuts: where a reading stops. A result is always "as of" a cut, and the same cut gives the same result for ever.
import type { RecordedEvent } from '../log/event.js'
import type { EventReader } from '../log/event-store.js'
import { comparePositions, formatPosition, type Position } from '../log/position.js'
import { InvalidPositionError } from '../log/store-errors.js'
import { formatTicks, type Ticks, ticksOfMs } from '../log/ticks.js'
import { readRange } from './log-range.js'

/** The last event that a reading takes in. */
export interface Cut {
  readonly position: Position
  /** Its `created`, RFC 3339; null in logs that keep no time. */
  readonly time: string | null
  /** Its id: a plan made at this cut is known by it. */
  readonly eventId: string
}

/** What a cut is asked by: the log's end, a time, a position, or the event that it must not take in any more. */
export type CutSpec =
  | { readonly kind: 'head' }
  | { readonly kind: 'time'; readonly ticks: Ticks }
  | { readonly kind: 'position'; readonly position: Position }
  | { readonly kind: 'before'; readonly eventId: string }

/** A cut that cannot be made: in the future, before the first event, or before an event that is not there. */
export class CutError extends Error {
  override readonly name = 'CutError'
}

/** What a time or a position is asked of: an event of the log that it takes in, with all that is before it; undefined where none is known. */
export type KnownBefore = (spec: Extract<CutSpec, { kind: 'time' | 'position' }>) => Promise<Cut | undefined>

/**
 * Resolves a cut to the event it ends at; undefined for the head of an empty log. A time ends before the first event created after
 * it; a position that is no event's ends at the last event before it. `clock`: milliseconds since the Unix epoch. `knownBefore`: the
 * log is read from there only; left out: from the start.
 * Throws CutError where nothing is before the cut, or it lies in the future and so is not final.
 */
export async function resolveCut(
  reader: EventReader,
  spec: CutSpec,
  clock: number,
  knownBefore?: KnownBefore,
): Promise<Cut | undefined> {
  if (spec.kind === 'head') return cutAtEvent(await lastEvent(reader))
  refuseFuture(spec, clock)
  const exact = spec.kind === 'position' ? cutAtEvent(await eventAt(reader, spec.position)) : undefined
  if (exact) return exact
  return lastBefore(reader, spec, spec.kind === 'before' ? undefined : await knownBefore?.(spec))
}

function refuseFuture(spec: CutSpec, clock: number): void {
  if (spec.kind !== 'time' || spec.ticks <= ticksOfMs(clock)) return
  throw new CutError(`${formatTicks(spec.ticks)} is in the future: what will be known by then is not final`)
}

/** The cut that ends with this event. */
export function cutAtEvent(event: RecordedEvent | undefined): Cut | undefined {
  if (!event) return undefined
  return {
    position: event.position,
    time: event.created === undefined ? null : formatTicks(event.created),
    eventId: event.id,
  }
}

type BoundarySpec = Exclude<CutSpec, { kind: 'head' }>

function describeBoundary(spec: BoundarySpec): string {
  if (spec.kind === 'before') return `event ${spec.eventId}`
  return spec.kind === 'time' ? formatTicks(spec.ticks) : formatPosition(spec.position)
}

/** Whether an event is the first that a cut leaves out. A running maximum passes T for the first time exactly where the first event is created after T. */
function isBeyond(event: RecordedEvent, spec: BoundarySpec): boolean {
  if (spec.kind === 'before') return event.id === spec.eventId
  if (spec.kind === 'position') return comparePositions(event.position, spec.position) > 0
  return event.created !== undefined && event.created > spec.ticks
}

async function lastEvent(reader: EventReader): Promise<RecordedEvent | undefined> {
  for await (const { events } of reader.readAll({ direction: 'backwards', maxCount: 1 })) {
    if (events[0]) return events[0]
  }
  return undefined
}

/** The event that stands exactly at a position; undefined where none does. */
export async function eventAt(reader: EventReader, position: Position): Promise<RecordedEvent | undefined> {
  try {
    for await (const { events } of reader.readAll({ from: position, maxCount: 1 })) {
      const [first] = events
      if (first) return comparePositions(first.position, position) === 0 ? first : undefined
    }
  } catch (error) {
    if (!(error instanceof InvalidPositionError)) throw error
  }
  return undefined
}

async function lastBefore(reader: EventReader, spec: BoundarySpec, known: Cut | undefined): Promise<Cut> {
  let last: RecordedEvent | undefined
  for await (const event of readRange(reader, known ? { after: known.position } : {})) {
    if (isBeyond(event, spec)) return cutAtEvent(last) ?? known ?? failEmpty(spec)
    last = event
  }
  return endOf(cutAtEvent(last) ?? known, spec)
}

/** What the end of the log means where the cut was not passed by then. */
function endOf(last: Cut | undefined, spec: BoundarySpec): Cut {
  if (spec.kind === 'before') throw new CutError(`No event ${spec.eventId} is in the log`)
  if (!last) return failEmpty(spec)
  if (spec.kind === 'time') return last
  throw new CutError(
    `${describeBoundary(spec)} is beyond the end of the log, ${formatPosition(last.position)}: what will stand before it is not final`,
  )
}

function failEmpty(spec: BoundarySpec): never {
  throw new CutError(`Nothing is in the log before ${describeBoundary(spec)}`)
}
