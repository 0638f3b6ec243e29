// What a session needs of whatever takes in events and judges subjects: the log itself (live-detection.ts), or what the consumers of a group have noted
// (group-detection.ts).
import type { FoldCounts } from '../engine/fold.js'
import type { RecordedEvent } from '../log/event.js'
import type { Position } from '../log/position.js'
import type { Deadlines } from './deadlines.js'
import type { ReadingEvents } from './first-reading.js'
import type { KeyIndex } from './key-index.js'
import type { OpenFinding } from './open-finding.js'

export interface Detection {
  readonly deadlines: Deadlines
  readonly keys: KeyIndex
  /** What is held in memory, and what was taken in since the session began. */
  readonly residents: { readonly size: number; readonly counts: Readonly<FoldCounts> }
  /** What is wrong now, by subject. */
  readonly found: ReadonlyMap<string, readonly OpenFinding[]>
  /** The place of the last event taken in. */
  readonly position: Position | undefined
  /** The latest `now` that was judged by. */
  readonly now: number
  /** Whether everything that was touched is judged. */
  readonly isSettled: boolean
  /** A subject that has to be judged though nothing of it was read yet. */
  touch(subject: string): void
  /**
   * Takes in everything from the start on at one go and judges it as of `now`; only before anything else was taken in. Gives the last event.
   * Throws what the reader throws, and the signal's reason when aborted; then nothing was taken in. Left out: it takes in events as they come.
   */
  addFromStart?(now: number, events: ReadingEvents): Promise<RecordedEvent | undefined>
  /** Takes in the next events. Throws what the reader throws; then the same events can be given again. */
  add(events: readonly RecordedEvent[]): Promise<void>
  /** Judges whoever has to be by `now` and gives the subjects of which anything may have changed. Throws what the reader throws; then it can be asked again. */
  judge(now: number): Promise<readonly string[]>
  /** Since when others on whom it rests have lagged, in milliseconds since the Unix epoch; undefined, or left out: they do not. */
  behindSince?(): number | undefined
  /** Whether what others say of a subject may still come in time: until then nothing is told of it. Left out: nobody is asked. */
  awaits?(subject: string): boolean
  /** Whether a subject has not been judged by what others say of it yet, so that it must be after a restart. Left out: nobody is asked. */
  isUnanswered?(subject: string): boolean
  /** Whether a rule cannot be asked about a subject now, so that it is neither true nor over. Left out: all can be. */
  cannotTell?(rule: string, subject: string): boolean
}

/** One event as the domain's flow sees it; `at`: when it came, in milliseconds since the Unix epoch. */
export interface FlowStep {
  readonly type: string
  readonly subject: string
  readonly at: number
}

/** What a session reads and how it judges that, where it is not the projection's own events. */
export interface WatchSource {
  /** Of the streams that are followed. */
  readonly streamPrefixes: readonly string[]
  /** Ids of rules of its own, beside the projection's. */
  readonly rules: readonly string[]
  makeDetection(options: {
    /** The place that it goes on from; left out: from the start. */
    readonly after?: Position
    /** The latest `now` that was judged by before. */
    readonly now?: number
    readonly onFlow: (step: FlowStep) => void
  }): Detection
}
