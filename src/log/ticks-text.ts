// Ticks as they stand in bytes (64 bits, little endian) and as decimal digits, from one into the other without a big integer: every event that goes
// over the wire has one, and doubles have not the digits for all of it.
import type { Ticks } from './ticks.js'

const ZERO = 48
const TWO_32 = 2 ** 32

/** Below so many digits the halves of what is read below are exact as doubles. */
const QUICK_DIGITS_MAX = 18
const LOW_DIGITS = 9
const LOW_SCALE = 1e9
/** What is split off when digits are written: with a larger one the rest would not be exact. */
const SPLIT_DIGITS = 6
const SPLIT_SCALE = 1e6
const TICKS_MAX = 2n ** 63n - 1n

/** Writes the digits of the ticks that stand at a place so that they end before `end`, and gives where they begin. */
export function writeTicksText(source: Buffer, at: number, target: Buffer, end: number): number {
  const high = source.readInt32LE(at + 4)
  if (high < 0) return writeBefore(target, end, String(source.readBigInt64LE(at)))
  const rest = (high % SPLIT_SCALE) * TWO_32 + source.readUInt32LE(at)
  const upper = Math.floor(high / SPLIT_SCALE) * TWO_32 + Math.floor(rest / SPLIT_SCALE)
  if (upper === 0) return writeDigits(target, end, rest % SPLIT_SCALE, 1)
  return writeDigits(target, writeDigits(target, end, rest % SPLIT_SCALE, SPLIT_DIGITS), upper, 1)
}

/** The inverse: writes the ticks whose digits stand there. False where these are no digits, none at all, or more than 64 bits hold. */
export function readTicksText(source: Buffer, start: number, end: number, target: Buffer, at: number): boolean {
  if (start >= end) return false
  if (end - start > QUICK_DIGITS_MAX) return readLongText(source.toString('latin1', start, end), target, at)
  const middle = Math.max(start, end - LOW_DIGITS)
  const upper = digitsIn(source, start, middle)
  const lower = digitsIn(source, middle, end)
  if (upper < 0 || lower < 0) return false
  // upper * 10^9 + lower, the product in parts of 16 bits so that no part is rounded.
  const product = Math.floor(upper / 65_536) * LOW_SCALE
  const low = (product % 65_536) * 65_536 + (upper % 65_536) * LOW_SCALE + lower
  target.writeUInt32LE(low % TWO_32, at)
  target.writeUInt32LE(Math.floor(product / 65_536) + Math.floor(low / TWO_32), at + 4)
  return true
}

function readLongText(text: string, target: Buffer, at: number): boolean {
  if (!/^\d+$/.test(text)) return false
  const ticks: Ticks = BigInt(text)
  if (ticks > TICKS_MAX) return false
  target.writeBigInt64LE(ticks, at)
  return true
}

/** Below zero where something else than a digit stands there. */
function digitsIn(source: Buffer, start: number, end: number): number {
  let value = 0
  for (let at = start; at < end; at += 1) {
    const digit = (source[at] as number) - ZERO
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

/** Writes at least so many digits before `end`, and gives where they begin. */
function writeDigits(target: Buffer, end: number, value: number, digitsMin: number): number {
  let [at, rest] = [end, value]
  while (rest > 0 || end - at < digitsMin) {
    const next = Math.floor(rest / 10)
    at -= 1
    target[at] = ZERO + rest - next * 10
    rest = next
  }
  return at
}

function writeBefore(target: Buffer, end: number, text: string): number {
  return end - target.write(text, end - text.length, 'latin1')
}
