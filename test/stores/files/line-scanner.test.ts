// The inner loop of the log job says of a line what the full reading says, or that it does not know.
import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { LineScanner } from '../../../src/stores/files/line-scanner.js'
import { readTransactionLine } from '../../../src/stores/files/transaction-line.js'
import { seedFor } from '../../controls/seed.js'
import { alikeLine, anyLine } from './log-lines.js'

const KEY = 'transaction_id'

/** What the scanner says of a line among others; undefined where it does not know. */
function scan(line: Uint8Array, path: readonly string[] = [KEY]) {
  const before = Buffer.from('"}\n')
  const bytes = Buffer.concat([before, line, Buffer.from('\n{"transaction_id":"next"')])
  const scanner = new LineScanner(path)
  const end = scanner.scan(bytes, before.length)
  if (end < 0) return undefined
  expect(end).toBe(before.length + line.length + 1)
  const text = (from: number, to: number) => bytes.toString('utf8', from, to)
  return { id: text(scanner.idStart, scanner.idEnd), type: text(scanner.typeStart, scanner.typeEnd) }
}

it.each([
  [[KEY], 5_000],
  [['x', KEY], 200],
  [['event_type'], 0],
])('what it understands of any line by %j, the full reading understands in the same way', (path, understoodMin) => {
  let understood = 0
  fc.assert(
    fc.property(anyLine, (line) => {
      const found = scan(line, path)
      if (found === undefined || !isUtf8(line)) return
      understood += 1
      const { isOwn, ...full } = { isOwn: false, ...readTransactionLine(line, path) }
      expect(full).toEqual({ kind: 'event', ...found })
    }),
    { numRuns: 20_000, seed: seedFor('line scanner') },
  )
  expect(understood).toBeGreaterThanOrEqual(understoodMin)
})

it.each([
  [[KEY], 20],
  [['x', KEY], 0],
])(
  'what it understands of lines one after the other by %j, the full reading understands in the same way',
  (path, understoodMin) => {
    let understood = 0
    fc.assert(
      fc.property(
        fc.array(fc.oneof(alikeLine, alikeLine, anyLine), { minLength: 20, maxLength: 90, size: 'max' }),
        (lines) => {
          const scanner = new LineScanner(path)
          // Block after block in one place, as a file is read.
          const buffer = Buffer.alloc(lines.reduce((sum, line) => sum + line.length + 1, 0))
          let bytes = buffer.subarray(0, 0)
          let start = 0
          for (const [i, line] of lines.entries()) {
            if (start === bytes.length) {
              const block = Buffer.concat(lines.slice(i, i + 10).flatMap((next) => [next, Buffer.from('\n')]))
              block.copy(buffer)
              bytes = buffer.subarray(0, block.length)
              start = 0
            }
            const end = scanner.scan(bytes, start)
            if (end >= 0 && isUtf8(line)) {
              understood += 1
              expect(end).toBe(start + line.length + 1)
              const found = {
                id: bytes.toString('utf8', scanner.idStart, scanner.idEnd),
                type: bytes.toString('utf8', scanner.typeStart, scanner.typeEnd),
              }
              const { isOwn, ...full } = { isOwn: false, ...readTransactionLine(line, path) }
              expect(full).toEqual({ kind: 'event', ...found })
            }
            start += line.length + 1
          }
        },
      ),
      { numRuns: 500, seed: seedFor('line scanner, lines in a row') },
    )
    expect(understood).toBeGreaterThanOrEqual(500 * understoodMin)
  },
)

it('finds an id further inside, and leaves a line to the full reading where a name on the way is there twice', () => {
  const path = ['a', 'b']
  const type = '"event_type":"Paid"'
  const scanText = (text: string) => scan(Buffer.from(text), path)
  const found = { id: '1', type: 'Paid' }
  expect(scanText(`{"a":{"x":{"b":"2"},"event_type":"x","b":"1"},${type}}`)).toEqual(found)
  expect(scanText(`{${type}, "a" : { "b" : 1 } , "b":{"a":{"b":3}} }`)).toEqual(found)
  for (const fields of [
    '"a":{"b":"1"},"a":{}',
    '"a":{"c":1},"a":{"b":"1"}',
    '"a":{"b":"1","b":"1"}',
    '"a":"1"',
    '"a":[{"b":"1"}]',
    '"b":"1"',
    '"a":{}',
  ]) {
    expect(scanText(`{${fields},${type}}`)).toBeUndefined()
  }
})

it.each([
  ['text', '{"transaction_id":"T1","event_type":"Paid"}', 'T1'],
  ['spaces as other programs write them', ' { "event_type" : "Paid" ,\t"transaction_id" : "T1" } \r', 'T1'],
  ['a number', '{"transaction_id":42,"event_type":"Paid"}', '42'],
  ['a number of many digits', '{"transaction_id":12345678901234567890,"event_type":"Paid"}', '12345678901234567890'],
  ['other letters than English ones', '{"transaction_id":"ü😀","event_type":"Paid"}', 'ü😀'],
  [
    'fields of every kind beside it',
    '{"a":[1,-2.5e+3,{"transaction_id":"x"}],"b":"\\u00e9\\"","c":null,"d":true,"e":{},"transaction_id":"T1","event_type":"Paid"}',
    'T1',
  ],
])('understands %s', (_what, line, id) => {
  expect(scan(Buffer.from(line))).toEqual({ id, type: 'Paid' })
})

it.each([
  ['its key twice', '{"transaction_id":"1","transaction_id":"1","event_type":"Paid"}'],
  ['its type twice', '{"transaction_id":"1","event_type":"Paid","event_type":"Paid"}'],
  ['a name with escapes', '{"transaction_id":"1","event_type":"Paid","\\u0074":1}'],
  ['an id with escapes', '{"transaction_id":"\\u0031","event_type":"Paid"}'],
  ['an empty id', '{"transaction_id":"","event_type":"Paid"}'],
  ['no id', '{"event_type":"Paid"}'],
  ['no type', '{"transaction_id":"1"}'],
  ['a comma at the end', '{"transaction_id":"1","event_type":"Paid",}'],
  ['something behind it', '{"transaction_id":"1","event_type":"Paid"} x'],
  ['a cut end', '{"transaction_id":"1","event_type":"Paid'],
  ['nesting too deep', `{"transaction_id":"1","event_type":"Paid","x":${'['.repeat(99)}${']'.repeat(99)}}`],
  ['nothing', ''],
])('leaves a line with %s to the full reading', (_what, line) => {
  expect(scan(Buffer.from(line))).toBeUndefined()
})
