// Detection, event by event: whoever an event or a deadline touches is judged, by the fold and the rules that a replay uses. As of the
// same place in the log and the same `now` it has found what a replay finds.
import { detectSharedKeys } from '../engine/detect.js'
import type { Finding } from '../engine/finding.js'
import type { FoldedSubject } from '../engine/fold.js'
import { judgeSubject } from '../engine/judge-part.js'
import { nextDeadline } from '../engine/next-deadline.js'
import type { MemoryLimit } from '../engine/partitioned-log.js'
import type { Projection, RuleContext } from '../engine/projection.js'
import type { RecordedEvent } from '../log/event.js'
import type { EventReader } from '../log/event-store.js'
import { comparePositions, type Position } from '../log/position.js'
import { categoryOf, describedBy } from '../log/stream.js'
import { Deadlines } from './deadlines.js'
import { type ReadingEvents, readFromStart } from './first-reading.js'
import { KeyIndex } from './key-index.js'
import { contextAt, type OpenFinding, opened } from './open-finding.js'
import { type Resident, Residents } from './residents.js'

export interface LiveDetectionOptions {
  readonly reader: EventReader
  readonly projection: Projection
  /** The place in the log that it goes on from; left out: from the start. */
  readonly after?: Position
  /** The latest `now` that was judged by before. */
  readonly now?: number
  /** At most so many subjects are kept in memory once they are judged. */
  readonly residentsMax?: number
  /** What the first reading of a log may take of memory; left out: all that it needs. */
  readonly memory?: MemoryLimit
  /** What others have said of a subject; undefined, or left out: nothing is known, and rules that need it are not asked. */
  readonly answersOf?: (subject: string) => RuleContext['lookups'] | undefined
  /** Called for each event that was folded for the first time, but for those of the first reading. */
  readonly onFolded?: (event: RecordedEvent, folded: FoldedSubject) => void
}

/** Enough for the bookings of some hours of a large airline, in a few hundred megabytes. */
const RESIDENTS_MAX = 50_000

export class LiveDetection {
  readonly deadlines = new Deadlines()
  readonly keys: KeyIndex
  readonly residents: Residents
  /** What is wrong now, by subject. */
  readonly found = new Map<string, readonly OpenFinding[]>()
  readonly #options: LiveDetectionOptions
  /** Touched since it was judged, with the keys that it used then. */
  readonly #touched = new Map<string, readonly string[]>()
  /** What the first reading found, in log order, until `judge` has given it. */
  #foundFirst: string[] = []
  #position: Position | undefined
  #now: number

  constructor(options: LiveDetectionOptions) {
    const { reader, projection, after, now = Number.NEGATIVE_INFINITY } = options
    this.#options = options
    this.#position = after
    this.#now = now
    this.keys = new KeyIndex(projection)
    this.residents = new Residents(reader, projection, { fromStart: after === undefined })
  }

  /** The place of the last event taken in. */
  get position(): Position | undefined {
    return this.#position
  }

  /** Whether everything that was touched is judged. */
  get isSettled(): boolean {
    return this.#touched.size === 0
  }

  /** A subject that has to be judged though nothing of it was read yet: one that a checkpoint left open. */
  touch(subject: string): void {
    if (!this.#touched.has(subject)) this.#touched.set(subject, [])
  }

  /**
   * Takes in the log from its start to its end at one go and judges it as of `now`; only before anything else was taken in. Gives the last
   * event. Throws what the reader throws, and the signal's reason when aborted; then nothing was taken in.
   */
  async addFromStart(now: number, events: ReadingEvents): Promise<RecordedEvent | undefined> {
    const { reader, projection, memory, residentsMax = RESIDENTS_MAX } = this.#options
    this.#now = Math.max(now, this.#now)
    const found: Pick<FoldedSubject, 'subject' | 'ordinal'>[] = []
    const onSubject = (folded: FoldedSubject, first: Position | undefined) => {
      if (this.#takeOver(folded, first)) found.push({ subject: folded.subject, ordinal: folded.ordinal })
    }
    const options = { reader, projection, memory, placesMax: residentsMax, ...events, onSubject }
    const { last, counts } = await readFromStart(options)
    this.residents.addCounts(counts)
    for (const subject of this.keys.sharingSubjects()) this.touch(subject)
    this.#foundFirst = found.sort((a, b) => a.ordinal - b.ordinal).map(({ subject }) => subject)
    this.#bringIntoOrder(this.#foundFirst)
    this.#position = last?.position
    return last
  }

  /**
   * Folds the next events of the log. Those that were taken in already change nothing. Throws what the reader throws; then nothing was
   * taken in, and the same events can be given again.
   */
  async add(events: readonly RecordedEvent[]): Promise<void> {
    const fresh = this.#dropKnown(events)
    if (!this.residents.isComplete) await this.residents.bring(this.#absentBefore(fresh))
    for (const event of fresh) this.#fold(event)
  }

  /**
   * Judges whoever was touched by events or by deadlines up to `now` (milliseconds since the Unix epoch) and gives their names. A `now`
   * before the last one counts as the last one: a clock that is set back takes no finding back. Throws what the reader throws; then
   * it can be asked again.
   */
  async judge(now: number): Promise<readonly string[]> {
    this.#now = Math.max(now, this.#now)
    for (const subject of this.deadlines.takeDue(this.#now)) this.#touchKeeping(subject)
    if (this.isSettled) return this.#foundFirst.splice(0)
    await this.#bringAsOfNow(this.#touched.keys())
    const judged = this.#withNeighbours()
    const shared = await this.#detectShared(judged)
    for (const subject of judged) this.#judgeOne(subject, shared.get(subject))
    this.#touched.clear()
    this.residents.trim(this.#options.residentsMax ?? RESIDENTS_MAX)
    return [...this.#foundFirst.splice(0), ...judged]
  }

  /** The latest `now` that was judged by. */
  get now(): number {
    return this.#now
  }

  /** Events beyond the place reached; of the others, one that is not folded (the log's order was broken) has its subject read again. */
  #dropKnown(events: readonly RecordedEvent[]): RecordedEvent[] {
    return events.filter((event) => {
      if (!this.#position || comparePositions(event.position, this.#position) > 0) return true
      const subject = this.residents.subjectOf(event)
      if (subject !== undefined && !this.#isKnown(event, subject)) this.#readAgain(subject)
      return false
    })
  }

  #isKnown(event: RecordedEvent, subject: string): boolean {
    if (describedBy(event.stream) !== undefined) return true
    const resident = this.residents.get(subject)
    return resident !== undefined && headOf(resident, event) >= event.revision
  }

  #readAgain(subject: string): void {
    this.#touchKeeping(subject)
    this.residents.drop(subject)
  }

  /** Who has to be brought before these events can be folded, each as of the place before its first one. */
  #absentBefore(events: readonly RecordedEvent[]): Map<string, Position> {
    const wanted = new Map<string, Position>()
    for (const event of events) {
      const subject = this.residents.subjectOf(event)
      if (subject === undefined || wanted.has(subject)) continue
      wanted.set(subject, justBefore(event.position))
    }
    return wanted
  }

  #fold(event: RecordedEvent): void {
    const subject = this.residents.subjectOf(event)
    this.#position = event.position
    if (subject === undefined) return
    this.#touchKeeping(subject)
    this.residents.add(event, subject)
    const resident = this.residents.get(subject)
    if (resident) this.#options.onFolded?.(event, resident.folded)
  }

  /** Marks a subject, keeping the keys that it uses before anything changes. */
  #touchKeeping(subject: string): void {
    if (this.#touched.has(subject)) return
    const resident = this.residents.get(subject)
    this.#touched.set(subject, resident ? this.keys.keysOf(resident.folded.state) : [])
  }

  async #bringAsOfNow(subjects: Iterable<string>): Promise<void> {
    const position = this.#position
    if (!position || this.residents.isComplete) return
    await this.residents.bring([...subjects].map((subject) => [subject, position]))
  }

  /** The touched, and everybody who shares or has shared a key with one of them. */
  #withNeighbours(): Set<string> {
    const judged = new Set(this.#touched.keys())
    if (!this.keys.isNeeded) return judged
    for (const [subject, before] of this.#touched) {
      const after = this.#keysOf(subject)
      this.keys.replace(subject, before, after)
      for (const user of this.keys.usersOf([...before, ...after])) judged.add(user)
    }
    return judged
  }

  async #detectShared(judged: ReadonlySet<string>): Promise<Map<string, Finding[]>> {
    if (!this.keys.isNeeded) return new Map()
    await this.#bringAsOfNow(judged)
    const users = this.keys.usersOf([...judged].flatMap((subject) => this.#keysOf(subject)))
    await this.#bringAsOfNow(users)
    const residents = [...new Set([...judged, ...users])].flatMap((subject) => this.residents.get(subject) ?? [])
    residents.sort((a, b) => comparePositions(a.first, b.first))
    // Ordinals are of the reading that made each of them; here they are of this list.
    const inOrder = residents.map(({ folded }, ordinal) => ({ ...folded, ordinal }))
    return detectSharedKeys(inOrder, this.#options.projection)
  }

  #keysOf(subject: string): string[] {
    const resident = this.residents.get(subject)
    return resident ? this.keys.keysOf(resident.folded.state) : []
  }

  #judgeOne(subject: string, shared: readonly Finding[] | undefined): void {
    const resident = this.residents.get(subject)
    if (resident) {
      this.#judgeFolded(resident.folded, shared)
    } else {
      this.found.delete(subject)
      this.deadlines.set(subject, undefined)
    }
  }

  #judgeFolded(folded: FoldedSubject, shared?: readonly Finding[]): void {
    const { projection, answersOf } = this.#options
    const { subject, state } = folded
    const context = contextAt(this.#now, projection, answersOf?.(subject))
    const findings = judgeSubject(folded, projection, context, shared)
    if (findings.length > 0) this.found.set(subject, opened(findings, folded, projection, context))
    else this.found.delete(subject)
    this.deadlines.set(subject, nextDeadline(state, projection, this.#now))
  }

  /** Parts of a log come in any order; what is found first in the log is dealt with first. */
  #bringIntoOrder(subjects: readonly string[]): void {
    for (const subject of subjects) {
      const open = this.found.get(subject)
      this.found.delete(subject)
      if (open) this.found.set(subject, open)
    }
  }

  /**
   * A subject of the first reading: it is judged by itself, and again later if it turns out to share keys. Gives whether anything has to be
   * remembered of it.
   */
  #takeOver(folded: FoldedSubject, first: Position | undefined): boolean {
    const { subject, state } = folded
    if (first) this.residents.put({ folded, first })
    else this.residents.drop(subject)
    this.#judgeFolded(folded)
    const uses = this.keys.usesOf(state)
    const keys = [...new Set(uses)]
    this.keys.replace(subject, [], keys)
    if (keys.length < uses.length) this.touch(subject)
    return this.found.has(subject) || this.deadlines.of(subject) !== undefined
  }
}

function headOf({ folded }: Resident, { stream, revision }: RecordedEvent): number {
  const head = folded.heads[categoryOf(stream) ?? '']?.revision ?? -1
  // A tombstone is no head, and is told in the holes.
  return folded.holes.some(({ shownBy }) => shownBy.revision === revision) ? revision : head
}

/** The last place before a position. */
function justBefore({ commit, prepare }: Position): Position {
  return { commit, prepare: prepare - 1n }
}
