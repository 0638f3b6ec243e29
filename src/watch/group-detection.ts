// Detection by the one process of a group that keeps its alerts. It reads no domain events, only what the consumers noted; a subject that a note or a
// deadline points at is read again from its streams, as they stand now, and judged by the same fold and rules. So nothing rests on which consumer had
// which event, in which order, or how often.
import { detectSharedKeys } from '../engine/detect.js'
import type { Finding } from '../engine/finding.js'
import { Fold, type FoldCounts, type FoldedSubject, revisionsOf } from '../engine/fold.js'
import { judgeSubject } from '../engine/judge-part.js'
import { nextDeadline } from '../engine/next-deadline.js'
import type { Projection } from '../engine/projection.js'
import type { RecordedEvent } from '../log/event.js'
import type { EventReader } from '../log/event-store.js'
import { comparePositions, type Position } from '../log/position.js'
import { StoreCorruptError, StoreUnavailableError } from '../log/store-errors.js'
import { Deadlines } from './deadlines.js'
import type { Detection, FlowStep } from './detection.js'
import { type Note, type Noted, notedIn } from './group-notes.js'
import { ParkedEvents, parkedFinding } from './group-parked.js'
import { KeyIndex } from './key-index.js'
import { contextAt, type OpenFinding, opened } from './open-finding.js'
import { type Resident, Residents } from './residents.js'

export interface GroupDetectionOptions {
  readonly reader: EventReader
  readonly projection: Projection
  readonly notesStream: string
  readonly parkedStream: string
  /** A consumer that deals with events older than this lags. */
  readonly behindMsMax: number
  /** Milliseconds since the Unix epoch. */
  readonly wallClock: () => number
  readonly after?: Position
  readonly now?: number
  readonly onFlow: (step: FlowStep) => void
}

/** A place behind every event. */
const END: Position = { commit: 2n ** 63n - 1n, prepare: 2n ** 63n - 1n }

/** A consumer that said nothing more for so long does not lag: it has nothing to do. */
const BEHIND_MEMORY_MS = 30_000

export class GroupDetection implements Detection {
  readonly deadlines = new Deadlines()
  readonly keys: KeyIndex
  readonly found = new Map<string, readonly OpenFinding[]>()
  readonly #options: GroupDetectionOptions
  readonly #fold: Fold
  readonly #parked: ParkedEvents
  readonly #counts: FoldCounts = { events: 0, streams: 0, undecodable: 0, gaps: 0, unattributable: 0 }
  /** To be judged. */
  readonly #touched = new Set<string>()
  /** Of which a deadline was noted since the last judging. */
  readonly #noted = new Set<string>()
  /** By how many events each deadline was set; unknown of those that a checkpoint knew. */
  readonly #seen = new Map<string, number>()
  #behind: { readonly since: number; readonly saidAt: number } | undefined
  #position: Position | undefined
  #now: number

  constructor(options: GroupDetectionOptions) {
    const { reader, projection, parkedStream, after, now = Number.NEGATIVE_INFINITY } = options
    this.#options = options
    this.#position = after
    this.#now = now
    this.#fold = new Fold(projection)
    this.#parked = new ParkedEvents(reader, parkedStream)
    this.keys = new KeyIndex(projection)
  }

  get position(): Position | undefined {
    return this.#position
  }

  get now(): number {
    return this.#now
  }

  get isSettled(): boolean {
    return this.#touched.size === 0 && this.#noted.size === 0
  }

  /** Nobody is held longer than it takes to judge. Of what the consumers folded only events are counted, and those of nobody known. */
  get residents() {
    return { size: 0, counts: this.#counts }
  }

  behindSince(): number | undefined {
    const isRecent = this.#behind && this.#options.wallClock() - this.#behind.saidAt < BEHIND_MEMORY_MS
    return isRecent ? this.#behind?.since : undefined
  }

  touch(subject: string): void {
    this.#touched.add(subject)
  }

  async add(events: readonly RecordedEvent[]): Promise<void> {
    for (const event of events) {
      if (this.#position && comparePositions(event.position, this.#position) <= 0) continue
      this.#position = event.position
      if (this.#parked.streams.includes(event.stream)) this.#parked.noteChange()
      // Groups whose names begin alike have streams whose names do.
      const noted = event.stream === this.#options.notesStream ? notedIn(event) : undefined
      if (noted) this.#take(noted)
    }
  }

  async judge(now: number): Promise<readonly string[]> {
    this.#now = Math.max(now, this.#now)
    for (const subject of this.deadlines.takeDue(this.#now)) this.#touched.add(subject)
    for (const subject of await this.#parked.refresh((stream) => this.#subjectOf(stream))) this.#touched.add(subject)
    const judged = this.#touched.size === 0 ? [] : await this.#judgeTouched()
    const concerned = [...new Set([...judged, ...this.#noted])]
    this.#touched.clear()
    this.#noted.clear()
    return concerned
  }

  /** What names no subject stands for itself. */
  #subjectOf(stream: string): string {
    return this.#fold.subjectOf({ stream } as RecordedEvent) ?? stream
  }

  #take({ notes, flow, events, unattributable, oldestAt, at }: Noted): void {
    const { onFlow, behindMsMax } = this.#options
    this.#counts.events += events
    this.#counts.unattributable += unattributable
    for (const step of flow) onFlow(step)
    for (const note of notes) this.#takeNote(note)
    // One consumer that keeps up does not speak for another that lags.
    if (oldestAt !== null && at - oldestAt > behindMsMax) this.#behind = { since: oldestAt, saidAt: at }
  }

  #takeNote(note: Note): void {
    const { subject, keys, isOpen } = note
    for (const key of keys) this.keys.note({ key, subject, used: true })
    const isShared = keys.some((key) => this.keys.usersOf([key]).size > 1)
    if (isOpen || isShared || this.found.has(subject)) this.#touched.add(subject)
    else this.#setNotedDeadline(note)
  }

  /** Two consumers may have judged a subject at the same time, and the one that saw less may have written last. */
  #setNotedDeadline({ subject, seen, deadline }: Note): void {
    const seenBefore = this.#seen.get(subject)
    if (this.deadlines.of(subject) !== undefined && seenBefore === undefined) this.#touched.add(subject)
    else if (seenBefore === undefined || seen >= seenBefore) this.#setDeadline(subject, deadline ?? undefined, seen)
    this.#noted.add(subject)
  }

  #setDeadline(subject: string, deadline: number | undefined, seen: number): void {
    this.deadlines.set(subject, deadline)
    if (deadline === undefined) this.#seen.delete(subject)
    else this.#seen.set(subject, seen)
  }

  async #judgeTouched(): Promise<string[]> {
    const { reader, projection } = this.#options
    const residents = new Residents(reader, projection, { fromStart: false })
    await this.#bring(residents, this.#touched)
    const judged = this.#withSharers(residents)
    await this.#bring(residents, judged)
    const shared = await this.#detectShared(residents, judged)
    for (const subject of judged) this.#judgeOne(subject, residents.get(subject), shared.get(subject))
    return [...judged]
  }

  /** As they stand now. Of a subject of which an event was parked nobody may be able to read or fold anything. */
  async #bring(residents: Residents, subjects: ReadonlySet<string>): Promise<void> {
    const isParked = (subject: string) => this.#parked.of(subject).length > 0
    const wanted = [...subjects].map((subject) => [subject, END] as const)
    await residents.bring(wanted.filter(([subject]) => !isParked(subject)))
    for (const one of wanted.filter(([subject]) => isParked(subject))) {
      await unlessStoreFails(() => residents.bring([one]), undefined)
    }
  }

  /**
   * The touched, everybody who shares a key with one of them, and everybody with whom one of all these did when it was last judged: also one that is
   * judged only because it shares a key may have ceased to use another, and what is known of that is gone before its note comes.
   */
  #withSharers(residents: Residents): Set<string> {
    const judged = new Set(this.#touched)
    if (!this.keys.isNeeded) return judged
    for (const subject of this.#touched) {
      const keys = this.#keysOf(residents.get(subject))
      for (const key of keys) this.keys.note({ key, subject, used: true })
      for (const user of this.keys.usersOf(keys)) judged.add(user)
    }
    // Those that are added are looked at as well.
    for (const subject of judged) {
      const findings = this.found.get(subject) ?? []
      for (const sharer of findings.flatMap(({ finding }) => sharersIn(finding))) judged.add(sharer)
    }
    return judged
  }

  async #detectShared(residents: Residents, judged: ReadonlySet<string>): Promise<Map<string, Finding[]>> {
    if (!this.keys.isNeeded) return new Map()
    const users = this.keys.usersOf([...judged].flatMap((subject) => this.#keysOf(residents.get(subject))))
    await this.#bring(residents, users)
    const sharing = [...new Set([...judged, ...users])].flatMap((subject) => residents.get(subject) ?? [])
    sharing.sort((a, b) => comparePositions(a.first, b.first))
    return detectSharedKeys(
      sharing.map(({ folded }, ordinal) => ({ ...folded, ordinal })),
      this.#options.projection,
    )
  }

  #keysOf(resident: Resident | undefined): string[] {
    return resident ? this.keys.keysOf(resident.folded.state) : []
  }

  #judgeOne(subject: string, resident: Resident | undefined, shared: readonly Finding[] | undefined): void {
    const { projection } = this.#options
    const folded = resident?.folded
    const parked = this.#parkedFindings(subject, folded)
    const judge = () => (folded ? this.#openFindings(folded, shared) : NOTHING)
    const { findings, deadline } = parked.length > 0 ? tryOrNothing(judge) : judge()
    const all = [...findings, ...parked]
    if (all.length > 0) this.found.set(subject, all)
    else this.found.delete(subject)
    this.#setDeadline(subject, deadline, folded ? seenOf(folded, projection) : 0)
  }

  #openFindings(folded: FoldedSubject, shared: readonly Finding[] | undefined): Judged {
    const { projection } = this.#options
    const context = contextAt(this.#now, projection)
    const findings = judgeSubject(folded, projection, context, shared)
    return {
      findings: findings.length > 0 ? opened(findings, folded, projection, context) : [],
      deadline: nextDeadline(folded.state, projection, this.#now),
    }
  }

  #parkedFindings(subject: string, folded: FoldedSubject | undefined): OpenFinding[] {
    const { projection } = this.#options
    // Where nothing could be folded it rests on no state of the subject's streams.
    const revisions = folded ? revisionsOf(folded, projection) : {}
    return this.#parked.of(subject).map((event) => ({
      finding: parkedFinding(projection, event, { subject, revisions }),
      page: undefined,
      lostAt: undefined,
      value: undefined,
    }))
  }
}

interface Judged {
  readonly findings: readonly OpenFinding[]
  readonly deadline: number | undefined
}

const NOTHING: Judged = { findings: [], deadline: undefined }

/** How many events of a subject's streams were folded: it only grows, in whatever order its streams are read. */
export function seenOf({ heads }: FoldedSubject, { categories }: Projection): number {
  return categories.reduce((sum, category) => sum + (heads[category]?.revision ?? -1) + 1, 0)
}

/** Whom a finding of a shared key names beside its own subject. */
function sharersIn({ detail: { sharedBy } }: Finding): string[] {
  return Array.isArray(sharedBy) ? sharedBy.filter((subject) => typeof subject === 'string') : []
}

/** A subject whose event was parked may be one on which the rules fall over: that it was parked is what is told of it then. */
function tryOrNothing(judge: () => Judged): Judged {
  try {
    return judge()
  } catch {
    return NOTHING
  }
}

async function unlessStoreFails<T>(run: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof StoreUnavailableError || error instanceof StoreCorruptError) throw error
    return otherwise
  }
}
