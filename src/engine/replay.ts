// A replay: the log from its start to a cut, folded and judged. The same question at the same cut gives the same bytes, whatever store it is read
// from.
import type { LeftOut } from '../log/event.js'
import type { EventReader } from '../log/event-store.js'
import { formatTicks, type Ticks, ticksOfMs } from '../log/ticks.js'
import { type Cut, CutError } from './cut.js'
import { rulesOf } from './detect.js'
import { canonicalize, digestOfTexts, type ScanQuestion } from './digest.js'
import { type Finding, isRepairable } from './finding.js'
import type { FoldCounts } from './fold.js'
import { type Judgement, judge } from './judge.js'
import type { Compensation, LookUp, SubjectResult, Value } from './judge-part.js'
import { type MemoryLimit, PartitionedLog } from './partitioned-log.js'
import type { Projection } from './projection.js'
import { type Reading, readLog } from './read-log.js'
import type { ReplayThreads, ThreadSource } from './replay-threads.js'

/** How far a replay has come. */
export interface Progress {
  readonly events: number
  /** 0 to 1, by position while reading and then by what is judged; undefined while the end is not known. */
  readonly fraction: number | undefined
  readonly elapsedMs: number
}

/** Findings that may be repaired but not now, by their ids: the names of the guards that do not hold. */
export type Waiting = ReadonlyMap<string, readonly string[]>

/** What is at stake with each subject that has findings; those of which the projection tells nothing are left out. */
export type AtStake = ReadonlyMap<string, Value>

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
  /** Threads that read and judge beside this one; started once, and only for a log that is worth it. Findings, digest and order are the same. */
  readonly threads?: ThreadSource
  /** As the reader's own, where it has none: where the log may be cut into ranges. Left out: a reader without one is read by one thread. */
  readonly splitAll?: NonNullable<EventReader['splitAll']>
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

/** A finding as a replay gives it, with the names of the guards that it waits for, where it does. */
export interface Found {
  readonly finding: Finding
  readonly waitsFor: readonly string[] | undefined
}

/** A replay's result while it is at hand. */
export interface JudgedReplay {
  readonly summary: ScanSummary
  /** Whether there is more than what is only observed. */
  readonly needsSomebody: boolean
  /** Sorted by subject, rule, id. May be asked for again. */
  readonly found: Iterable<Found>
  /** By subject, not narrowed by the filters. May be asked for again. */
  readonly results: Iterable<SubjectResult>
}

/**
 * Replays the log up to the cut, folds every subject and reports what is wrong. Memory grows with the number of events, up to
 * the limit, and with the number of findings. Throws what the reader throws, ScratchError, CutError where nothing had happened yet, and the
 * signal's reason when aborted.
 */
export function replay(reader: EventReader, projection: Projection, options: ReplayOptions): Promise<ReplayResult> {
  return replayInto(reader, projection, options, ({ summary, results }) =>
    collectReplay(summary, results, options.filters),
  )
}

/** The same in bounded memory, whatever was found: the result is at hand only until `use` is done, and what does not fit is in scratch space. */
export async function replayInto<Used>(
  reader: EventReader,
  projection: Projection,
  options: ReplayOptions,
  use: (judged: JudgedReplay) => Used | Promise<Used>,
): Promise<Used> {
  const clock = options.elapsedClock ?? (() => performance.now())
  const startedAt = clock()
  const log = new PartitionedLog(projection, options.memory, options)
  const others = new OthersOnDemand(reader, projection, options)
  let events = 0
  const tell = (fraction: number | undefined) =>
    options.onProgress?.({ events, fraction, elapsedMs: clock() - startedAt })
  try {
    const onBatch = (examined: number, share: number | undefined) => {
      if (log.taken >= EVENTS_WORTH_THREADS) others.open()
      events = examined
      tell(share && READING_SHARE * share)
    }
    const reading = await readLog(reader, log, projection, { ...options, onBatch, others })
    events = reading.examined
    const onPart = (share: number) => tell(READING_SHARE + share * (1 - READING_SHARE))
    const judged = await judge(log, projection, { ...options, ...others.opened, onPart })
    refuseNothing(judged, options)
    const elapsedMs = Math.round(clock() - startedAt)
    return await use(judgedReplay(judged, projection, { ...options, ...reading, elapsedMs }))
  } finally {
    await others.opened?.others.close()
    log.close()
  }
}

/** Of the whole work, about so much is the reading; the rest is folding and judging what was read. */
const READING_SHARE = 0.25

/** With fewer events the work is done before another thread has begun. */
const EVENTS_WORTH_THREADS = 50_000

/** Other threads, started once it is clear that there is enough for them to do. Lookups are asked from this thread alone: with them it is alone. */
class OthersOnDemand {
  /** How many there may be. */
  readonly count: number
  opened: { readonly others: ReplayThreads } | undefined
  readonly #open: () => ReplayThreads | undefined
  #isAsked = false

  constructor(reader: EventReader, projection: Projection, { threads, lookUp }: ReplayOptions) {
    this.count = lookUp ? 0 : (threads?.count ?? 0)
    this.#open = () => threads?.open(projection, reader)
  }

  open(): ReplayThreads | undefined {
    if (!this.#isAsked && this.count > 0) {
      this.#isAsked = true
      const others = this.#open()
      this.opened = others && { others }
    }
    return this.opened?.others
  }
}

function refuseNothing({ counts }: Judgement, { happenedBy }: ReplayOptions): void {
  if (happenedBy === undefined || counts.events > 0) return
  throw new CutError(`Nothing in the log had happened by ${formatTicks(happenedBy)}`)
}

/** What was judged as a replay gives it: narrowed, counted, digested. */
export function judgedReplay(
  judged: Omit<Judgement, 'results'> & { readonly results: Iterable<SubjectResult> },
  projection: Projection,
  options: ReplayOptions & Pick<Reading, 'lastRead' | 'leftOut'> & { elapsedMs: number },
): JudgedReplay {
  const { filters = {}, now, lastRead, leftOut, elapsedMs } = options
  const found = { [Symbol.iterator]: () => findIn(judged.results, filters) }
  const question: ScanQuestion = {
    projection: projection.name,
    version: projection.version,
    filters,
    now: formatTicks(ticksOfMs(now)),
  }
  const counts = new RuleCounts()
  const digest = digestOfTexts(question, counts.countEach(found))
  const summary: ScanSummary = {
    ...question,
    cut: options.cut ?? lastRead ?? null,
    ...(options.happenedBy !== undefined && { happenedBy: formatTicks(options.happenedBy) }),
    coverage: coverageOf(judged, leftOut, options.countUnreadable?.() ?? 0),
    findings: counts.inOrder(projection),
    digest,
    elapsedMs,
  }
  return { summary, needsSomebody: counts.needsSomebody, found, results: judged.results }
}

function* findIn(results: Iterable<SubjectResult>, filters: ScanQuestion['filters']): Generator<Found> {
  for (const result of results) {
    for (const finding of result.findings) {
      if (isAskedFor(finding, filters)) yield { finding, waitsFor: waitsFor(finding, result) }
    }
  }
}

function waitsFor(finding: Finding, { unmet }: SubjectResult): readonly string[] | undefined {
  return unmet.length > 0 && isRepairable(finding) ? unmet : undefined
}

/** Counts findings on their way into the digest. */
class RuleCounts {
  readonly #counts = new Map<string, number>()
  needsSomebody = false

  add({ rule, disposition }: Finding): void {
    this.needsSomebody ||= disposition !== 'observe'
    this.#counts.set(rule, (this.#counts.get(rule) ?? 0) + 1)
  }

  *countEach(found: Iterable<Found>): Iterable<string> {
    for (const { finding } of found) {
      this.add(finding)
      yield canonicalize(finding)
    }
  }

  /** Rules that found nothing are left out. */
  inOrder(projection: Projection): Record<string, number> {
    const ids = rulesOf(projection).map(({ id }) => id)
    return Object.fromEntries(ids.flatMap((id) => (this.#counts.has(id) ? [[id, this.#counts.get(id) ?? 0]] : [])))
  }
}

/** Everything that was found, in memory; `results`: of all subjects with findings, in their order, to be asked for twice. */
export function collectReplay(
  summary: ScanSummary,
  results: Iterable<SubjectResult>,
  filters: ScanQuestion['filters'] = {},
): ReplayResult {
  const findings = Array.from(findIn(results, filters), ({ finding }) => finding)
  const compensations: Compensation[] = []
  const waiting = new Map<string, readonly string[]>()
  const atStake = new Map<string, Value>()
  for (const result of results) {
    const { subject, compensation, value } = result
    if (compensation && (filters.subjects?.includes(subject) ?? true)) compensations.push(compensation)
    if (value) atStake.set(subject, value)
    for (const finding of result.findings) {
      const unmet = waitsFor(finding, result)
      if (unmet) waiting.set(finding.id, unmet)
    }
  }
  compensations.sort((a, b) => a.ordinal - b.ordinal)
  return { summary, findings, compensations, waiting, atStake }
}

function isAskedFor({ rule, subject }: Finding, { rules, subjects }: ScanQuestion['filters']): boolean {
  return (rules?.includes(rule) ?? true) && (subjects?.includes(subject) ?? true)
}

/** What a result rests on: what was folded, what was left out as settled, and how many lines could not be read. */
function coverageOf(
  { counts, subjects }: Pick<Judgement, 'counts' | 'subjects'>,
  leftOut: LeftOut,
  unreadable: number,
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
