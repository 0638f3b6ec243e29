// Lines as logs have them, and as nobody should write them: for tests that hold the fast reading of logs to the full one.
import fc from 'fast-check'

const ID = fc.oneof(
  { weight: 4, arbitrary: fc.nat(30).map((n) => `T${n}`) },
  fc.nat(12).map(String),
  fc.constantFrom('12345678901234567890', 'ü', '😀', '__proto__', 'constructor', 'T1 ', '-0', '1e3', '\u2028'),
)
const TYPE = fc.constantFrom('Paid', 'Ticket Issued', 'Refund', 'Größe', '')
const SPACE = fc.constantFrom('', '', ' ', '  ', '\t', ' \r ')

/** JSON text of a text: as usual, or with any character escaped. */
function quoted(text: string, escapes: boolean): string {
  if (!escapes) return JSON.stringify(text)
  return `"${[...text].map((c) => (c.length === 1 ? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : c)).join('')}"`
}

const ODD_VALUE = fc.constantFrom(
  ...[
    'null',
    'true',
    'false',
    '0',
    '-0',
    '-1.5e+10',
    '1E400',
    '0.0',
    '12.5',
    '""',
    '"\\n\\u00e9\\/"',
    '"\\ud800"',
    '"é😀"',
    '[]',
    '{}',
  ],
  ...[
    '[1,[2,{"x":[]}]]',
    '{"transaction_id":"inner","event_type":"Inner"}',
    '{"a":{"b":"c"},"a":1}',
    '"a\\\\"',
    '"\\""',
    '[ ]',
    '{ }',
  ],
  ...[
    '01',
    '1.',
    '.5',
    '+1',
    '-',
    '1e',
    '1e+',
    'NaN',
    'tru',
    'nulll',
    '"\\x"',
    '"\\u12g4"',
    '"\t"',
    '[1,]',
    '{"a":1,}',
    '{"a"}',
    '[',
    "'a'",
  ],
  `${'['.repeat(40)}${']'.repeat(40)}`,
)

const NAME = fc.constantFrom(
  'transaction_id',
  'event_type',
  'x',
  'é',
  'transaction_ie',
  'event_typ',
  'constructor',
  '__proto__',
)

type Field = readonly [name: string, value: string]

const ODD_FIELD = fc.tuple(
  fc.tuple(NAME, fc.boolean()).map(([name, escapes]) => quoted(name, escapes)),
  fc.oneof(
    ODD_VALUE,
    ID.map((id) => JSON.stringify(id)),
  ),
)

const ID_FIELD = fc
  .tuple(
    fc.constantFrom('transaction_id', 'transaction_id', 'transaction_id', 'id'),
    ID,
    fc.integer({ min: 0, max: 9 }),
  )
  .map(([name, id, form]): Field => {
    const number = /^(0|[1-9]\d*)$/.test(id) && form < 3 ? id : undefined
    return [quoted(name, form === 9), number ?? quoted(id, form === 8)]
  })
const TYPE_FIELD = fc
  .tuple(TYPE, fc.nat(20))
  .map(([type, form]): Field => [quoted('event_type', form === 20), form === 19 ? '7' : quoted(type, form === 18)])

/** A line of an object: mostly with one id and one type, and hardly anything else wrong with it. */
const OBJECT = fc
  .tuple(
    ID_FIELD,
    TYPE_FIELD,
    fc.array(ODD_FIELD, { maxLength: 2 }),
    fc.infiniteStream(SPACE),
    fc.integer({ min: 0, max: 9 }),
  )
  .map(([id, type, odd, spaces, form]) => {
    const space = () => spaces.next().value as string
    const usual = form === 0 ? [type, id] : form === 1 ? [id] : [id, type]
    const fields = form < 6 ? usual : form < 9 ? [...usual, ...odd] : [...odd, ...usual]
    const text = fields.map(([name, value]) => `${space()}${name}${space()}:${space()}${value}${space()}`).join(',')
    return `${space()}{${text}}${space()}`
  })

/** A line whose id stands further inside, under `x`. */
const NESTED = fc
  .tuple(ID_FIELD, TYPE_FIELD, fc.array(ODD_FIELD, { maxLength: 1 }), fc.array(ODD_FIELD, { maxLength: 1 }))
  .map(([id, type, inside, outside]) => {
    const textOf = (fields: readonly Field[]) => `{${fields.map(([name, value]) => `${name}: ${value}`).join(', ')}}`
    return textOf([['"x"', textOf([...inside, id])], type, ...outside])
  })

/** The compact form of most logs. */
const USUAL = fc
  .tuple(ID, TYPE)
  .map(([id, type]) => JSON.stringify({ transaction_id: id, event_type: type || 'Paid', amount: 12.5 }))
const OWN = ID.map((id) => `{"transaction_id": ${JSON.stringify(id)}, "event_type": "Ticket Issued"}`)

/** A byte changed, taken out or put in. */
const DAMAGED = fc
  .tuple(
    fc.oneof(USUAL, OBJECT),
    fc.nat(),
    fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0x22, 0x5c, 0x2c, 0x7d, 0xc3)),
    fc.nat(2),
  )
  .map(([text, at, byte, how]) => {
    const bytes = Buffer.from(text)
    const place = at % (bytes.length + 1)
    const damaged = [
      bytes.subarray(0, place),
      how === 2 ? Buffer.alloc(0) : Buffer.of(byte),
      bytes.subarray(place + Number(how !== 1)),
    ]
    // Without the line end it would be two lines: still lines, but then nobody could say how many.
    return Buffer.from(Buffer.concat(damaged).map((c) => (c === 0x0a ? 0x20 : c)))
  })

const text = (texts: fc.Arbitrary<string>) => texts.map((line) => Buffer.from(line))

/** What stands in the places of lines that are alike: mostly what may, seldom what may not. */
const ALIKE_TEXT = fc.oneof(
  { weight: 8, arbitrary: fc.stringMatching(/^[a-z0-9 !#-]{1,12}$/) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '',
      'ü',
      '😀',
      'a',
      'abcd',
      '\\n',
      '\\u0041',
      '\\',
      '"',
      '\t',
      'abcdefg\u0001',
      '\u007f',
      'x","a":"',
    ),
  },
)
const ALIKE_NUMBER = fc.oneof(
  { weight: 8, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map(String) },
  { weight: 2, arbitrary: fc.constantFrom('0', '-0', '01', '-', '1.', '12e3', '1E+5', '', 'null', '"7"', '7,"b":8') },
)

/** Lines of a program that writes all of them alike, of which some are odd in one value. */
export const alikeLine: fc.Arbitrary<Buffer> = fc
  .tuple(ALIKE_TEXT, ALIKE_TEXT, ALIKE_NUMBER, ALIKE_TEXT, fc.nat(3))
  .map(([id, type, amount, text, form]) => {
    const rest = `"a": [${amount}, true, {"t": "${text}"}], "é": "${text}"`
    const lines = [
      `{"transaction_id": "${id}", "event_type": "${type}", ${rest}}`,
      `{"event_type":"${type}","transaction_id":${amount},"t":"${text}"}`,
      `{"transaction_id": "${id}", "x": {"transaction_id": "${text}"}, "event_type": "${type}", "n": ${amount}} \r`,
      `{"transaction_id":"${id}","event_type":"${type}"}`,
    ]
    return Buffer.from((lines[form] as string).replaceAll('\n', ' '))
  })

/** The bytes of one line without its end. */
export const anyLine: fc.Arbitrary<Buffer> = fc.oneof(
  { weight: 6, arbitrary: text(USUAL) },
  { weight: 4, arbitrary: text(OBJECT) },
  { weight: 2, arbitrary: DAMAGED },
  { weight: 2, arbitrary: text(NESTED) },
  text(OWN),
  text(
    fc.constantFrom(
      '',
      ' ',
      '\t\r',
      '[]',
      '"x"',
      '7',
      '{}',
      '{',
      '}',
      '\ufeff',
      'nonsense',
      '{"transaction_id":"T1","event_ty',
      '\u00a0',
    ),
  ),
  text(USUAL.map((line) => `\ufeff${line}`)),
  text(USUAL.map((line) => `${line},`)),
)

/** The bytes of a file of such lines. */
export const anyLog: fc.Arbitrary<Buffer> = fc
  .tuple(fc.array(anyLine, { maxLength: 40, size: 'max' }), fc.constantFrom('\n', '\r\n'), fc.boolean())
  .map(([lines, end, endsWithLineEnd]) => {
    const joined = Buffer.concat(lines.flatMap((line) => [line, Buffer.from(end)]))
    return endsWithLineEnd ? joined : joined.subarray(0, -end.length)
  })
