// Ticks between 64 bits and digits give what big integers give.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readTicksText, writeTicksText } from '../../src/log/ticks-text.js'
import { seedFor } from '../controls/seed.js'

const MAX = 2n ** 63n - 1n
const seed = seedFor('ticks-text')
const anyTicks = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: MAX }),
  fc.bigInt({ min: 17_000_000_000_000_000n, max: 18_000_000_000_000_000n }),
  fc
    .tuple(fc.nat({ max: 18 }), fc.integer({ min: -2, max: 2 }))
    .map(([power, more]) => 10n ** BigInt(power) + BigInt(more)),
  fc
    .tuple(fc.nat({ max: 62 }), fc.integer({ min: -2, max: 2 }))
    .map(([power, more]) => 2n ** BigInt(power) + BigInt(more)),
)

function written(ticks: bigint): string {
  const source = Buffer.alloc(11)
  source.writeBigInt64LE(ticks, 3)
  const target = Buffer.alloc(30, '#')
  return target.toString('latin1', writeTicksText(source, 3, target, 25), 25)
}

function read(text: string): bigint | undefined {
  const target = Buffer.alloc(11)
  const source = Buffer.from(`x${text}9`)
  return readTicksText(source, 1, source.length - 1, target, 3) ? target.readBigInt64LE(3) : undefined
}

describe('ticks as text', () => {
  test('are written as a big integer is', () => {
    fc.assert(
      fc.property(anyTicks, (ticks) => {
        expect(written(ticks)).toBe(String(ticks))
      }),
      { seed, numRuns: 2_000 },
    )
  })

  test('are read as a big integer is, with zeros in front too', () => {
    fc.assert(
      fc.property(anyTicks, fc.nat({ max: 4 }), (ticks, zeros) => {
        const text = `${'0'.repeat(zeros)}${ticks < 0n ? -ticks - 1n : ticks}`
        expect(read(text)).toBe(BigInt(text))
      }),
      { seed, numRuns: 2_000 },
    )
  })

  test('are none where something else stands there, or more than 64 bits hold', () => {
    for (const text of ['', '-1', '12a', 'a', '1 ', '1.5', `${'9'.repeat(20)}x`]) expect(read(text)).toBeUndefined()
    expect(read(String(MAX))).toBe(MAX)
    expect(read(String(MAX + 1n))).toBeUndefined()
  })
})
