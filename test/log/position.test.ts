// Positions: their order, their text, and what is no position.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { comparePositions, formatPosition, type Position, parsePosition } from '../../src/log/position.js'
import { seedFor } from '../controls/seed.js'

const anyPosition: fc.Arbitrary<Position> = fc.record({
  commit: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
  prepare: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
})

describe('positions', () => {
  it('are ordered by commit, then by prepare, exactly beyond 2^53', () => {
    const at = (commit: bigint, prepare: bigint) => ({ commit, prepare })
    expect(comparePositions(at(1n, 9n), at(2n, 0n))).toBeLessThan(0)
    expect(comparePositions(at(2n, 0n), at(1n, 9n))).toBeGreaterThan(0)
    expect(comparePositions(at(5n, 1n), at(5n, 2n))).toBeLessThan(0)
    expect(comparePositions(at(5n, 2n), at(5n, 1n))).toBeGreaterThan(0)
    expect(comparePositions(at(2n ** 60n, 0n), at(2n ** 60n + 1n, 0n))).toBeLessThan(0)
    expect(comparePositions(at(7n, 7n), at(7n, 7n))).toBe(0)
  })

  it('come back from their text', () => {
    const property = fc.property(anyPosition, (position) => {
      expect(parsePosition(formatPosition(position))).toEqual(position)
    })
    fc.assert(property, { seed: seedFor('position text') })
  })

  it.each([
    '',
    '1',
    '1/',
    '/1',
    '-1/1',
    '1/-1',
    '1.0/1',
    '1/1 ',
    ' 1/1',
    '1/1/1',
    '0x1/1',
    '1e3/1',
    `${'9'.repeat(20)}/1`,
  ])('are not read from %j', (text) => {
    expect(parsePosition(text)).toBeUndefined()
  })
})
