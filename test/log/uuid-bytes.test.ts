// UUIDs as bytes come back as they were, in lower case; what is none is refused.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readUuidText, uuidAt, writeUuid, writeUuidText } from '../../src/log/uuid-bytes.js'
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

  it('is the same where its text is bytes', () => {
    const property = fc.property(fc.uuid(), fc.nat(20), (uuid, at) => {
      const text = Buffer.alloc(70, '#')
      text.write(uuid.toUpperCase(), at)
      const bytes = Buffer.alloc(40)
      expect(readUuidText(text, at, bytes, 3)).toBe(true)
      expect(uuidAt(bytes, 3)).toBe(uuid)
      writeUuidText(bytes, 3, text, at)
      expect(text.toString()).toBe(`${'#'.repeat(at)}${uuid}`.padEnd(70, '#'))
    })
    fc.assert(property, { seed: seedFor('uuid bytes') })
  })

  it('is told from other text of its length by every character', () => {
    const uuid = '6c84fb90-12c4-11e1-840d-7b25c5ee775a'
    for (let at = 0; at < uuid.length; at += 1) {
      for (const other of ['g', '/', ':', '@', 'G', '`', '\u0000', '\u00ff', uuid[at] === '-' ? '0' : '-']) {
        const text = Buffer.from(`${uuid.slice(0, at)}${other}${uuid.slice(at + 1)}`, 'latin1')
        expect(readUuidText(text, 0, Buffer.alloc(16), 0), text.toString('latin1')).toBe(false)
      }
    }
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
