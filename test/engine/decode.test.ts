// Decoding: what schemas accept becomes a typed event; everything else becomes an Undecodable that says which field and why.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { decode, parseMetadata } from '../../src/engine/decode.js'
import { defineProjection } from '../../src/engine/projection.js'
import type { RecordedEvent } from '../../src/log/event.js'
import { seedFor } from '../controls/seed.js'

const bytes = (text: string) => new TextEncoder().encode(text)

const strict = defineProjection({
  name: 'strict',
  version: '1',
  categories: ['payment'],
  events: {
    Paid: z.object({
      amount: z.object({ minor: z.int(), currency: z.string() }),
      tags: z.array(z.string()).optional(),
    }),
    Checked: z.object({ a: z.string() }).refine(() => false, 'never right'),
  },
  initial: () => ({}),
  evolve: () => undefined,
  rules: [],
})

const lenient = defineProjection({ ...strict, name: 'lenient', events: { '*': z.record(z.string(), z.unknown()) } })

function recorded(fields: Partial<RecordedEvent>): RecordedEvent {
  return {
    stream: 'payment-42',
    revision: 3,
    id: 'e3',
    type: 'Paid',
    contentType: 'application/json',
    data: bytes('{"amount":{"minor":1,"currency":"EUR"}}'),
    metadata: bytes(''),
    created: 7n,
    position: { commit: 9n, prepare: 9n },
    ...fields,
  }
}

const place = { category: 'payment', subject: '42' }

function whyOf(fields: Partial<RecordedEvent>, projection = strict): string {
  const decoding = decode(recorded(fields), place, projection)
  if (decoding.kind !== 'undecodable') throw new Error('it was decoded')
  return decoding.event.why
}

function dataOf(fields: Partial<RecordedEvent>, projection = strict): unknown {
  const decoding = decode(recorded(fields), place, projection)
  if (decoding.kind !== 'decoded') throw new Error(decoding.event.why)
  return decoding.event.data
}

describe('an event that its schema accepts', () => {
  it('is decoded with its place, subject and category', () => {
    const decoding = decode(recorded({ metadata: bytes('{"$correlationId":"42"}') }), place, strict)
    expect(decoding.kind).toBe('decoded')
    const { id, stream, revision, type, category, subject, created, metadata, data } = decoding.event as Extract<
      typeof decoding,
      { kind: 'decoded' }
    >['event']
    expect({ id, stream, revision, type, category, subject, created, metadata, data }).toEqual({
      id: 'e3',
      stream: 'payment-42',
      revision: 3,
      type: 'Paid',
      category: 'payment',
      subject: '42',
      created: 7n,
      metadata: { $correlationId: '42' },
      data: { amount: { minor: 1, currency: 'EUR' } },
    })
  })

  it('of a type nobody named goes to the schema for *', () => {
    expect(dataOf({ type: 'Whatever', data: bytes('{"a":1}') }, lenient)).toEqual({ a: 1 })
  })
})

describe('an event that cannot be decoded', () => {
  it('keeps id, place and type', () => {
    expect(decode(recorded({ type: 'Gone' }), place, strict)).toEqual({
      kind: 'undecodable',
      event: { id: 'e3', stream: 'payment-42', revision: 3, type: 'Gone', why: expect.any(String) },
    })
  })

  it('of an unknown type says which type and which projection', () => {
    expect(whyOf({ type: 'Ticket "Lost"' })).toBe('strict knows no event type "Ticket \\"Lost\\""')
  })

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
    'of a type named %s is unknown, not what objects inherit',
    (type) => {
      expect(whyOf({ type })).toContain('knows no event type')
    },
  )

  it('that is not JSON by its content type says so, whatever its bytes are', () => {
    expect(whyOf({ contentType: 'application/octet-stream' })).toBe('expected JSON, found application/octet-stream')
  })

  it.each([
    ['cut off', bytes('{"amount":{"minor":1')],
    ['empty', bytes('')],
    ['no JSON', bytes('paid!')],
    ['a lone NaN', bytes('NaN')],
    ['invalid UTF-8', Uint8Array.from([0x22, 0xff, 0xfe, 0x22])],
    ['an overlong encoding', Uint8Array.from([0x22, 0xc0, 0xaf, 0x22])],
    ['a surrogate in UTF-8', Uint8Array.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
  ])('whose data is %s says so', (_, data) => {
    expect(whyOf({ data })).toBe('its data is not valid JSON in UTF-8')
    expect(whyOf({ data, type: 'Any' }, lenient)).toBe('its data is not valid JSON in UTF-8')
  })

  it.each([
    ['{}', 'amount: '],
    ['{"amount":{"minor":"1","currency":"EUR"}}', 'amount.minor: '],
    ['{"amount":{"minor":1.5,"currency":"EUR"}}', 'amount.minor: '],
    ['{"amount":{"minor":9007199254740993,"currency":"EUR"}}', 'amount.minor: '],
    ['{"amount":{"minor":1,"currency":"EUR"},"tags":["a",2]}', 'tags.1: '],
  ])('%s names the field', (data, path) => {
    const why = whyOf({ data: bytes(data) })
    expect(why.startsWith(path)).toBe(true)
    expect(why.length).toBeGreaterThan(path.length)
    expect(why).not.toContain('\n')
  })

  it('as a whole has no path in front of why', () => {
    expect(whyOf({ data: bytes('[]') })).toMatch(/^Invalid input/)
    expect(whyOf({ type: 'Checked', data: bytes('{"a":"b"}') })).toBe('never right')
  })
})

describe('hostile data', () => {
  it('with __proto__ changes no prototype and is not seen as fields', () => {
    const data = dataOf({
      data: bytes('{"__proto__":{"minor":5,"polluted":true},"amount":{"minor":1,"currency":"EUR"}}'),
    })
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype)
    expect('polluted' in (data as object)).toBe(false)
    expect('polluted' in {}).toBe(false)
    const loose = dataOf({ type: 'X', data: bytes('{"__proto__":{"polluted":true},"a":1}') }, lenient)
    expect('polluted' in (loose as object)).toBe(false)
    expect(whyOf({ data: bytes('{"__proto__":{"amount":{"minor":1,"currency":"EUR"}}}') })).toMatch(/^amount: /)
  })

  it('of any bytes is decoded or undecodable, and never throws', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 200 }), fc.string({ unit: 'binary' }), (data, type) => {
      for (const projection of [strict, lenient]) {
        expect(['decoded', 'undecodable']).toContain(decode(recorded({ data, type }), place, projection).kind)
      }
    })
    fc.assert(property, { seed: seedFor('decode any bytes') })
  })

  it('deeper than a schema can follow is undecodable, and ends no replay', () => {
    const deep = bytes(`{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`)
    const follows = defineProjection({ ...strict, events: { '*': z.record(z.string(), z.json()) } })
    expect(whyOf({ data: deep, type: 'X' }, follows)).toMatch(/^its schema failed: /)
  })

  it('on which a check of the schema throws is undecodable, in one line', () => {
    const check = z.json().refine(() => {
      throw new TypeError('no such\nfield')
    })
    expect(whyOf({ type: 'X' }, defineProjection({ ...strict, events: { X: check } }))).toBe(
      'its schema failed: no such',
    )
  })
})

describe('metadata', () => {
  it.each(['', '[]', 'null', '5', '"x"', '{', '\u0000'])('%j is no object and reads as empty', (text) => {
    expect(parseMetadata(bytes(text))).toEqual({})
  })

  it('in invalid UTF-8 reads as empty', () => {
    expect(parseMetadata(Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toEqual({})
  })
})
