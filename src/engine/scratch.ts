// PORT: scratch space, for what a replay cannot hold in memory. What is written there is gone at the end, however the process ends.

/** Records written one after the other, to be read in that order once all are written. */
export interface ScratchRun {
  /** Throws ScratchError where the space is full. */
  write(record: Uint8Array): void
  /** All records from the first; may be called again. Each record's bytes stay as they are. */
  read(): Iterable<Uint8Array>
}

/** Space that belongs to one replay. */
export interface Scratch {
  newRun(): ScratchRun
  /** Gives all of it back. */
  close(): void
}

/** Scratch space cannot be made, is full, or gives back other bytes than were written. */
export class ScratchError extends Error {
  override readonly name = 'ScratchError'
}
