// Bisection: since when findings of a rule have been true, for one subject or for all, in one pass over the log instead of a replay for every
// place in it.
import type { RecordedEvent } from '../log/event.js'
import type { EventReader } from '../log/event-store.js'
import { comparePositions } from '../log/position.js'
import { describedBy, metadataStreamOf, prefixesOf, streamOf } from '../log/stream.js'
import type { Cut } from './cut.js'
import { rulesOf } from './detect.js'
import { EventsBySubject } from './events-by-subject.js'
import { readRange } from './log-range.js'
import { ownerOf } from './moment.js'
import type { MemoryLimit } from './partitioned-log.js'
import type { Projection } from './projection.js'
import type { Progress } from './replay.js'
import { sharedTurnsOf } from './shared-turns.js'
import { type Turn, type TurnsQuestion, turnsOf } from './turns.js'

export interface BisectOptions extends TurnsQuestion {
  /** Where the reading ends. */
  readonly cut: Cut
  /** Default all. */
  readonly subjects?: readonly string[]
  /** Left out: everything is held in memory. */
  readonly memory?: MemoryLimit
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}

export interface Bisection {
  /** In the order of time, then of the log. */
  readonly turns: readonly Turn[]
  /** Events that were read and belong to nobody known: they could be anybody's, and "never true" means nothing then. */
  readonly unattributable: number
}

/** A rule that cannot be bisected, and why. */
export class BisectError extends Error {
  override readonly name = 'BisectError'
}

/**
 * All turns of a rule's findings. Throws BisectError for a rule that there is not, or of which the log alone does
 * not tell; ScratchError, and what the reader throws.
 */
export async function bisect(reader: EventReader, projection: Projection, options: BisectOptions): Promise<Bisection> {
  refuseRule(projection, options)
  const gathered = new EventsBySubject(options.memory)
  try {
    const unattributable = await gather(reader, projection, { ...options, gathered })
    const turns = [...allTurns(gathered, projection, options)]
    turns.sort((a, b) => a.at - b.at || comparePositions(a.cause.event.position, b.cause.event.position))
    return { turns, unattributable }
  } finally {
    gathered.close()
  }
}

function* allTurns(gathered: EventsBySubject, projection: Projection, options: BisectOptions): Iterable<Turn> {
  const { rule, axis, now, subjects } = options
  const sharedRule = sharedRuleOf(projection, rule)
  if (!sharedRule) {
    for (const [subject, events] of gathered.groups()) {
      options.signal?.throwIfAborted()
      yield* turnsOf(subject, events, { rule, axis, now, projection })
    }
    return
  }
  for (const turn of sharedTurnsOf(gathered.groups(), { rule, axis, now, projection, sharedRule })) {
    if (subjects?.includes(turn.finding.subject) ?? true) yield turn
  }
}

function sharedRuleOf({ sharedKeys = [] }: Projection, rule: string) {
  return sharedKeys.find(({ id }) => id === rule)
}

function refuseRule(projection: Projection, { rule, axis }: BisectOptions): void {
  const { name, rules } = projection
  const ids = rulesOf(projection).map(({ id }) => id)
  if (!ids.includes(rule)) throw new BisectError(`${rule}: ${name} has no such rule; it has ${ids.join(', ')}`)
  const others = rules.find(({ id }) => id === rule)?.uses
  if (others) {
    throw new BisectError(
      `${rule}: it asks others outside of the log (${others.join(', ')}), who tell of the present only`,
    )
  }
  if (axis === 'occurred' && rule === rulesOf(projection)[0]?.id) {
    throw new BisectError(`${rule}: it is about what the log holds, and not about what had happened; ask by known`)
  }
}

/** Gives how many events belong to nobody. */
async function gather(
  reader: EventReader,
  projection: Projection,
  { cut, rule, signal, onProgress, gathered, ...options }: BisectOptions & { readonly gathered: EventsBySubject },
): Promise<number> {
  // Who shares a key with a subject is known only from all of them.
  const subjects = sharedRuleOf(projection, rule) ? undefined : options.subjects
  const streamPrefixes = subjects ? streamsOf(subjects, projection) : prefixesOf(projection.categories)
  const wanted = subjects && new Set(subjects)
  let unattributable = 0
  const note = progressNoter(cut, onProgress)
  for await (const event of readRange(reader, { streamPrefixes, upTo: cut.position, ...(signal && { signal }) })) {
    note(event)
    const subject = ownerOf(event, projection)
    if (subject === undefined && describedBy(event.stream) === undefined) unattributable += 1
    else if (subject !== undefined && (wanted?.has(subject) ?? true)) gathered.add(subject, event)
  }
  return unattributable
}

function streamsOf(subjects: readonly string[], { categories }: Projection): string[] {
  const streams = subjects.flatMap((subject) => categories.map((category) => streamOf(category, subject)))
  return streams.flatMap((stream) => [stream, metadataStreamOf(stream)])
}

const TOLD_EVERY = 1_000

function progressNoter({ position }: Cut, onProgress: BisectOptions['onProgress']): (event: RecordedEvent) => void {
  const startedAt = performance.now()
  let events = 0
  return (event) => {
    events += 1
    if (events % TOLD_EVERY > 0) return
    const fraction = Number(event.position.commit) / Math.max(1, Number(position.commit))
    onProgress?.({ events, fraction, elapsedMs: performance.now() - startedAt })
  }
}
