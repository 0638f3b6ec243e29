// An exported event is one line, and nothing but its position is lost on the way there and back.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatEventLine, type LineEvent, parseEventLine } from '../../src/log/event-line.js'
import { TOMBSTONE_REVISION } from '../../src/log/revision.js'
import { seedFor } from '../controls/seed.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

const PAYMENT: LineEvent = {
  stream: 'payment-42',
  revision: 0,
  id: '0b6d52b2-3a0f-4a5c-9d3e-2f7f0a1b2c3d',
  type: 'PaymentCaptured',
  contentType: 'application/json',
  data: bytes('{"amountMinor":12345678901234567890}'),
  metadata: bytes('{"$correlationId": "42"}'),
  created: 17_776_296_001_234_567n,
}
const PAYMENT_LINE =
  '{"stream":"payment-42","revision":0,"id":"0b6d52b2-3a0f-4a5c-9d3e-2f7f0a1b2c3d","type":"PaymentCaptured",' +
  '"created":"2026-05-01T10:00:00.1234567Z","contentType":"application/json","data":{"amountMinor":12345678901234567890},' +
  '"metadata":{"$correlationId": "42"}}'

function roundTrip(event: LineEvent): LineEvent {
  const line = formatEventLine(event)
  expect(line).not.toMatch(/[\r\n]/)
  const [fromText, fromBytes] = [parseEventLine(line), parseEventLine(bytes(line))]
  expect(fromBytes).toEqual(fromText)
  if (fromText.kind !== 'event') throw new Error(`${fromText.why}: ${line}`)
  return fromText.event
}

function whyBroken(line: string | Uint8Array): string {
  const parsed = parseEventLine(line)
  return parsed.kind === 'broken' ? parsed.why : 'it is not broken'
}

describe('a line', () => {
  test('has the fields in the documented order and JSON bytes as they stand', () => {
    const event = PAYMENT
    expect(formatEventLine(event)).toBe(PAYMENT_LINE)
    expect(roundTrip(event)).toEqual(event)
  })

  test('leaves out a time that is not known and metadata that is empty', () => {
    const event: LineEvent = { ...PAYMENT, created: undefined, metadata: new Uint8Array(0) }
    expect(Object.keys(JSON.parse(formatEventLine(event)))).toEqual([
      'stream',
      'revision',
      'id',
      'type',
      'contentType',
      'data',
    ])
    expect(roundTrip(event)).toEqual(event)
  })

  test('carries the revision of a tombstone as it is on the wire', () => {
    const event = { ...PAYMENT, revision: TOMBSTONE_REVISION }
    expect(formatEventLine(event)).toContain('"revision":9223372036854775807,')
    expect(roundTrip(event)).toEqual(event)
  })

  test.each([
    ['no bytes', bytes('')],
    ['text that is not JSON', bytes('{"a":')],
    ['a line end inside', bytes('{"a":\n1}')],
    ['a carriage return inside', bytes('{"a":\r1}')],
    ['white space before', bytes(' {"a":1}')],
    ['white space behind', bytes('{"a":1}\t')],
    ['a byte-order mark', bytes('\uFEFF{"a":1}')],
    ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xff, 0x22)],
  ])('carries %s as base64', (_, data) => {
    const event: LineEvent = { ...PAYMENT, data, metadata: data }
    expect(Object.keys(JSON.parse(formatEventLine(event)))).toContain('dataBase64')
    expect(roundTrip(event)).toEqual(event)
  })

  test('carries nesting as deep as JSON.parse allows', () => {
    const event: LineEvent = { ...PAYMENT, data: bytes('['.repeat(50_000) + ']'.repeat(50_000)) }
    expect(formatEventLine(event)).toContain('"data":[[[')
    expect(roundTrip(event)).toEqual(event)
  })

  test('carries numbers, names that are there twice and escapes inside data as they were written', () => {
    const event: LineEvent = { ...PAYMENT, data: bytes('{"a":1.0e2,"a":1e999,"__proto__":"\\u0041\\/","\u2028":-0}') }
    expect(roundTrip(event)).toEqual(event)
  })
})

test('any event comes back as it was', () => {
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.string({ unit: 'binary' }).map(bytes),
    fc.json().map(bytes),
    fc.jsonValue().map((value) => bytes(JSON.stringify(value, null, 1))),
  )
  const anyEvent: fc.Arbitrary<LineEvent> = fc.record({
    stream: fc.string({ unit: 'binary', minLength: 1 }),
    revision: fc.oneof(fc.maxSafeNat(), fc.constant(TOMBSTONE_REVISION)),
    id: fc.uuid(),
    type: fc.string({ unit: 'binary' }),
    contentType: fc.constantFrom('application/json', 'application/octet-stream'),
    data: content,
    metadata: content,
    created: fc.option(fc.bigInt({ min: 0n, max: 253_402_300_799_9999999n }), { nil: undefined }),
  })
  fc.assert(
    fc.property(anyEvent, (event) => {
      expect(roundTrip(event)).toEqual(event)
    }),
    { numRuns: 1_000, seed: seedFor('event lines') },
  )
})

describe('reading a line', () => {
  test('bears other spacing and another order of fields', () => {
    const line = `{ "data" : {"a": 1} , "type":"T", "contentType":"application/json", "revision" : 3,
      "id":"0B6D52B2-3A0F-4A5C-9D3E-2F7F0A1B2C3D", "stream":"a-b" }`
    expect(parseEventLine(line)).toEqual({
      kind: 'event',
      event: {
        stream: 'a-b',
        revision: 3,
        id: PAYMENT.id,
        type: 'T',
        contentType: 'application/json',
        data: bytes('{"a": 1}'),
        metadata: new Uint8Array(0),
        created: undefined,
      },
    })
  })

  test.each([
    ['a line that is cut', PAYMENT_LINE.slice(0, -1), 'not valid JSON'],
    ['a line that is no object', '[]', /expected object/],
    ['a line in another encoding', Uint8Array.of(0x7b, 0xff, 0x7d), 'not valid UTF-8'],
    ['a missing stream', PAYMENT_LINE.replace('"stream":"payment-42",', ''), /^stream: /],
    ['a stream without a name', PAYMENT_LINE.replace('payment-42', ''), /^stream: /],
    ['a negative revision', PAYMENT_LINE.replace('"revision":0', '"revision":-1'), /^revision: expected a revision/],
    ['a fraction for a revision', PAYMENT_LINE.replace('"revision":0', '"revision":0.5'), /^revision: /],
    ['an unsafe revision', PAYMENT_LINE.replace('"revision":0', '"revision":9007199254740993'), /^revision: /],
    ['an id that is no UUID', PAYMENT_LINE.replace('0b6d52b2-', '0b6d52b2'), 'id: expected a UUID'],
    ['a day that does not exist', PAYMENT_LINE.replace('2026-05-01', '2026-02-30'), /^created: /],
    ['another content type', PAYMENT_LINE.replace('application/json', 'text/plain'), /^contentType: /],
    ['no data', PAYMENT_LINE.replace('"data":', '"dataBase65":'), /dataBase65/],
    ['nothing for data', PAYMENT_LINE.replace(/"data":.*,/, ''), 'expected either data or dataBase64'],
    ['data given twice over', PAYMENT_LINE.replace('"data":', '"dataBase64":"","data":'), /^expected either data/],
    [
      'metadata twice over',
      PAYMENT_LINE.replace('"metadata":', '"metadataBase64":"","metadata":'),
      /^expected metadata/,
    ],
    ['broken base64', PAYMENT_LINE.replace(/"data":{.*?}/, '"dataBase64":"a b"'), 'dataBase64: expected base64'],
    ['a field that it does not know', PAYMENT_LINE.replace('{', '{"position":"1/1",'), /position/],
    ['a field that is there twice', PAYMENT_LINE.replace('{', '{"stream":"x",'), 'stream: is there twice'],
  ])('refuses %s by name', (_, line, why) => {
    expect(whyBroken(line)).toMatch(why)
  })
})
