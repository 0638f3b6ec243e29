// Times as text (RFC 3339), read digit by digit: every event carries some, and a replay of a whole log checks them all. `Date.parse` would take
// days that do not exist, and regular expressions cost several times as much.

const MS_PER_DAY = 86_400_000
const FRACTION_DIGITS_MAX = 9
const DAYS_BEFORE_MONTH = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]

/** Milliseconds since the Unix epoch, rounded down; NaN where the text is no time with an offset or `Z`, or one that does not exist. */
export function msOfRfc3339(text: string): number {
  return secondOfRfc3339(text) + Math.floor(ticksPastSecond(text) / 10_000)
}

/** Milliseconds since the Unix epoch of the last whole second; NaN as above. */
export function secondOfRfc3339(text: string): number {
  if (!hasSeparators(text)) return Number.NaN
  return dayMs(text) + clockMs(text) - zoneMs(text, endOfFraction(text))
}

/** Steps of 100 ns since the last whole second, of a text that is a time. */
export function ticksPastSecond(text: string): number {
  let ticks = 0
  let worth = 1_000_000
  for (let at = 20, end = Math.min(27, endOfFraction(text)); at < end; at += 1, worth /= 10)
    ticks += digit(text, at) * worth
  return ticks
}

function hasSeparators(text: string): boolean {
  return (
    text[4] === '-' && text[7] === '-' && (text[10] === 'T' || text[10] === 't') && text[13] === ':' && text[16] === ':'
  )
}

function dayMs(text: string): number {
  const year = 100 * twoDigits(text, 0) + twoDigits(text, 2)
  const month = twoDigits(text, 5)
  const day = twoDigits(text, 8)
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month))) return Number.NaN
  return MS_PER_DAY * (daysBefore(year) + (DAYS_BEFORE_MONTH[month - 1] as number) + leapDay(year, month) + day - 1)
}

function daysIn(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Days from the epoch to the first of January. */
function daysBefore(year: number): number {
  const past = year - 1
  return past * 365 + Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400) - 719_162
}

function leapDay(year: number, month: number): number {
  return month > 2 && isLeap(year) ? 1 : 0
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

function clockMs(text: string): number {
  const hour = twoDigits(text, 11)
  const minute = twoDigits(text, 14)
  const second = twoDigits(text, 17)
  return hour <= 23 && minute <= 59 && second <= 59 ? 1000 * (60 * (60 * hour + minute) + second) : Number.NaN
}

/** Where the offset begins; 19 where there is no fraction of a second. */
function endOfFraction(text: string): number {
  if (text[19] !== '.') return 19
  let end = 20
  while (end < 20 + FRACTION_DIGITS_MAX && !Number.isNaN(digit(text, end))) end += 1
  // A point without digits is nobody's offset.
  return end === 20 ? 19 : end
}

function zoneMs(text: string, at: number): number {
  const sign = text[at]
  if (sign === 'Z' || sign === 'z') return text.length === at + 1 ? 0 : Number.NaN
  if ((sign !== '+' && sign !== '-') || text[at + 3] !== ':' || text.length !== at + 6) return Number.NaN
  const hours = twoDigits(text, at + 1)
  const minutes = twoDigits(text, at + 4)
  if (!(hours <= 23 && minutes <= 59)) return Number.NaN
  return (sign === '-' ? -60_000 : 60_000) * (60 * hours + minutes)
}

function twoDigits(text: string, at: number): number {
  return 10 * digit(text, at) + digit(text, at + 1)
}

function digit(text: string, at: number): number {
  const value = text.charCodeAt(at) - 48
  return value >= 0 && value <= 9 ? value : Number.NaN
}
