// The log's time: ticks of 100 nanoseconds since the Unix epoch, the resolution in which EventStoreDB stamps events.

/** 100-nanosecond steps since 1970-01-01T00:00:00Z. */
export type Ticks = bigint

const TICKS_PER_MS = 10_000n
const RFC3339 = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/

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
  const match = RFC3339.exec(text)
  if (!match) return undefined
  const [, day, clock, fraction = '', zone] = match as unknown as [string, string, string, string | undefined, string]
  const local = Date.parse(`${day}T${clock}Z`)
  if (Number.isNaN(local) || (mayRollOver(day, clock) && !comesBack(local, day, clock))) return undefined
  const offset = zone.toUpperCase() === 'Z' ? 0 : offsetMs(zone)
  if (offset === undefined) return undefined
  return BigInt(local - offset) * TICKS_PER_MS + BigInt(fraction.padEnd(7, '0').slice(0, 7))
}

/** Date.parse takes 30 February for 2 March and 24:00 for the next day; all other times come back as written. */
function mayRollOver(day: string, clock: string): boolean {
  return day.slice(8) > '28' || clock.startsWith('24')
}

function comesBack(ms: number, day: string, clock: string): boolean {
  return new Date(ms).toISOString().slice(0, 19) === `${day}T${clock}`
}

function offsetMs(zone: string): number | undefined {
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(4, 6))
  if (hours > 23 || minutes > 59) return undefined
  return (zone[0] === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000
}
