// Asking one question of a log twice: from its snapshots, and from its start.
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import type { Cut } from '../../src/engine/cut.js'
import type { Finding } from '../../src/engine/finding.js'
import type { Projection } from '../../src/engine/projection.js'
import { type ReplayOptions, type ReplayResult, replay } from '../../src/engine/replay.js'
import type { EventReader } from '../../src/log/event-store.js'
import { formatPlan, makePlan } from '../../src/repair/plan.js'
import { fittingCut } from '../../src/snapshots/fitting.js'
import type { ToldFinding } from '../../src/snapshots/found.js'
import { openSeries } from '../../src/snapshots/open-series.js'
import { Past } from '../../src/snapshots/past.js'
import { replayFrom } from '../../src/snapshots/replay-from.js'
import { type ScanFrom, scanFrom } from '../../src/snapshots/scan-from.js'
import type { Series } from '../../src/snapshots/series.js'

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

export interface Question extends Pick<ReplayOptions, 'filters'> {
  readonly cut: Cut
  readonly now: number
}

export async function askTwice(
  store: EventReader,
  projection: Projection,
  series: Series,
  question: Question,
): Promise<Answers> {
  const number = await fittingCut(store, series, question)
  const past = new Past(series, number)
  try {
    const options = { ...question, bytesMax: Number.POSITIVE_INFINITY }
    const scanned = await scanFrom(past, store, projection, options)
    const { read: _read, ...replayed } = await replayFrom(past, store, projection, options)
    const whole = await replay(store, projection, question)
    return {
      number,
      fromSnapshot: `${textOfScan(scanned)}\n${textOfAll(replayed, projection)}`,
      fromStart: `${textOfReplay(whole)}\n${textOfAll(whole, projection)}`,
    }
  } finally {
    past.close()
  }
}

function textOfScan({ summary, found }: ScanFrom): string {
  return textOf(summary, [...found.told()], found.needsSomebody)
}

function textOfReplay({ summary, findings, waiting }: ReplayResult): string {
  const told = findings.map((finding) => ({ finding, waitsFor: waiting.get(finding.id) }))
  return textOf(
    summary,
    told,
    findings.some(({ disposition }) => disposition !== 'observe'),
  )
}

/** Everything that a replay gives, and the plan that is made of it. */
function textOfAll(result: ReplayResult, projection: Projection): string {
  const { waiting, atStake } = result
  // Ordinals are there for the order, which is that of the list.
  const compensations = result.compensations.map(({ ordinal: _ordinal, ...rest }) => rest)
  const plan = [...formatPlan(makePlan(result, projection))].join('')
  return `${textOf(result.summary, result.findings, [compensations, [...waiting], [...atStake]])}\n${plan}`
}

/** A result as text, without what differs from run to run. */
function textOf(summary: ScanFrom['summary'], told: readonly (ToldFinding | Finding)[], rest: unknown): string {
  const all = { summary: { ...summary, elapsedMs: 0 }, told, rest }
  return JSON.stringify(all, (_, value) => (typeof value === 'bigint' ? String(value) : value), 1)
}
