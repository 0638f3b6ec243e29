// What is read quickly is read as the thorough reading reads it, and what is broken is never taken.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatEventLine, parseEventLine } from '../../src/log/event-line.js'
import { parseQuickly } from '../../src/log/quick-event-line.js'
import { seedFor } from '../controls/seed.js'

const HEAD =
  '{"stream":"payment-42","revision":7,"id":"0b6d52b2-3a0f-4a5c-9d3e-2f7f0a1b2c3d","type":"PaymentCaptured","contentType":"application/json","data":'

/** A blank in front changes nothing of what a line means, and is no form that is read quickly. */
const thoroughly = (line: string) => parseEventLine(` ${line}`)

/** Gives whether it was read quickly. */
function expectSame(line: string): boolean {
  const quick = parseQuickly(line)
  if (quick) expect({ kind: 'event', event: quick }).toEqual(thoroughly(line))
  expect(parseEventLine(line)).toEqual(thoroughly(line))
  return quick !== undefined
}

describe('a line', () => {
  test.each([
    ['data alone', '{"a":1}}'],
    ['data and metadata', '{"a":1},"metadata":{"b":2}}'],
    ['metadata that has its own name inside, not first', '{"a":1},"metadata":{"b":2,"metadata":{}}}'],
    ['data with that name inside', '{"a":1,"metadata":{}}}'],
    ['that name in a text', String.raw`{"a":",\"metadata\":1"},"metadata":{}}`],
    ['a number', '1,"metadata":"x"}'],
    ['names beyond ASCII', '{"ä":"\u{1F600}\u2028"},"metadata":{"ß":null}}'],
  ])('with %s is the same', (_, rest) => {
    expectSame(HEAD + rest)
  })

  test.each([
    ['metadata twice', '{},"metadata":{},"metadata":{}}'],
    ['data twice', '{},"data":{}}'],
    ['another field behind', '{},"more":1}'],
    ['another field between', '{},"more":1,"metadata":{}}'],
    ['a value that is cut', '{"a":1,"metadata":{}'],
    ['white space around data', '{} ,"metadata": {} }'],
    ['no data', ',"metadata":{}}'],
    ['something behind its end', '{}} x'],
    ['base64', '"","dataBase64":""}'],
  ])('with %s is not read quickly', (_, rest) => {
    expect(expectSame(HEAD + rest)).toBe(false)
  })

  test.each([
    ['an escape in the name', HEAD.replace('payment', String.raw`p\u0061yment`)],
    ['a control character in the name', HEAD.replace('payment', 'pay\u0001ment')],
    ['a time that does not exist', HEAD.replace('"contentType"', '"created":"2026-02-30T10:00:00Z","contentType"')],
    ['a revision with a zero in front', HEAD.replace(':7,', ':07,')],
    ['a revision that no number holds', HEAD.replace(':7,', ':9007199254740993,')],
  ])('whose head has %s is not read quickly', (_, head) => {
    expect(expectSame(`${head}{}}`)).toBe(false)
  })
})

test('lines as they were written, and changed in one place, mean the same', () => {
  const json = fc.oneof(fc.jsonValue(), fc.constantFrom({ metadata: {} }, { a: ',"metadata":{}' }, [{ data: 1 }]))
  const event = fc.record({
    stream: fc.oneof(fc.constant('payment-42'), fc.string({ unit: 'binary', minLength: 1 })),
    revision: fc.nat(),
    id: fc.uuid(),
    type: fc.constantFrom('PaymentCaptured', '', 'a"b'),
    contentType: fc.constant('application/json' as const),
    data: json.map((value) => Buffer.from(JSON.stringify(value))),
    metadata: fc.option(json, { nil: undefined }).map((value) => Buffer.from(JSON.stringify(value) ?? '')),
    created: fc.constantFrom(undefined, 17_776_296_001_234_567n),
  })
  const change = fc.record({
    at: fc.nat(),
    other: fc.constantFrom('', '"', '{', '}', ',', ' ', ',"metadata":{}', '\\'),
  })
  let quick = 0
  fc.assert(
    fc.property(event, change, (whole, { at, other }) => {
      const line = formatEventLine(whole)
      if (expectSame(line)) quick += 1
      const place = at % line.length
      expectSame(line.slice(0, place) + other + line.slice(place + 1))
      expectSame(line.slice(0, place) + other + line.slice(place))
    }),
    { numRuns: 2_000, seed: seedFor('quick event lines') },
  )
  expect(quick).toBeGreaterThan(500)
})
