// Exit codes: what scripts rely on. Every failure becomes one line and one code here and nowhere else.
import { CutError } from '../engine/cut.js'
import { InvalidProjectionError } from '../engine/projection.js'
import { StoreAddressError, StoreUnavailableError } from '../log/store-errors.js'
import { ApprovalError } from '../repair/apply.js'
import { PlanStaleError } from '../repair/decide.js'

/** What each code says. */
export const EXIT = {
  clean: 0,
  error: 1,
  findings: 2,
  unsettled: 3,
  planStale: 4,
  approvalMissing: 5,
  limit: 6,
  incomplete: 7,
  usage: 64,
  unavailable: 69,
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Which code is told where several apply: the first one here. */
const ORDER: readonly ExitCode[] = [64, 69, 130, 1, 6, 5, 4, 7, 3, 2, 0]

/** The code to exit with where several apply; clean where none does. */
export function worstOf(codes: readonly (ExitCode | undefined)[]): ExitCode {
  return ORDER.find((code) => codes.includes(code)) ?? EXIT.clean
}

/** The command line itself is wrong: which option, and what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Somebody who was named by `--lookup` could not tell. */
export class LookupFailedError extends Error {
  override readonly name = 'LookupFailedError'
}

/** The port that was asked for cannot be listened on. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError'
}

const USAGE = [UsageError, CutError, InvalidProjectionError, StoreAddressError]
const UNAVAILABLE = [StoreUnavailableError, PortTakenError, LookupFailedError]

/** The code of a failure. */
export function exitCodeOf(error: unknown): ExitCode {
  if (USAGE.some((kind) => error instanceof kind)) return EXIT.usage
  if (UNAVAILABLE.some((kind) => error instanceof kind)) return EXIT.unavailable
  if (error instanceof ApprovalError) return EXIT.approvalMissing
  if (error instanceof PlanStaleError) return EXIT.planStale
  if (error instanceof Error && error.name === 'AbortError') return EXIT.interrupted
  return EXIT.error
}
