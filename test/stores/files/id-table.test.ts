// The table of ids: equal ids are one, different ids are two, whatever their hashes say.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { IdBatch, IdTable, IdTableFullError } from '../../../src/stores/files/id-table.js'
import { seedFor } from '../../controls/seed.js'

function put(table: IdTable, id: Uint8Array): number {
  const batch = new IdBatch(1)
  // Not at the start, so that bytes around it would be seen if they counted.
  const bytes = Buffer.concat([Buffer.from('before'), id, Buffer.from('behind')])
  batch.add(bytes, 6, 6 + id.length)
  table.touch(batch)
  return table.put(batch, 0)
}

describe('a table of ids', () => {
  it('gives equal ids one reference and different ids two, as a map of their bytes would', () => {
    const table = new IdTable()
    const refs = new Map<string, number>()
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 12, max: 3 }), (id) => {
        const name = Buffer.from(id).toString('hex')
        const ref = put(table, id)
        expect(refs.get(name) ?? ref).toBe(ref)
        refs.set(name, ref)
        expect(new Set(refs.values()).size).toBe(refs.size)
      }),
      { numRuns: 2_000, seed: seedFor('id table') },
    )
  })

  it('tells apart ids by the hundred thousand, among which some have one hash, and keeps the flags of each', () => {
    const table = new IdTable()
    const batch = new IdBatch(256)
    const refs: number[] = []
    const hashes = new Set<number>()
    const count = 400_000
    for (let n = 0; n < count; n += 1) {
      const id = Buffer.from(`id-${n}`)
      hashes.add(batch.add(id, 0, id.length))
      if (batch.count < batch.size && n + 1 < count) continue
      for (let i = 0; i < batch.count; i += 1) refs.push(table.put(batch, i))
      batch.clear()
    }
    // Of so many 32-bit hashes 19 pairs are equal on average; none at all comes once in 10^8 runs.
    expect(hashes.size).toBeLessThan(count)
    expect(new Set(refs).size).toBe(count)
    for (const [n, ref] of refs.entries()) table.setFlags(ref, n % 256)
    expect(refs.every((ref, n) => table.flags(ref) === n % 256)).toBe(true)
    expect(put(table, Buffer.from('id-123456'))).toBe(refs[123_456])
  })

  it('holds long ids, and refuses one that no page could hold', () => {
    const table = new IdTable()
    const long = [1_000, 100_000, 4_000_000].map((length) => Buffer.alloc(length, 'x'))
    const refs = long.map((id) => put(table, id))
    expect(new Set(refs).size).toBe(3)
    expect(long.map((id) => put(table, id))).toEqual(refs)
    expect(() => put(table, Buffer.alloc(5_000_000, 'x'))).toThrow(IdTableFullError)
  })

  it('takes less than a hundred bytes for an id of 36', () => {
    const table = new IdTable()
    for (let n = 0; n < 100_000; n += 1)
      put(table, Buffer.from(`885f516a-90a7-4405-a3e9-${String(n).padStart(12, '0')}`))
    expect(table.bytes / 100_000).toBeLessThan(100)
  })
})

it('a batch forgets the last id that was added, and all when it is cleared', () => {
  const batch = new IdBatch(4)
  const add = (id: string) => batch.add(Buffer.from(id), 0, id.length)
  add('a')
  add('bcdefgh')
  batch.dropLast()
  add('i')
  const table = new IdTable()
  const refs = [table.put(batch, 0), table.put(batch, 1)]
  batch.clear()
  add('i')
  expect(batch.count).toBe(1)
  expect(table.put(batch, 0)).toBe(refs[1])
})
