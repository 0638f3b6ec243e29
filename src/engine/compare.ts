// Two replays compared: of two moments under the same rules, with the events that made the difference; or of one moment under two
// versions of the rules.
import type { RecordedEvent } from '../log/event.js'
import type { EventReader } from '../log/event-store.js'
import { comparePositions } from '../log/position.js'
import { prefixesOf } from '../log/stream.js'
import { diffFindings, type FindingChange } from './diff.js'
import type { Value } from './judge-part.js'
import { readRange } from './log-range.js'
import { isTakenIn, type Moment, ownerOf } from './moment.js'
import type { Projection } from './projection.js'
import { type ReplayOptions, type ReplayResult, replay, type ScanSummary } from './replay.js'

/**
 * Why a finding is not the same. `events`: something happened to its subject in between, or an event of its evidence came. `time`: nothing did, and the
 * present moved on (a grace period ended). `others`: nothing did, and a key that it shares is used otherwise. `rules`: they changed. `rules-or-log`: two results of different
 * moments, which alone do not tell.
 */
export type Cause = 'events' | 'time' | 'others' | 'rules' | 'rules-or-log'

export interface Difference {
  readonly change: FindingChange
  readonly cause: Cause
  /** With `events`: those between the two moments, in log order. */
  readonly events: readonly RecordedEvent[]
  /** What is at stake with the subject: with a finding that went as it was before, else as it is after. */
  readonly value: Value | undefined
}

/** As much of a result as comparing needs: stored ones have no more. */
export type Compared = Pick<ReplayResult, 'summary' | 'findings' | 'atStake'>

export interface Comparison {
  readonly from: Compared
  readonly to: Compared
  readonly differences: readonly Difference[]
}

export interface CompareOptions extends Omit<ReplayOptions, keyof Moment | 'lookUp'> {
  /** Who replays as of a moment; left out: the log is read from its start, as the other options say. */
  readonly replayAs?: (projection: Projection, moment: Moment) => Promise<Compared>
}

/** Compares two moments of one log. Throws what `replay` throws. */
export async function compareMoments(
  reader: EventReader,
  projection: Projection,
  { from, to, ...options }: CompareOptions & { readonly from: Moment; readonly to: Moment },
): Promise<Comparison> {
  const { replayAs = fromStart(reader, options) } = options
  const before = await replayAs(projection, from)
  const after = await replayAs(projection, to)
  const changes = diffFindings(before.findings, after.findings)
  const between = await collectBetween(reader, projection, { from, to, changes, ...options })
  const sharing = sharingSubjects(changes, projection)
  const isLater = to.now !== from.now
  return {
    from: before,
    to: after,
    differences: changes.map((change) => {
      const events = eventsBehind(change, between)
      const cause = events.length > 0 ? 'events' : isLater && !sharing.has(change.finding.subject) ? 'time' : 'others'
      return { change, cause, events, value: stakeOf(change, before, after) }
    }),
  }
}

/** Compares two versions of the rules as of one moment. Throws what `replay` throws. */
export async function compareRules(
  reader: EventReader,
  { from, to }: { readonly from: Projection; readonly to: Projection },
  options: CompareOptions & Moment,
): Promise<Comparison> {
  const { replayAs = fromStart(reader, options) } = options
  return compareResults(await replayAs(from, options), await replayAs(to, options))
}

function fromStart(reader: EventReader, options: CompareOptions): Required<CompareOptions>['replayAs'] {
  return (projection, moment) => replay(reader, projection, { ...options, ...moment })
}

/** Compares two results as they are: of one moment by the rules, of two by anything. */
export function compareResults(from: Compared, to: Compared): Comparison {
  const cause = isOneMoment(from.summary, to.summary) ? 'rules' : 'rules-or-log'
  const differences = diffFindings(from.findings, to.findings).map(
    (change): Difference => ({ change, cause, events: [], value: stakeOf(change, from, to) }),
  )
  return { from, to, differences }
}

/** Of one log that only grows, so many events are the same events, wherever the cut behind them stands. */
function isOneMoment(a: ScanSummary, b: ScanSummary): boolean {
  const [{ events, streams }, other] = [a.coverage, b.coverage]
  return a.now === b.now && events === other.events && streams === other.streams
}

function stakeOf({ kind, finding }: FindingChange, before: Compared, after: Compared): Value | undefined {
  return (kind === 'went' ? before : after).atStake.get(finding.subject)
}

/** Subjects of which a key's sharing changed: that may come of what happened to others. */
function sharingSubjects(changes: readonly FindingChange[], { sharedKeys = [] }: Projection): ReadonlySet<string> {
  const rules = new Set(sharedKeys.map(({ id }) => id))
  return new Set(changes.filter(({ finding }) => rules.has(finding.rule)).map(({ finding }) => finding.subject))
}

/** Events between two moments that have to do with a change. */
interface Between {
  readonly bySubject: Map<string, RecordedEvent[]>
  /** Those that are evidence of a finding, whosever they are. */
  readonly byId: Map<string, RecordedEvent>
}

interface BetweenQuestion extends CompareOptions {
  readonly from: Moment
  readonly to: Moment
  readonly changes: readonly FindingChange[]
}

async function collectBetween(
  reader: EventReader,
  projection: Projection,
  { from, to, changes, signal }: BetweenQuestion,
): Promise<Between> {
  const bySubject = new Map(changes.map(({ finding }): [string, RecordedEvent[]] => [finding.subject, []]))
  const proofs = new Set(changes.flatMap(({ finding }) => finding.evidence.events))
  const byId = new Map<string, RecordedEvent>()
  if (changes.length === 0 || !to.cut) return { bySubject, byId }
  // What was not known can only stand behind the cut; what had not happened can stand anywhere.
  const after = from.happenedBy === undefined ? from.cut?.position : undefined
  const streamPrefixes = prefixesOf(projection.categories)
  const range = { streamPrefixes, upTo: to.cut.position, ...(after && { after }), ...(signal && { signal }) }
  for await (const event of readRange(reader, range)) {
    const own = bySubject.get(ownerOf(event, projection) ?? '')
    if (!own && !proofs.has(event.id)) continue
    if (isTakenIn(event, from, projection) || !isTakenIn(event, to, projection)) continue
    own?.push(event)
    if (proofs.has(event.id)) byId.set(event.id, event)
  }
  return { bySubject, byId }
}

function eventsBehind({ finding }: FindingChange, { bySubject, byId }: Between): RecordedEvent[] {
  const own = bySubject.get(finding.subject) ?? []
  const others = finding.evidence.events.flatMap((id) => byId.get(id) ?? []).filter((event) => !own.includes(event))
  return [...own, ...others].sort((a, b) => comparePositions(a.position, b.position))
}
