// One line of a log: the transaction it speaks of, or why that cannot be told.
import { describe, expect, it } from 'vitest'
import { readTransactionLine } from '../../../src/stores/files/transaction-line.js'

const read = (text: string, key = 'transaction_id') => readTransactionLine(Buffer.from(text), key.split('.'))
const TYPE = '"event_type":"T"'
const DEEP = 50_000

describe('a whole line', () => {
  it.each([
    ['text', `{"transaction_id":"42",${TYPE}}`, 'transaction_id', '42'],
    ['a number', `{"transaction_id": 42 ,${TYPE}}`, 'transaction_id', '42'],
    [
      'a number of many digits',
      `{"transaction_id":12345678901234567890,${TYPE}}`,
      'transaction_id',
      '12345678901234567890',
    ],
    ['text with escapes', `{"transaction_id":"\\u0034\\u0032",${TYPE}}`, 'transaction_id', '42'],
    ['a nested field', `{"data":{"id":7},"id":8,${TYPE}}`, 'data.id', '7'],
    ['a key spelled with escapes', `{"transaction\\u005fid":"42",${TYPE}}`, 'transaction_id', '42'],
    ['a key that is a value too', `{"x":"transaction_id","transaction_id":"42",${TYPE}}`, 'transaction_id', '42'],
    [
      'a number behind deep nesting',
      `{"x":${'['.repeat(DEEP)}${']'.repeat(DEEP)},"transaction_id":42,${TYPE}}`,
      'transaction_id',
      '42',
    ],
    ['a line with a byte-order mark of its own', `\ufeff{"transaction_id":"42",${TYPE}}`, 'transaction_id', '42'],
    ['the key of Object.prototype', `{"__proto__":"42",${TYPE}}`, '__proto__', '42'],
  ])('gives its id from %s', (_what, text, key, id) => {
    expect(read(text, key)).toEqual({ kind: 'event', id, type: 'T' })
  })

  it('is understood under any key when we wrote it', () => {
    const own = '{"transaction_id": "42", "event_type": "Ticket Issued"}'
    expect(read(own, 'data.id')).toEqual({ kind: 'event', id: '42', type: 'Ticket Issued', isOwn: true })
    expect(read(own.replace('}', ',"x":1}'), 'data.id')).toMatchObject({ kind: 'broken' })
  })

  it.each(['', '  ', '\t'])('of nothing but space is blank: %j', (text) => {
    expect(read(text)).toEqual({ kind: 'blank' })
  })

  it.each([
    ['no id', `{${TYPE}}`, 'transaction_id'],
    ['null', `{"transaction_id":null,${TYPE}}`, 'transaction_id'],
    ['an object', `{"transaction_id":{},${TYPE}}`, 'transaction_id'],
    ['an empty id', `{"transaction_id":"",${TYPE}}`, 'transaction_id'],
    ['an empty id in spite of escapes elsewhere', `{"x":"\\n","transaction_id":"",${TYPE}}`, 'transaction_id'],
    ['half a surrogate pair', `{"transaction_id":"\\ud800",${TYPE}}`, 'transaction_id'],
    ['space that is none in JSON', '\u00a0', 'transaction_id'],
    ['its key twice', `{"transaction_id":"1","transaction_id":"1",${TYPE}}`, 'transaction_id'],
    ['its key twice, once with escapes', `{"transaction\\u005fid":"2","transaction_id":"1",${TYPE}}`, 'transaction_id'],
    ['its key twice, once an object', `{"transaction_id":{},"transaction_id":"1",${TYPE}}`, 'transaction_id'],
    ['its key twice, once a list', `{"transaction_id":[1],"transaction_id":7,${TYPE}}`, 'transaction_id'],
    ['its key twice, once with an escaped slash', `{"a\\/b":"2","a/b":"1",${TYPE}}`, 'a/b'],
    ['a key with a quote twice', `{"a\\"b":"2","a\\"b":"1",${TYPE}}`, 'a"b'],
    ['the key above it twice', `{"data":{},"data":{"id":"2"},${TYPE}}`, 'data.id'],
    ['an inherited name for a key', `{${TYPE}}`, 'constructor'],
    ['no object', '[1]', 'transaction_id'],
  ])('is broken with %s, and is nobody’s for certain', (_what, text, key) => {
    const line = read(text, key)
    expect(line.kind).toBe('broken')
    expect(line).not.toHaveProperty('id')
  })

  it.each(['', '"event_type":null', '"event_type":7'])('with an id but no type is broken and that id’s: %s', (type) => {
    expect(read(`{${type}${type && ','}"transaction_id":"42"}`)).toMatchObject({ kind: 'broken', id: '42' })
  })
})

describe('a broken text', () => {
  it.each([
    ['text, cut behind it', `{"transaction_id":"42",${TYPE},"x`, 'transaction_id', '42'],
    ['a number, cut behind it', '{"transaction_id":42,', 'transaction_id', '42'],
    ['a number, cut in the space behind it', '{"transaction_id":42 ', 'transaction_id', '42'],
    ['text, cut right behind it', '{"transaction_id":"42"', 'transaction_id', '42'],
    ['text behind a value that is none', `{"x": Oslo, "transaction_id": "42"}`, 'transaction_id', '42'],
    ['an object followed by what is no line', `{"transaction_id":"42",${TYPE}}};`, 'transaction_id', '42'],
    ['a nested field', '{"data":{"id":"42"},', 'data.id', '42'],
  ])('is that transaction’s where the id is certain: %s', (_what, text, key, id) => {
    expect(read(text, key)).toEqual({ kind: 'broken', why: 'not valid JSON', id })
  })

  it.each([
    ['a number that could go on', '{"transaction_id":42'],
    ['text that could go on', '{"transaction_id":"42'],
    ['the key twice', '{"transaction_id":"42","transaction_id":"43",'],
    ['the key elsewhere', '{"x":{"transaction_id":"42",'],
    ['escapes', '{"transaction_id":"\\u0034",'],
    ['an empty id', '{"transaction_id":"",'],
    ['null', '{"transaction_id":null,'],
    ['a literal that is none', '{"transaction_id":"a\\q",'],
    ['no object', '"transaction_id":"42",'],
    ['no key', '{"id":"42",'],
    ['text that goes on behind its quote', '{"transaction_id":"4"2","x'],
    ['another line begun behind it', `{"transaction_id":"42",${TYPE}}{"trans`],
    ['the rest of another line behind it', `{"transaction_id":"42",${TYPE}}ction_id":"43",${TYPE}}`],
    ['another line run into it', `{"transaction_id":"42","event_type":"Tictransaction_id":"43",${TYPE}}`],
    ['something before the object', `d"}{"transaction_id":"42",`],
    ['a comment', `{"transaction_id":/* "41", */`],
    ['nesting too deep to look into', `{"transaction_id":42,"x":${'['.repeat(DEEP)}`],
  ])('is nobody’s for certain: %s', (_what, text) => {
    expect(read(text)).toEqual({ kind: 'broken', why: 'not valid JSON' })
  })

  it('is nobody’s for certain where a name above the key is there twice', () => {
    expect(read('{"data":{},"data":{"id":"42"},', 'data.id')).toEqual({ kind: 'broken', why: 'not valid JSON' })
  })

  it('is nobody’s for certain where it is not UTF-8', () => {
    const bytes = Buffer.concat([
      Buffer.from('{"transaction_id":"42","x":"'),
      Buffer.of(0xff),
      Buffer.from(`",${TYPE}}`),
    ])
    expect(readTransactionLine(bytes, ['transaction_id'])).toEqual({ kind: 'broken', why: 'not valid UTF-8' })
  })
})
