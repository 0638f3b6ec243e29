// PORT: other threads of a replay, which read ranges of its log and judge parts of it beside this one. What they give is what this thread would have
// read and found.
import type { EventReader } from '../log/event-store.js'
import type { JudgePartOptions, PartResult } from './judge-part.js'
import type { Part } from './partitioned-log.js'
import type { RangeQuestion, RangeRead } from './pour-range.js'
import type { Projection } from './projection.js'
import type { Block } from './spool.js'

export interface ReplayThreads {
  /** How many there are, at least 1. */
  readonly count: number
  /**
   * Reads a range of the log; its records come batch by batch, in order. Left out where the log cannot be opened in another thread. Throws what went
   * wrong in a thread, its end among it, and what `onRecords` throws.
   */
  readRange?(question: RangeQuestion, onRecords: (block: Block) => void): Promise<RangeRead>
  /** Throws what went wrong in a thread: the projection's own errors, or the thread's end. */
  judge(part: Part, options: JudgePartOptions): Promise<PartResult>
  /** Ends the threads, also in the middle of their work. */
  close(): Promise<void>
}

/** Threads that may be started. */
export interface ThreadSource {
  /** How many there would be beside this one. */
  readonly count: number
  /** Undefined where there are none, or none that could judge by this projection. */
  open(projection: Projection, reader: EventReader): ReplayThreads | undefined
}
