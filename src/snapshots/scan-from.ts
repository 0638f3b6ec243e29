// A scan that goes on from a snapshot: the log is read from there only, and what it finds is what a replay from the start finds.

import type { Cut } from '../engine/cut.js'
import type { ScanQuestion } from '../engine/digest.js'
import { readRange } from '../engine/log-range.js'
import type { Projection } from '../engine/projection.js'
import type { Coverage, Progress, ReplayOptions, ScanSummary } from '../engine/replay.js'
import type { EventReader } from '../log/event-store.js'
import { prefixesOf } from '../log/stream.js'
import { formatTicks, ticksOfMs } from '../log/ticks.js'
import { type Advance, advance } from './advance.js'
import { Delta } from './delta.js'
import { Found } from './found.js'
import type { Past } from './past.js'
import { recordOfResult } from './result-record.js'
import { compareRecords, mergeRuns, type RunRecord } from './run.js'
import { States } from './states.js'

export interface ScanFromOptions
  extends Pick<ReplayOptions, 'now' | 'filters' | 'signal' | 'onProgress' | 'elapsedClock'> {
  readonly cut: Cut
  /** What events since the snapshot may take of memory. */
  readonly bytesMax: number
}

/** What a replay tells of findings, and what compensations can be made of. */
export interface ScanFrom {
  readonly summary: ScanSummary
  readonly found: Found
  /** Events of the projection's streams that were read since the snapshot. */
  readonly read: number
  /** Of all subjects with findings, in the order of their bytes. May be asked for again, while the past is open. */
  readonly results: Iterable<RunRecord>
  /** As of the cut; while the past is open. */
  readonly states: States
}

/**
 * Scans up to the cut. The past must fit: not be after it, nor judged by a later `now`. Throws DeltaTooLargeError, SnapshotDamagedError,
 * NowWithoutDeadlinesError, what the reader throws, and the signal's reason.
 */
export async function scanFrom(
  past: Past,
  reader: EventReader,
  projection: Projection,
  options: ScanFromOptions,
): Promise<ScanFrom> {
  const clock = options.elapsedClock ?? (() => performance.now())
  const startedAt = clock()
  const elapsedMs = () => Math.round(clock() - startedAt)
  const { now, signal, filters = {}, cut } = options
  const delta = await readDelta(past, reader, projection, { ...options, elapsedMs })
  const advanced = await advance(past, delta, { projection, now, ...(signal && { signal }) })
  const { name, version } = projection
  const question: ScanQuestion = { projection: name, version, filters, now: formatTicks(ticksOfMs(now)) }
  const results = { [Symbol.iterator]: () => resultsOf(past, advanced, projection) }
  const found = new Found(results, projection, question)
  const [coverage, findings] = [coverageOf(advanced), found.byRule]
  return {
    summary: { ...question, cut, coverage, findings, digest: found.digest, elapsedMs: elapsedMs() },
    found,
    read: delta.nextOrdinal - past.info.nextOrdinal,
    results,
    states: new States(past, delta, projection),
  }
}

async function readDelta(
  past: Past,
  reader: EventReader,
  projection: Projection,
  { cut, bytesMax, signal, onProgress, elapsedMs }: ScanFromOptions & { elapsedMs: () => number },
): Promise<Delta> {
  const { nextOrdinal, cut: start } = past.info
  const delta = new Delta(projection, { nextOrdinal, bytesMax })
  const range = {
    streamPrefixes: prefixesOf(projection.categories),
    ...(start && { after: start.position }),
    upTo: cut.position,
    ...(signal && { signal }),
  }
  for await (const event of readRange(reader, range)) {
    delta.add(event)
    const events = delta.nextOrdinal - nextOrdinal
    if (events % EVENTS_PER_PROGRESS === 0) onProgress?.(progressOf(events, elapsedMs()))
  }
  return delta
}

const EVENTS_PER_PROGRESS = 1_000

function progressOf(events: number, elapsedMs: number): Progress {
  return { events, fraction: undefined, elapsedMs }
}

/** What stands of the snapshot's results, and those that were judged again. */
function* resultsOf(past: Past, { judged }: Advance, projection: Projection): Generator<RunRecord> {
  const fresh: RunRecord[] = []
  for (const [subject, { result }] of judged) fresh.push(recordOfResult(subject, result, projection))
  for (const record of mergeRuns([fresh.sort(compareRecords), past.results()]))
    if (record.value.length > 0) yield record
}

function coverageOf({ counts, subjects }: Advance): Coverage {
  const { events, streams, undecodable, gaps, unattributable } = counts
  const complete = unattributable === 0
  return { complete, events, streams, subjects, undecodable, gaps, unattributable, unreadable: 0 }
}
