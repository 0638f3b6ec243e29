// UUIDs as bytes come back as they were, in lower case; what is none is refused.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { uuidAt, writeUuid } from '../../src/log/uuid-bytes.js'
import { seedFor } from '../controls/seed.js'

describe('a UUID as bytes', () => {
  it('is the same UUID afterwards, wherever it stands, and the bytes that its digits say', () => {
    const property = fc.property(fc.uuid(), fc.nat(20), (uuid, at) => {
      const bytes = Buffer.alloc(60, 0xee)
      writeUuid(bytes, at, uuid.toUpperCase())
      expect(uuidAt(bytes, at)).toBe(uuid)
      expect(bytes.toString('hex', at, at + 16)).toBe(uuid.replaceAll('-', ''))
      expect([...bytes].filter((byte) => byte === 0xee).length).toBeGreaterThanOrEqual(44)
    })
    fc.assert(property, { seed: seedFor('uuid bytes') })
  })

  it.each([
    '',
    'x',
    '6c84fb90-12c4-11e1-840d-7b25c5ee775',
    '6c84fb90-12c4-11e1-840d-7b25c5ee775ab',
    '6c84fb90-12c4-11e1-840d-7b25c5ee775g',
    '6c84fb90x12c4-11e1-840d-7b25c5ee775a',
    '{c84fb90-12c4-11e1-840d-7b25c5ee775a',
  ])('refuses %j', (text) => {
    expect(() => writeUuid(Buffer.alloc(16), 0, text)).toThrow(RangeError)
  })
})
