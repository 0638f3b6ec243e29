// A scan that goes on from a snapshot: the log is read from there only, and what it finds is what a replay from the start finds.

import type { Cut } from '../engine/cut.js'
import { rulesOf } from '../engine/detect.js'
import { digestOfTexts, type ScanQuestion } from '../engine/digest.js'
import type { Finding } from '../engine/finding.js'
import { isRepairable } from '../engine/finding.js'
import { readRange } from '../engine/log-range.js'
import type { Projection } from '../engine/projection.js'
import type { Coverage, Progress, ReplayOptions, ReplayResult } from '../engine/replay.js'
import type { EventReader } from '../log/event-store.js'
import { prefixesOf } from '../log/stream.js'
import { formatTicks, ticksOfMs } from '../log/ticks.js'
import { type Advance, advance } from './advance.js'
import { Delta } from './delta.js'
import type { Past } from './past.js'
import { type HashedResult, recordOfResult, resultIn } from './result-record.js'
import { compareRecords, mergeRuns, type RunRecord } from './run.js'

export interface ScanFromOptions
  extends Pick<ReplayOptions, 'now' | 'filters' | 'signal' | 'onProgress' | 'elapsedClock'> {
  readonly cut: Cut
  /** What events since the snapshot may take of memory. */
  readonly bytesMax: number
}

/** What a replay tells of findings; compensations are not made. */
export interface ScanFrom extends Pick<ReplayResult, 'summary' | 'findings' | 'waiting'> {
  /** Events of the projection's streams that were read since the snapshot. */
  readonly read: number
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
  const { now, signal, filters = {}, cut } = options
  const delta = await readDelta(past, reader, projection, { ...options, elapsedMs: () => clock() - startedAt })
  const advanced = await advance(past, delta, { projection, now, ...(signal && { signal }) })
  const found = collect(mergedResults(past, advanced), filters)
  const { name, version } = projection
  const question: ScanQuestion = { projection: name, version, filters, now: formatTicks(ticksOfMs(now)) }
  return {
    summary: {
      ...question,
      cut,
      coverage: coverageOf(advanced),
      findings: inOrderOfRules(found.byRule, projection),
      digest: digestOfTexts(question, found.texts),
      elapsedMs: Math.round(clock() - startedAt),
    },
    findings: found.findings,
    waiting: found.waiting,
    read: delta.nextOrdinal - past.info.nextOrdinal,
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
function* mergedResults(past: Past, { judged }: Advance): Iterable<readonly [subject: string, result: HashedResult]> {
  const fresh: RunRecord[] = []
  for (const [subject, { result }] of judged) fresh.push(recordOfResult(subject, result))
  for (const { key, value } of mergeRuns([fresh.sort(compareRecords), past.results()])) {
    if (value.length > 0) yield [key.toString('utf8'), resultIn(value)]
  }
}

interface Found {
  readonly findings: Finding[]
  readonly texts: string[]
  readonly waiting: Map<string, readonly string[]>
  readonly byRule: Map<string, number>
}

function collect(
  results: Iterable<readonly [subject: string, result: HashedResult]>,
  { rules, subjects }: ScanQuestion['filters'],
): Found {
  const found: Found = { findings: [], texts: [], waiting: new Map(), byRule: new Map() }
  for (const [subject, { findings, texts, unmet }] of results) {
    const isWanted = subjects?.includes(subject) ?? true
    for (const [index, finding] of findings.entries()) {
      if (unmet.length > 0 && isRepairable(finding)) found.waiting.set(finding.id, unmet)
      if (!isWanted || !(rules?.includes(finding.rule) ?? true)) continue
      found.findings.push(finding)
      found.texts.push(texts[index] ?? '')
      found.byRule.set(finding.rule, (found.byRule.get(finding.rule) ?? 0) + 1)
    }
  }
  return found
}

function coverageOf({ counts, subjects }: Advance): Coverage {
  const { events, streams, undecodable, gaps, unattributable } = counts
  const complete = unattributable === 0
  return { complete, events, streams, subjects, undecodable, gaps, unattributable, unreadable: 0 }
}

function inOrderOfRules(byRule: ReadonlyMap<string, number>, projection: Projection): Record<string, number> {
  const counted = rulesOf(projection).map(({ id }): [string, number] => [id, byRule.get(id) ?? 0])
  return Object.fromEntries(counted.filter(([, count]) => count > 0))
}
