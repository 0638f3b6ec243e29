// The reading loop: the log from its start to a cut, folded and judged. The same question at the same cut gives the same bytes,
// whatever store it is read from.

import type { LeftOut, RecordedEvent } from '../log/event.js'
import type { EventFilter, EventReader, EventSink, ReadAllOptions } from '../log/event-store.js'
import { comparePositions, type Position } from '../log/position.js'
import { prefixesOf } from '../log/stream.js'
import { formatTicks, type Ticks, ticksOfMs } from '../log/ticks.js'
import { type Cut, CutError, cutAtEvent } from './cut.js'
import { rulesOf } from './detect.js'
import { digestOfScan, type ScanQuestion } from './digest.js'
import { compareFindings, type Finding } from './finding.js'
import type { FoldCounts } from './fold.js'
import { type AtStake, type Judgement, judge, type Waiting } from './judge.js'
import type { Compensation, LookUp } from './judge-part.js'
import type { PartJudges } from './part-judges.js'
import { type MemoryLimit, PartitionedLog } from './partitioned-log.js'
import type { Projection } from './projection.js'

/** How far a replay has come. */
export interface Progress {
  readonly events: number
  /** 0 to 1, by position while reading and then by what is judged; undefined while the end is not known. */
  readonly fraction: number | undefined
  readonly elapsedMs: number
}

/** Of the whole work, about so much is the reading; the rest is folding and judging what was read. */
const READING_SHARE = 0.25

export interface ReplayOptions {
  /** Where to stop; left out: at the end of the reading, which must then be one that nobody appends to (log files). */
  readonly cut?: Cut
  /** What rules take for the present, in milliseconds since the Unix epoch. */
  readonly now: number
  /**
   * Only what had happened by then is folded, late events among it; what the log holds up to the cut is read all the same. Left out: everything that
   * was known at the cut.
   */
  readonly happenedBy?: Ticks
  /** Only findings of these rules or subjects are reported. Everything is folded and judged all the same. */
  readonly filters?: ScanQuestion['filters']
  readonly lookUp?: LookUp
  /** Left out: everything is held in memory. Findings, digest and order are the same for any limit. */
  readonly memory?: MemoryLimit
  /** Starts threads that judge beside this one; called once, and only for a log that is worth it. Findings, digest and order are the same. */
  readonly openJudges?: (projection: Projection) => PartJudges | undefined
  readonly signal?: AbortSignal
  /** Called after each batch, and after each part that was judged. */
  readonly onProgress?: (progress: Progress) => void
  /** After the reading: how many of the source's lines gave no event because they could not be read. Default none. */
  readonly countUnreadable?: () => number
  /** Milliseconds of any steady clock, for elapsed times only. */
  readonly elapsedClock?: () => number
}

/** How much of the log a result rests on. */
export interface Coverage extends FoldCounts {
  /** False where something in range could not be read or belongs to nobody known: then "no finding" means nothing. */
  readonly complete: boolean
  readonly subjects: number
  /** Lines of a log file that gave no event. */
  readonly unreadable: number
}

export interface ScanSummary extends ScanQuestion {
  readonly cut: Cut | null
  /** RFC 3339; only where it was asked for. `now`, which the digest covers, is then the same moment unless it was given. */
  readonly happenedBy?: string
  readonly coverage: Coverage
  /** Findings by rule; rules that found nothing are left out. */
  readonly findings: Readonly<Record<string, number>>
  readonly digest: string
  readonly elapsedMs: number
}

export interface ReplayResult {
  readonly summary: ScanSummary
  /** Sorted by subject, rule, id. */
  readonly findings: readonly Finding[]
  /** In the order of the subjects' first events; not narrowed by the filters' rules. */
  readonly compensations: readonly Compensation[]
  /** Why repairable findings are not compensated now. No part of the findings: it changes with `now` alone. */
  readonly waiting: Waiting
  /** By subject, for those with findings; not narrowed by the filters. */
  readonly atStake: AtStake
}

/**
 * Replays the log up to the cut, folds every subject and reports what is wrong. Memory grows with the number of events, up to
 * the limit, and with the number of findings. Throws what the reader throws, ScratchError, CutError where nothing had happened yet, and the
 * signal's reason when aborted.
 */
export async function replay(
  reader: EventReader,
  projection: Projection,
  options: ReplayOptions,
): Promise<ReplayResult> {
  const clock = options.elapsedClock ?? (() => performance.now())
  const startedAt = clock()
  const log = new PartitionedLog(projection, options.memory, options)
  const judges = new JudgesOnDemand(projection, options)
  try {
    const onBatch = () => judges.openFor(log.taken)
    const reading = await readUpTo(reader, { log, projection }, { ...options, clock, startedAt, onBatch })
    const judged = await judge(log, projection, {
      ...options,
      ...(judges.opened && { judges: judges.opened }),
      onPart: (share) =>
        options.onProgress?.({
          events: reading.examined,
          fraction: READING_SHARE + share * (1 - READING_SHARE),
          elapsedMs: clock() - startedAt,
        }),
    })
    refuseNothing(judged, options)
    return resultOf(judged, projection, { ...options, ...reading, elapsedMs: Math.round(clock() - startedAt) })
  } finally {
    await judges.opened?.close()
    log.close()
  }
}

/** With fewer events the work is done before another thread has begun. */
const EVENTS_WORTH_THREADS = 50_000

/** Other threads, started while the log is still read, once it is clear that there is enough for them to do. */
class JudgesOnDemand {
  opened: PartJudges | undefined
  readonly #open: (() => PartJudges | undefined) | undefined
  #isAsked = false

  constructor(projection: Projection, { openJudges, lookUp }: ReplayOptions) {
    this.#open = lookUp ? undefined : () => openJudges?.(projection)
  }

  openFor(events: number): void {
    if (this.#isAsked || events < EVENTS_WORTH_THREADS) return
    this.#isAsked = true
    this.opened = this.#open?.()
  }
}

function refuseNothing({ counts }: Judgement, { happenedBy }: ReplayOptions): void {
  if (happenedBy === undefined || counts.events > 0) return
  throw new CutError(`Nothing in the log had happened by ${formatTicks(happenedBy)}`)
}

function resultOf(
  judged: Judgement,
  projection: Projection,
  options: ReplayOptions & Reading & { elapsedMs: number },
): ReplayResult {
  const { filters = {}, now, lastRead, leftOut, elapsedMs } = options
  const findings = judged.findings.filter((finding) => isAskedFor(finding, filters)).sort(compareFindings)
  const question: ScanQuestion = {
    projection: projection.name,
    version: projection.version,
    filters,
    now: formatTicks(ticksOfMs(now)),
  }
  const summary: ScanSummary = {
    ...question,
    cut: options.cut ?? lastRead ?? null,
    ...(options.happenedBy !== undefined && { happenedBy: formatTicks(options.happenedBy) }),
    coverage: coverageOf(judged, leftOut, options.countUnreadable?.() ?? 0),
    findings: countByRule(findings, projection),
    digest: digestOfScan(question, findings),
    elapsedMs,
  }
  const compensations = judged.compensations.filter(({ subject }) => filters.subjects?.includes(subject) ?? true)
  return { summary, findings, compensations, waiting: judged.waiting, atStake: judged.atStake }
}

async function readUpTo(
  reader: EventReader,
  { log, projection }: { log: PartitionedLog; projection: Projection },
  options: ReplayOptions & { clock: () => number; startedAt: number; onBatch: () => void },
): Promise<Reading> {
  const { cut, signal, clock, startedAt } = options
  const filter = { streamPrefixes: prefixesOf(projection.categories) }
  if (cut && reader.pourAll) return pourUpTo(reader.pourAll.bind(reader), log, { ...options, cut, filter })
  let lastRead: Cut | undefined
  let leftOut: LeftOut = NOTHING
  let examined = 0
  for await (const batch of reader.readAll({ filter, ...settledOf(projection, options), ...(signal && { signal }) })) {
    signal?.throwIfAborted()
    const events = cut ? eventsUpTo(batch.events, cut.position) : batch.events
    for (const event of events) log.add(event)
    options.onBatch()
    lastRead = cutAtEvent(events.at(-1)) ?? lastRead
    leftOut = batch.leftOut ?? leftOut
    examined = batch.examined ?? log.taken + leftOut.events
    const fraction = cut && READING_SHARE * fractionOf(batch.position.commit, cut.position.commit)
    options.onProgress?.({ events: examined, fraction, elapsedMs: clock() - startedAt })
    if (cut && comparePositions(batch.position, cut.position) >= 0) break
  }
  return { lastRead, leftOut, examined }
}

/** The same from a home that gives bytes. */
async function pourUpTo(
  pourAll: NonNullable<EventReader['pourAll']>,
  log: PartitionedLog,
  options: ReplayOptions & {
    clock: () => number
    startedAt: number
    onBatch: () => void
    cut: Cut
    filter: EventFilter
  },
): Promise<Reading> {
  const { cut, filter, signal, clock, startedAt } = options
  const sink: EventSink = (...event) => log.addBytes(...event)
  for await (const position of pourAll(sink, { to: cut.position, filter, ...(signal && { signal }) })) {
    signal?.throwIfAborted()
    options.onBatch()
    const fraction = READING_SHARE * fractionOf(position.commit, cut.position.commit)
    options.onProgress?.({ events: log.taken, fraction, elapsedMs: clock() - startedAt })
  }
  return { lastRead: undefined, leftOut: NOTHING, examined: log.taken }
}

/** What of the log has been read. */
interface Reading {
  readonly lastRead: Cut | undefined
  readonly leftOut: LeftOut
  readonly examined: number
}

const NOTHING: LeftOut = { events: 0, streams: 0, subjects: 0 }

/** Whether settled subjects may be left out: with an earlier end they might not be settled yet. */
function settledOf(
  { settledBy }: Projection,
  { cut, happenedBy, memory }: ReplayOptions,
): Pick<ReadAllOptions, 'settled'> {
  if (settledBy === undefined || cut !== undefined || happenedBy !== undefined) return {}
  // As much as the fold may take: there is little to fold where most is left out.
  return { settled: { by: settledBy, ...(memory && { bytesMax: memory.bytesMax }) } }
}

/** The events of a batch that are not beyond a position: all of them, but for the batch in which it lies. */
function eventsUpTo(events: readonly RecordedEvent[], position: Position): readonly RecordedEvent[] {
  const last = events.at(-1)
  if (!last || comparePositions(last.position, position) <= 0) return events
  return events.filter((event) => comparePositions(event.position, position) <= 0)
}

function fractionOf(done: bigint, all: bigint): number {
  return all === 0n ? 1 : Math.min(1, Number(done) / Number(all))
}

function isAskedFor({ rule, subject }: Finding, { rules, subjects }: ScanQuestion['filters']): boolean {
  return (rules?.includes(rule) ?? true) && (subjects?.includes(subject) ?? true)
}

/** What a result rests on: what was folded, what was left out as settled, and how many lines could not be read. */
export function coverageOf(
  { counts, subjects }: Pick<Judgement, 'counts' | 'subjects'>,
  leftOut: LeftOut = NOTHING,
  unreadable = 0,
): Coverage {
  return {
    complete: counts.unattributable === 0 && unreadable === 0,
    events: counts.events + leftOut.events,
    streams: counts.streams + leftOut.streams,
    subjects: subjects + leftOut.subjects,
    undecodable: counts.undecodable,
    gaps: counts.gaps,
    unattributable: counts.unattributable,
    unreadable,
  }
}

/** How many findings each rule has, in the order of the rules. */
export function countByRule(findings: readonly Finding[], projection: Projection): Record<string, number> {
  const counts = new Map<string, number>()
  for (const { rule } of findings) counts.set(rule, (counts.get(rule) ?? 0) + 1)
  const ids = rulesOf(projection).map(({ id }) => id)
  return Object.fromEntries(ids.filter((id) => counts.has(id)).map((id) => [id, counts.get(id) as number]))
}
