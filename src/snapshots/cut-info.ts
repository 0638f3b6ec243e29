// What one cut of a series says of itself: where and when it is, what was counted up to it, and which cut it builds on.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Cut } from '../engine/cut.js'
import type { FoldCounts } from '../engine/fold.js'
import { formatPosition, parsePosition } from '../log/position.js'
import { formatTicks, parseTicks, type Ticks } from '../log/ticks.js'
import type { Stretch } from './block-file.js'

/** Raised whenever the bytes change their meaning. */
export const FORMAT = 1

export interface CutInfo {
  /** From 1 on; 0: before the first one, where nothing was read. */
  readonly number: number
  readonly cut: Cut | undefined
  /** The `now` by which it was judged, in milliseconds since the Unix epoch. */
  readonly now: number
  /** The latest `created` in the log up to here, of whatever stream. */
  readonly latest: Ticks | undefined
  /** Ordinal of the next event. */
  readonly nextOrdinal: number
  readonly counts: FoldCounts
  readonly subjects: number
  /** Of this cut and everything that it builds on: equal where two are the same. */
  readonly chain: string
  /** Of the cut whose runs those of this one lie on; empty where there is none. */
  readonly below: string
  readonly stretches: Stretches
}

/** Where the runs of a cut lie in its file. */
export interface Stretches {
  readonly subjects: Stretch
  readonly results: Stretch
  readonly keys: Stretch
}

const NOWHERE: Stretch = { start: 0, end: 0 }

/** Where every series begins. */
export const NOTHING_READ: CutInfo = {
  number: 0,
  cut: undefined,
  now: Number.NEGATIVE_INFINITY,
  latest: undefined,
  nextOrdinal: 0,
  counts: { events: 0, streams: 0, undecodable: 0, gaps: 0, unattributable: 0 },
  subjects: 0,
  chain: '',
  below: '',
  stretches: { subjects: NOWHERE, results: NOWHERE, keys: NOWHERE },
}

/** The chain of a cut: of the one before, of where it is and by what time it was judged, and of the states that it wrote. */
export function chainOf(
  previous: string,
  { position, eventId }: Cut,
  { now, states }: { now: number; states: number },
): string {
  const link = JSON.stringify([previous, formatPosition(position), eventId, now, states])
  return createHash('sha256').update(link).digest('hex')
}

const count = z.int().min(0)
const stretch = z.strictObject({ start: count, end: count })
const infoSchema = z.strictObject({
  format: z.literal(FORMAT),
  number: z.int().min(1),
  position: z.string(),
  time: z.string().nullable(),
  eventId: z.string(),
  now: z.number(),
  latest: z.string().nullable(),
  nextOrdinal: count,
  counts: z.strictObject({
    events: count,
    streams: count,
    undecodable: count,
    gaps: count,
    unattributable: count,
  }),
  subjects: count,
  chain: z.string(),
  below: z.string(),
  stretches: z.strictObject({ subjects: stretch, results: stretch, keys: stretch }),
})

/** The text that a cut's file ends with. */
export function textOfInfo({ cut, latest, ...rest }: CutInfo & { readonly cut: Cut }): string {
  const { position, time, eventId } = cut
  const fields: z.infer<typeof infoSchema> = {
    format: FORMAT,
    position: formatPosition(position),
    time,
    eventId,
    latest: latest === undefined ? null : formatTicks(latest),
    ...rest,
  }
  return JSON.stringify(fields)
}

/** Undefined where the text is none, or of another format. */
export function infoOf(text: string): (CutInfo & { readonly cut: Cut }) | undefined {
  const parsed = infoSchema.safeParse(jsonIn(text))
  if (!parsed.success) return undefined
  const { format: _, position, time, eventId, latest, ...rest } = parsed.data
  const [place, ticks] = [parsePosition(position), latest === null ? undefined : parseTicks(latest)]
  if (!place || (latest !== null && ticks === undefined)) return undefined
  return { ...rest, cut: { position: place, time, eventId }, latest: ticks }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
