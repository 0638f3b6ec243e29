// The table of ids: equal ids are one, different ids are two, whatever their hashes say; and what lines said of each is kept.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HELD, hashOf, IdBatch, PAID, shareOf, TICKETED } from '../../../src/stores/files/id-batch.js'
import { IdTable, IdTableFullError } from '../../../src/stores/files/id-table.js'
import { seedFor } from '../../controls/seed.js'

interface Said {
  readonly id: Uint8Array
  readonly marks: number
}

/** A batch of what lines say, numbered from `firstLine` on. */
function batchOf(said: readonly Said[], firstLine: number): IdBatch {
  const batch = new IdBatch(Math.max(1, said.length))
  for (const [i, { id, marks }] of said.entries()) {
    // Not at the start, so that bytes around it would be seen if they counted.
    const bytes = Buffer.concat([Buffer.from('before'), id, Buffer.from('behind')])
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const [start, end] = [6, 6 + id.length]
    batch.add(view, start, end, hashOf(view, start, end, 7), marks, firstLine + i)
  }
  return batch
}

/** What a table says in the end, lines in order. */
function settle(table: IdTable, last: number) {
  const picked: number[] = []
  const counts = table.settle(last, (line) => picked.push(line))
  return { ...counts, picked: picked.sort((a, b) => a - b) }
}

/** The same by a map of strings. */
function settleSlowly(said: readonly Said[], last: number): ReturnType<typeof settle> {
  const byId = new Map<string, { marks: number; lines: number[] }>()
  for (const [i, { id, marks }] of said.entries()) {
    const name = Buffer.from(id).toString('hex')
    const known = byId.get(name) ?? { marks: 0, lines: [] }
    byId.set(name, { marks: known.marks | marks | (i + 1 === last ? HELD : 0), lines: [...known.lines, i + 1] })
  }
  const all = [...byId.values()]
  const settled = all.filter(({ marks }) => (marks & (TICKETED | HELD)) === TICKETED)
  return {
    events: settled.flatMap(({ lines }) => lines).length,
    streams: settled.reduce((sum, { marks }) => sum + 1 + (marks & PAID), 0),
    subjects: settled.length,
    picked: all
      .filter((known) => !settled.includes(known))
      .flatMap(({ lines }) => lines)
      .sort((a, b) => a - b),
  }
}

const SAID = fc.record({
  id: fc.uint8Array({ minLength: 1, maxLength: 10, max: 1 }),
  marks: fc.constantFrom(PAID, PAID, TICKETED, TICKETED, HELD),
})

describe('a table of ids', () => {
  it('says of any lines what is settled, and which lines are of what is not, as a map of strings would', () => {
    fc.assert(
      fc.property(fc.array(SAID, { maxLength: 300, size: 'max' }), fc.nat(300), fc.nat(), (said, last, cut) => {
        const place = said.length === 0 ? 0 : cut % said.length
        const table = new IdTable()
        table.take(batchOf(said.slice(0, place), 1))
        table.take(batchOf(said.slice(place), place + 1))
        expect(settle(table, last || -1)).toEqual(settleSlowly(said, last))
      }),
      { numRuns: 300, seed: seedFor('id table') },
    )
  })

  it('tells apart ids by the hundred thousand, among which some have one hash', () => {
    const table = new IdTable()
    const count = 400_000
    const said = Array.from({ length: count }, (_, n) => ({ id: Buffer.from(`id-${n}`), marks: PAID }))
    const batch = batchOf(said, 1)
    // Of so many 32-bit hashes 19 pairs are equal on average; none at all comes once in 10^8 seeds.
    expect(new Set(batch.hashes).size).toBeLessThan(count)
    table.take(batch)
    table.take(
      batchOf(
        said.slice(0, -1).map(({ id }) => ({ id, marks: TICKETED })),
        count + 1,
      ),
    )
    const { subjects, picked } = settle(table, -1)
    expect({ subjects, picked }).toEqual({ subjects: count - 1, picked: [count] })
  })

  it('holds long ids, and refuses one that no page could hold', () => {
    const table = new IdTable()
    const long = [1_000, 100_000, 4_000_000].map((length) => ({ id: Buffer.alloc(length, 'x'), marks: PAID }))
    table.take(batchOf(long, 1))
    table.take(batchOf(long, 4))
    expect(settle(table, -1).picked).toEqual([1, 2, 3, 4, 5, 6])
    expect(() => table.take(batchOf([{ id: Buffer.alloc(5_000_000, 'x'), marks: PAID }], 7))).toThrow(IdTableFullError)
  })

  it('takes less than a hundred bytes for an id of 36, and eight for each further line', () => {
    const table = new IdTable()
    const said = Array.from({ length: 150_000 }, (_, n) => ({
      id: Buffer.from(`885f516a-90a7-4405-a3e9-${String(n).padStart(12, '0')}`),
      marks: PAID,
    }))
    table.take(batchOf(said, 1))
    const once = table.bytes
    expect(once / 150_000).toBeLessThan(100)
    table.take(batchOf(said, 150_001))
    expect((table.bytes - once) / 150_000).toBeLessThan(12)
  })
})

it('ids fall into each share about as often', () => {
  const ids = Array.from({ length: 30_000 }, (_, n) => Buffer.from(`id-${n}`))
  const counts = [0, 0, 0]
  for (const id of ids) {
    const share = shareOf(hashOf(new DataView(id.buffer, id.byteOffset, id.length), 0, id.length, 7), 3)
    counts[share] = (counts[share] ?? 0) + 1
  }
  expect(counts).toHaveLength(3)
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500)
})

it('a batch that was cleared holds what is added then, and nothing else', () => {
  const batch = batchOf([{ id: Buffer.from('a'), marks: PAID }], 1)
  expect(batch.isFull).toBe(true)
  batch.clear()
  expect([batch.isFull, batch.count]).toEqual([false, 0])
  const table = new IdTable()
  table.take(batch)
  expect(settle(table, -1)).toEqual({ events: 0, streams: 0, subjects: 0, picked: [] })
})
