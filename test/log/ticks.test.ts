// Ticks: RFC 3339 to 100 nanoseconds and back, and texts that are no time.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { msOfRfc3339 } from '../../src/log/rfc3339.js'
import { formatTicks, isTime, msOfTicks, parseTicks, ticksOfMs } from '../../src/log/ticks.js'
import { seedFor } from '../controls/seed.js'

const FIRST = BigInt(Date.parse('0001-01-01T00:00:00Z')) * 10_000n
const LAST = BigInt(Date.parse('9999-12-31T23:59:59.999Z')) * 10_000n
const anyTicks = fc.bigInt({ min: FIRST, max: LAST })

describe('ticks', () => {
  it('come back from their text, before 1970 too', () => {
    const property = fc.property(anyTicks, (ticks) => {
      expect(parseTicks(formatTicks(ticks))).toBe(ticks)
    })
    fc.assert(property, { seed: seedFor('ticks text'), examples: [[-1n], [0n], [-10_000n], [FIRST], [LAST]] })
  })

  it('are read from any text as a calendar of the platform reads it, or not at all', () => {
    const two = fc.integer({ min: 0, max: 99 }).map((number) => String(number).padStart(2, '0'))
    const parts = fc.tuple(
      two,
      two,
      two,
      two,
      two,
      two,
      two,
      fc.constantFrom('', '.5', '.123456789', '.', '.1234567890'),
    )
    const zone = fc.oneof(
      fc.constantFrom('Z', 'z', '', '+24:00', '-00:60', '+1:00'),
      fc.tuple(two, two).map(([h, m]) => `-${h}:${m}`),
    )
    const property = fc.property(
      parts,
      zone,
      ([century, years, month, day, hour, minute, second, fraction], offset) => {
        const local = `${century}${years}-${month}-${day}T${hour}:${minute}:${second}`
        const text = local + fraction + offset
        expect(msOfRfc3339(text)).toBe(referenceMs(local, fraction, offset))
        expect(isTime(text)).toBe(parseTicks(text) !== undefined)
      },
    )
    fc.assert(property, { seed: seedFor('times'), numRuns: 3_000 })
    // Times that exist are rare among those; these are some of every day.
    const wrong: string[] = []
    for (let day = -719_162; day < 40_000; day += 1) {
      const text = new Date(day * 86_400_000 + 3_661_500).toISOString()
      if (msOfRfc3339(text) !== Date.parse(text)) wrong.push(text)
    }
    expect(wrong).toEqual([])
  })

  it('have seven digits of a second', () => {
    expect(formatTicks(17_776_296_001_234_567n)).toBe('2026-05-01T10:00:00.1234567Z')
    expect(formatTicks(0n)).toBe('1970-01-01T00:00:00.0000000Z')
    expect(formatTicks(-1n)).toBe('1969-12-31T23:59:59.9999999Z')
  })

  it('are ordered as their texts are', () => {
    const property = fc.property(anyTicks, anyTicks, (a, b) => {
      expect(a < b).toBe(formatTicks(a) < formatTicks(b))
    })
    fc.assert(property, { seed: seedFor('ticks order') })
  })

  it('of whole milliseconds are exact, and milliseconds are rounded down', () => {
    const property = fc.property(anyTicks, (ticks) => {
      const ms = msOfTicks(ticks)
      expect(ticksOfMs(ms) <= ticks && ticks < ticksOfMs(ms + 1)).toBe(true)
      expect(msOfTicks(ticksOfMs(ms))).toBe(ms)
    })
    fc.assert(property, { seed: seedFor('ticks milliseconds'), examples: [[-1n], [-9_999n], [9_999n]] })
  })

  it.each([
    ['2026-05-01T10:00:00Z', '2026-05-01T10:00:00.0000000Z'],
    ['2026-05-01t10:00:00z', '2026-05-01T10:00:00.0000000Z'],
    ['2026-05-01T10:00:00.5Z', '2026-05-01T10:00:00.5000000Z'],
    ['2026-05-01T10:00:00.123456789Z', '2026-05-01T10:00:00.1234567Z'],
    ['2026-05-01T10:00:00+02:00', '2026-05-01T08:00:00.0000000Z'],
    ['2026-05-01T10:00:00.1-05:30', '2026-05-01T15:30:00.1000000Z'],
    ['2026-01-01T00:30:00+01:00', '2025-12-31T23:30:00.0000000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.0000000Z'],
  ])('%s is %s', (text, same) => {
    expect(formatTicks(parseTicks(text) ?? 0n)).toBe(same)
  })

  it.each([
    '',
    '2026-05-01',
    '2026-05-01T10:00:00',
    '2026-05-01 10:00:00Z',
    '2026-05-01T10:00Z',
    '2026-02-30T10:00:00Z',
    '2025-02-29T10:00:00Z',
    '2026-13-01T10:00:00Z',
    '2026-05-01T24:00:00Z',
    '2026-05-01T10:60:00Z',
    '2026-05-01T10:00:60Z',
    '2026-05-01T10:00:00.Z',
    '2026-05-01T10:00:00.1234567890Z',
    '2026-05-01T10:00:00+24:00',
    '2026-05-01T10:00:00+01:60',
    '2026-05-01T10:00:00+0100',
    '+002026-05-01T10:00:00Z',
    '2026-05-01T10:00:00Z\n',
  ])('%j is no time', (text) => {
    expect(parseTicks(text)).toBeUndefined()
  })
})

/** What a time means, by the platform's own parser, which also takes times that do not exist for others. */
function referenceMs(local: string, fraction: string, offset: string): number {
  if (!/^(\.\d{1,9})?$/.test(fraction) || !/^([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/.test(offset)) return Number.NaN
  const ms = Date.parse(`${local}Z`)
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 19) !== local) return Number.NaN
  return Date.parse(`${local}${fraction.slice(0, 4)}${offset.toUpperCase()}`)
}
