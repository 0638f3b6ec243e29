import { describe, expect, it } from 'vitest'
import { Random } from '../../src/workload/random.js'

const draw = (random: Random, count = 5) => Array.from({ length: count }, () => random.uint32())

describe('seeded random numbers', () => {
  it('are the same for the same seed and stream, and others for any other', () => {
    expect(draw(new Random(7, 3))).toEqual(draw(new Random(7, 3)))
    const pairs = [
      [7, 3],
      [7, 4],
      [8, 3],
      [3, 7],
      [-7, 3],
      [7 + 2 ** 32, 3],
      [7, 3 + 2 ** 40],
    ] as const
    expect(new Set(pairs.map(([seed, stream]) => draw(new Random(seed, stream)).join())).size).toBe(pairs.length)
  })

  it('are spread evenly, also over the first numbers of neighbouring streams', () => {
    const counts = new Array<number>(10).fill(0)
    for (let stream = 0; stream < 10_000; stream += 1) {
      const bin = new Random(1, stream).between(0, 9)
      counts[bin] = (counts[bin] ?? 0) + 1
    }
    expect(Math.min(...counts)).toBeGreaterThan(850)
    expect(Math.max(...counts)).toBeLessThan(1_150)
  })

  it('stay within what is asked for', () => {
    const random = new Random(1)
    const drawn = Array.from({ length: 1_000 }, () => random.between(-1, 1))
    expect([...new Set(drawn)].sort()).toEqual([-1, 0, 1])
    expect(random.chance(0)).toBe(false)
    expect(random.chance(1)).toBe(true)
    expect(random.pick(['only'])).toBe('only')
  })

  it('shuffle a list without losing or doubling anything', () => {
    const list = Array.from({ length: 50 }, (_, n) => n)
    const shuffled = new Random(2).shuffled(list)
    expect(shuffled).not.toEqual(list)
    expect(shuffled.toSorted((a, b) => a - b)).toEqual(list)
  })

  it('make UUIDs of version 4, none twice', () => {
    const uuids = Array.from({ length: 20_000 }, (_, n) => new Random(5, n % 2_000).uuid())
    expect(
      uuids.every((uuid) => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(uuid)),
    ).toBe(true)
    expect(new Set(uuids).size).toBe(2_000)
  })
})
