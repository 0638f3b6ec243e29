// The failure of log files as files: missing, not readable, not writable. What a line says is never an error but a LogProblem.

/** A log file, or the file of compensations, cannot be used as asked. The message is one line that begins with its name. */
export class LogFileError extends Error {
  override readonly name = 'LogFileError'
  constructor(
    /** As it was given; `-` is standard input. */
    readonly file: string,
    why: string,
    options?: ErrorOptions,
  ) {
    super(`${file === '-' ? 'standard input' : file}: ${why}`, options)
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  ENOTDIR: 'a part of its path is no folder',
  EACCES: 'no right to',
  EPERM: 'no right to',
  EISDIR: 'it is a folder',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EFBIG: 'the file may not grow so large',
  EROFS: 'the disk is read-only',
  EIO: 'the disk failed',
}

/** What the operating system said about a file, as a LogFileError; one that is already told so stays as it is. */
export function logFileError(file: string, failed: 'cannot be read' | 'cannot be written', error: unknown): Error {
  if (error instanceof LogFileError) return error
  const code = (error as NodeJS.ErrnoException).code ?? ''
  const reason = REASONS[code] ?? (error instanceof Error ? error.message : String(error))
  return new LogFileError(file, `${failed}: ${reason}`, { cause: error })
}
