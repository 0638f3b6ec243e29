// A spool: what is written into a partition comes back in order, whatever is held in memory and whatever is written out.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import type { DecodableEvent } from '../../src/engine/decode.js'
import { EventWriter, eventIn, ordinalIn, subjectHashIn } from '../../src/engine/event-bytes.js'
import { readRecords, Spool, selectRecords } from '../../src/engine/spool.js'
import { TOMBSTONE_REVISION } from '../../src/log/revision.js'
import { folderScratch } from '../../src/scratch/folder-scratch.js'
import { seedFor } from '../controls/seed.js'

const folder = mkdtempSync(join(tmpdir(), 'makegood-spool-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('a spool', () => {
  it('gives back the records of each partition in order, under any limit, as often as it is asked', () => {
    const aRecord = fc.record({
      index: fc.nat(3),
      length: fc.oneof(fc.nat(300), fc.integer({ min: 60_000, max: 140_000 })),
      byte: fc.nat(255),
    })
    const bytesMax = fc.constantFrom(0, 10_000, 300_000, Number.POSITIVE_INFINITY)
    fc.assert(
      fc.property(fc.array(aRecord, { maxLength: 40 }), bytesMax, fc.boolean(), (records, limit, isEnded) => {
        const scratch = folderScratch(folder)
        const spool = new Spool({ partitions: 4, bytesMax: limit, scratch: () => scratch })
        for (const { index, length, byte } of records) spool.write(index, Buffer.alloc(length + 7, byte), length, 7)
        if (isEnded) spool.end()
        for (const index of [0, 1, 2, 3, 0]) {
          const told: [length: number, byte: number | undefined][] = []
          spool.read(index, (bytes, start, end) => told.push([end - start, end > start ? bytes[end - 1] : undefined]))
          const expected = records.filter((record) => record.index === index)
          expect(told).toEqual(expected.map(({ length, byte }) => [length, length > 0 ? byte : undefined]))
        }
        const isOdd = (bytes: Buffer, start: number) => (bytes[start - 4] as number) % 2 === 1
        const selected: number[] = []
        for (const block of selectRecords(spool.blocks(1), isOdd))
          readRecords(block, (_, start, end) => selected.push(end - start))
        const odd = records.filter(({ index, length }) => index === 1 && length % 2 === 1)
        expect(selected).toEqual(odd.map(({ length }) => length))
        scratch.close()
      }),
      { seed: seedFor('spool'), numRuns: 60 },
    )
  })
})

describe('an event as bytes', () => {
  it('is the same event afterwards', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 40 })
    const bytes = fc.uint8Array({ maxLength: 9_000 })
    const anEvent: fc.Arbitrary<DecodableEvent> = fc.record({
      stream: text,
      revision: fc.oneof(fc.nat(), fc.constant(TOMBSTONE_REVISION), fc.constant(Number.MAX_SAFE_INTEGER)),
      id: fc.uuid(),
      type: text,
      contentType: fc.constantFrom('application/json', 'application/octet-stream'),
      data: bytes,
      metadata: bytes,
      created: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { nil: undefined }),
    })
    const writer = new EventWriter()
    fc.assert(
      fc.property(anEvent, fc.maxSafeNat(), fc.nat(2 ** 32 - 1), (event, ordinal, subjectHash) => {
        const length = writer.write(event, { stream: event.stream, ordinal, subjectHash })
        const copy = Buffer.concat([Buffer.alloc(3), writer.bytes.subarray(0, length)])
        const told = eventIn(copy, 3, copy.length)
        expect({ ...told, data: [...told.data], metadata: [...told.metadata] }).toEqual({
          ...event,
          data: [...event.data],
          metadata: [...event.metadata],
        })
        expect([ordinalIn(copy, 3), subjectHashIn(copy, 3)]).toEqual([ordinal, subjectHash])
      }),
      { seed: seedFor('event bytes'), numRuns: 300 },
    )
  })
})
