// Lengths of time as options: 500ms, 30s, 15m, 2h, 7d.
import { UsageError } from './exit-codes.js'

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** The milliseconds of a length of time such as `15m`; undefined where the text is none, or is no time at all. */
export function parseDuration(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,6})(ms|s|m|h|d)$/.exec(text) ?? []
  const ms = Number(digits) * (UNIT_MS[unit ?? ''] ?? Number.NaN)
  return ms > 0 ? ms : undefined
}

/** A parser for an option that takes a length of time. Throws UsageError naming the option. */
export function durationOption(option: string): (text: string) => number {
  return (text) => {
    const ms = parseDuration(text)
    if (ms === undefined) throw new UsageError(`${option} ${text}: expected a length of time such as 30s, 15m or 2h`)
    return ms
  }
}
