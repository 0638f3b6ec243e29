// PORT: other threads that judge parts of a log beside this one. What they give is what this thread would have found.
import type { JudgePartOptions, PartResult } from './judge-part.js'
import type { Part } from './partitioned-log.js'

export interface PartJudges {
  /** How many there are, at least 1. */
  readonly threads: number
  /** Throws what went wrong in a thread: the projection's own errors, or the thread's end. */
  judge(part: Part, options: JudgePartOptions): Promise<PartResult>
  /** Ends the threads, also in the middle of their work. */
  close(): Promise<void>
}
