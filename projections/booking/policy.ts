// The times that the rules go by. They are part of the projection's version: change one, and raise it.

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

export const policy = {
  /** How long the live ticketing may take after the latest payment event before anything counts as missing. */
  gracePeriodMs: 15 * MINUTE_MS,
  /** How long an attempt may stay without outcome. */
  attemptTimeoutMs: 10 * MINUTE_MS,
  /** How long before a ticketing time limit or the end of a fare guarantee the machine no longer issues. */
  limitMarginMs: 2 * HOUR_MS,
  /** How long before the first departure the machine no longer issues. */
  departureMarginMs: 24 * HOUR_MS,
} as const
