// Finding the series of a log under a projection, in the folder that holds all series.
import type { Projection } from '../engine/projection.js'
import type { EventReader } from '../log/event-store.js'
import { prefixesOf } from '../log/stream.js'
import { folderOfSeries, Series } from './series.js'

export interface SeriesHome {
  /** The folder that holds all series; it need not be there. */
  readonly root: string
  /** Version of the program. */
  readonly maker: string
}

/** Undefined where the log has no event of the projection's. Throws what the reader throws. */
export async function openSeries(
  reader: EventReader,
  projection: Projection,
  { root, maker }: SeriesHome,
): Promise<Series | undefined> {
  const filter = { streamPrefixes: prefixesOf(projection.categories) }
  for await (const { events } of reader.readAll({ filter, maxCount: 1 })) {
    const [first] = events
    if (first) return new Series(folderOfSeries(root, { firstEventId: first.id, projection, maker }))
  }
  return undefined
}
