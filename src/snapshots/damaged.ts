// What is wrong with a snapshot that cannot be used. It is never trusted then: whoever meets this reads the log instead.

/** A file of a snapshot is cut short, altered, or of another making than the files that it builds on. */
export class SnapshotDamagedError extends Error {
  override readonly name = 'SnapshotDamagedError'
  constructor(
    readonly file: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(`${file} ${problem}`, options)
  }
}
