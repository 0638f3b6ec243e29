// The log's time: ticks of 100 nanoseconds since the Unix epoch, the resolution in which EventStoreDB stamps events.
import { secondOfRfc3339, ticksPastSecond } from './rfc3339.js'

/** 100-nanosecond steps since 1970-01-01T00:00:00Z. */
export type Ticks = bigint

const TICKS_PER_MS = 10_000n

/** Ticks of a time in milliseconds since the Unix epoch. */
export function ticksOfMs(ms: number): Ticks {
  const whole = Math.floor(ms)
  // Apart, because a double has not the digits for whole milliseconds in ticks.
  return BigInt(whole) * TICKS_PER_MS + BigInt(Math.round((ms - whole) * Number(TICKS_PER_MS)))
}

/** Milliseconds since the Unix epoch, rounded down. */
export function msOfTicks(ticks: Ticks): number {
  return Number((ticks - ticksPastMs(ticks)) / TICKS_PER_MS)
}

/** Ticks since the last whole millisecond, before 1970 too, where a remainder would be negative. */
function ticksPastMs(ticks: Ticks): bigint {
  return ((ticks % TICKS_PER_MS) + TICKS_PER_MS) % TICKS_PER_MS
}

/** RFC 3339 in UTC with seven digits of a second: `2026-05-01T10:00:00.1234567Z`. */
export function formatTicks(ticks: Ticks): string {
  const whole = new Date(msOfTicks(ticks)).toISOString()
  return `${whole.slice(0, -1)}${String(ticksPastMs(ticks)).padStart(4, '0')}Z`
}

/**
 * Ticks of an RFC 3339 time with an offset or `Z`; digits beyond 100 ns are cut. Undefined where the text is no such time,
 * also where it names a day or an hour that does not exist.
 */
export function parseTicks(text: string): Ticks | undefined {
  const second = secondOfRfc3339(text)
  return Number.isNaN(second) ? undefined : BigInt(second) * TICKS_PER_MS + BigInt(ticksPastSecond(text))
}

/** Whether a text is a time that `parseTicks` gives. */
export function isTime(text: string): boolean {
  return !Number.isNaN(secondOfRfc3339(text))
}
