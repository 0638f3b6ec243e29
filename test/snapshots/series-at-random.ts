// Asking one question of a log twice: from its snapshots, and from its start.
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import type { Cut } from '../../src/engine/cut.js'
import type { Projection } from '../../src/engine/projection.js'
import { type ReplayResult, replay } from '../../src/engine/replay.js'
import type { EventReader } from '../../src/log/event-store.js'
import { fittingCut } from '../../src/snapshots/fitting.js'
import { openSeries } from '../../src/snapshots/open-series.js'
import { Past } from '../../src/snapshots/past.js'
import { scanFrom } from '../../src/snapshots/scan-from.js'
import type { Series } from '../../src/snapshots/series.js'

/** A result as text, without what differs from run to run. */
export function comparable({
  summary,
  findings,
  waiting,
}: Pick<ReplayResult, 'summary' | 'findings' | 'waiting'>): string {
  const all = { summary: { ...summary, elapsedMs: 0 }, findings, waiting: [...waiting].sort() }
  return JSON.stringify(all, (_, value) => (typeof value === 'bigint' ? String(value) : value), 1)
}

/** The series of a log in a folder of its own. */
export function newSeries(store: EventReader, projection: Projection, folder: string): Promise<Series | undefined> {
  return openSeries(store, projection, { root: mkdtempSync(join(folder, 'series-')), maker: 'test' })
}

export interface Answers {
  /** The snapshot that was used; 0: none fitted. */
  readonly number: number
  readonly fromSnapshot: string
  readonly fromStart: string
}

export async function askTwice(
  store: EventReader,
  projection: Projection,
  series: Series,
  moment: { readonly cut: Cut; readonly now: number },
): Promise<Answers> {
  const number = await fittingCut(store, series, moment)
  const past = new Past(series, number)
  try {
    const result = await scanFrom(past, store, projection, { ...moment, bytesMax: Number.POSITIVE_INFINITY })
    const fromStart = comparable(await replay(store, projection, moment))
    return { number, fromSnapshot: comparable(result), fromStart }
  } finally {
    past.close()
  }
}
