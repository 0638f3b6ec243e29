// Stream metadata: which values limit the reading of a stream, which are without effect, and what a limit leaves readable.
import { describe, expect, it } from 'vitest'
import {
  firstReadable,
  isReadable,
  limitsOf,
  readStreamMetadata,
  SOFT_DELETE_TB,
} from '../../src/log/stream-metadata.js'
import { ticksOfMs } from '../../src/log/ticks.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { write, writeMetadata } from '../controls/log-writer.js'

const limits = (json: string) => limitsOf(new TextEncoder().encode(json))
const NONE = { softDeleted: false }

describe('limits of a stream', () => {
  it.each([
    ['{"$tb":5}', { truncateBefore: 5, softDeleted: false }],
    ['{"$tb":0}', { truncateBefore: 0, softDeleted: false }],
    ['{"$maxCount":1}', { maxCount: 1, softDeleted: false }],
    ['{"$maxAge":60}', { maxAgeSeconds: 60, softDeleted: false }],
    [
      '{"$tb":5,"$maxCount":3,"$maxAge":60,"owner":"x"}',
      { truncateBefore: 5, maxCount: 3, maxAgeSeconds: 60, softDeleted: false },
    ],
  ])('%s limits', (json, expected) => {
    expect(limits(json)).toEqual(expected)
  })

  it.each([
    '{}',
    '{"$tb":"5"}',
    '{"$tb":-1}',
    '{"$tb":1.5}',
    '{"$maxCount":0}',
    '{"$maxCount":null}',
    '{"$maxAge":0}',
    '{"$maxAge":"60"}',
    '[]',
    'null',
    '5',
    'not JSON',
    '',
    '\u0000',
  ])('%j does not', (json) => {
    expect(limits(json)).toEqual(NONE)
  })

  it('say that a stream is softly deleted by the largest $tb only', () => {
    expect(limits(`{"$tb":${SOFT_DELETE_TB}}`).softDeleted).toBe(true)
    expect(limits('{"$tb":9007199254740991}').softDeleted).toBe(false)
  })
})

describe('reading under limits', () => {
  const at = (revision: number, ageMs = 0) => ({ revision, created: ticksOfMs(1_000_000 - ageMs) })
  const place = { head: 9, now: 1_000_000 }

  it('begins at the later of $tb and what $maxCount leaves, never below 0', () => {
    expect(firstReadable(NONE, 9)).toBe(0)
    expect(firstReadable({ ...NONE, truncateBefore: 4 }, 9)).toBe(4)
    expect(firstReadable({ ...NONE, maxCount: 3 }, 9)).toBe(7)
    expect(firstReadable({ ...NONE, maxCount: 30 }, 9)).toBe(0)
    expect(firstReadable({ ...NONE, truncateBefore: 8, maxCount: 3 }, 9)).toBe(8)
    expect(isReadable(at(3), { ...NONE, truncateBefore: 4 }, place)).toBe(false)
    expect(isReadable(at(4), { ...NONE, truncateBefore: 4 }, place)).toBe(true)
  })

  it('leaves out what is as old as $maxAge, and keeps what has no time', () => {
    const young = { ...NONE, maxAgeSeconds: 1 }
    expect(isReadable(at(1, 999), young, place)).toBe(true)
    expect(isReadable(at(1, 1_000), young, place)).toBe(false)
    expect(isReadable({ revision: 1, created: undefined }, young, place)).toBe(true)
  })
})

describe('the metadata of a stream', () => {
  it('is the last that was written for it', async () => {
    const store = openMemoryStore()
    await write(store, 'payment-1', { type: 'Paid' })
    expect(await readStreamMetadata(store, 'payment-1')).toBeUndefined()
    await writeMetadata(store, 'payment-1', { $tb: 1 })
    await writeMetadata(store, 'payment-1', { $tb: 2 })
    const read = await readStreamMetadata(store, 'payment-1')
    expect(read && { revision: read.revision, ...limitsOf(read.data) }).toEqual({
      revision: 1,
      truncateBefore: 2,
      softDeleted: false,
    })
  })
})
