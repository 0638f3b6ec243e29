// Making snapshots: the log is read once, from the newest cut that there is, and every so many events a further cut is written. A making that is cut
// short leaves whole cuts, from which the next one goes on.
import { cutAtEvent } from '../engine/cut.js'
import { readRange } from '../engine/log-range.js'
import type { Projection } from '../engine/projection.js'
import type { RecordedEvent } from '../log/event.js'
import type { EventReader } from '../log/event-store.js'
import { readStoreMarker } from '../log/store-marker.js'
import { msOfTicks, parseTicks, type Ticks } from '../log/ticks.js'
import type { CutInfo } from './cut-info.js'
import { SnapshotDamagedError } from './damaged.js'
import { Delta } from './delta.js'
import { newestOfLog } from './fitting.js'
import { Past } from './past.js'
import type { Series } from './series.js'
import { writeCut } from './write-cut.js'

export interface MakingOptions {
  /** A cut every so many events of the log, of whatever stream. */
  readonly every: number
  readonly signal?: AbortSignal
  readonly onCut?: (info: CutInfo) => void
  /** Cuts that were there could not be used and were removed: why. */
  readonly onDropped?: (why: string) => void
}

export interface Made {
  readonly made: number
  /** The newest cut that there is now. */
  readonly newest: CutInfo
  /** Events of the log behind it. */
  readonly behind: number
  /** Somebody else has made a cut meanwhile, and may be about to make more. */
  readonly isOvertaken: boolean
}

/**
 * Brings a series up to the end of the log. Cuts that are damaged or of another log are removed and made anew. Throws what the reader throws,
 * NowWithoutDeadlinesError, what the file system throws, and the signal's reason; the cuts that are whole stay.
 */
export async function makeSnapshots(
  reader: EventReader,
  projection: Projection,
  series: Series,
  options: MakingOptions,
): Promise<Made> {
  const making = new Making(reader, projection, series, options)
  try {
    return await making.goOnFrom(await newestToKeep(reader, series, options))
  } catch (error) {
    if (!(error instanceof SnapshotDamagedError)) throw error
    options.onDropped?.(error.message)
    series.keepUpTo(0)
    return making.goOnFrom(0)
  }
}

async function newestToKeep(reader: EventReader, series: Series, { onDropped }: MakingOptions): Promise<number> {
  const count = series.count()
  const newest = await newestOfLog(reader, series, count, onDropped)
  series.keepUpTo(newest)
  return newest
}

/** What was read since a cut. */
interface Gathered {
  readonly delta: Delta
  /** The event at which the next cut is made; undefined where the log ended before. */
  readonly last: RecordedEvent | undefined
  readonly latest: Ticks | undefined
  readonly events: number
}

class Making {
  readonly #reader: EventReader
  readonly #projection: Projection
  readonly #series: Series
  readonly #options: MakingOptions
  #made = 0

  constructor(reader: EventReader, projection: Projection, series: Series, options: MakingOptions) {
    this.#reader = reader
    this.#projection = projection
    this.#series = series
    this.#options = options
  }

  async goOnFrom(number: number): Promise<Made> {
    const { signal } = this.#options
    const markedNow = nowOfMarker((await readStoreMarker(this.#reader))?.now)
    const after = this.#series.info(number).cut?.position
    const range = { ...(after && { after }), ...(signal && { signal }) }
    const events = readRange(this.#reader, range)[Symbol.asyncIterator]()
    try {
      return await this.#cutEach(events, number, markedNow)
    } finally {
      await events.return?.()
    }
  }

  async #cutEach(events: AsyncIterator<RecordedEvent>, first: number, markedNow: number | undefined): Promise<Made> {
    for (let number = first; ; number += 1) {
      const past = new Past(this.#series, number)
      try {
        const { delta, last, latest, events: behind } = await this.#gather(events, past.info)
        const cut = cutAtEvent(last)
        const outcome = { made: this.#made, newest: past.info, behind }
        if (!cut) return { ...outcome, isOvertaken: false }
        const now = Math.max(past.info.now, markedNow ?? msOfText(cut.time))
        const { signal } = this.#options
        const next = { cut, latest, now, projection: this.#projection, ...(signal && { signal }) }
        if (!(await writeCut(this.#series, past, delta, next))) return { ...outcome, isOvertaken: true }
      } finally {
        past.close()
      }
      this.#made += 1
      this.#options.onCut?.(this.#series.info(number + 1))
    }
  }

  async #gather(events: AsyncIterator<RecordedEvent>, { latest: known, nextOrdinal }: CutInfo): Promise<Gathered> {
    const delta = new Delta(this.#projection, { nextOrdinal, bytesMax: Number.POSITIVE_INFINITY })
    let [latest, count] = [known, 0]
    for (let next = await events.next(); !next.done; next = await events.next()) {
      const event = next.value
      latest = laterOf(latest, event.created)
      count += 1
      const isOwned = delta.add(event)
      // At an event of the projection's own: others may be gone from a server by the time that the cut is looked for.
      if (isOwned && count >= this.#options.every) return { delta, last: event, latest, events: count }
    }
    return { delta, last: undefined, latest, events: count }
  }
}

function laterOf(a: Ticks | undefined, b: Ticks | undefined): Ticks | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a
}

/** What rules take for the present as of a cut, where nothing else is said: what a generated store is marked with, else the cut's time. */
function nowOfMarker(text: string | undefined): number | undefined {
  const ticks = text === undefined ? undefined : parseTicks(text)
  return ticks === undefined ? undefined : msOfTicks(ticks)
}

/** Logs that keep no time are judged as of the beginning of time, before every deadline. */
function msOfText(time: string | null): number {
  return nowOfMarker(time ?? undefined) ?? 0
}
