// The quick way through a schema: nearly all events of a log fit theirs, and a replay parses every one. From a zod schema of the common kinds a
// parser is made that gives exactly what zod gives, or gives up; then zod itself decides, and says why. Whatever is not known here gives up.
import type { z } from 'zod'

/** What a parser gives that cannot tell: zod is to be asked. */
export const ASK_ZOD = Symbol('ask zod')

export type QuickParse = (value: unknown) => unknown

/** What is used of a schema's own description (`_zod.def`, which zod documents for libraries built on it). */
interface Definition {
  readonly type?: string
  readonly checks?: readonly Check[]
  readonly check?: string
  readonly format?: string
  readonly coerce?: boolean
  readonly shape?: Readonly<Record<string, Schema>>
  readonly catchall?: unknown
  readonly element?: Schema
  readonly innerType?: Schema
  readonly in?: Schema
  readonly out?: Schema
  readonly transform?: (value: unknown, context: never) => unknown
  readonly fn?: (value: unknown) => unknown
  readonly pattern?: RegExp
  readonly minimum?: number
  readonly maximum?: number
  readonly value?: unknown
  readonly inclusive?: boolean
  readonly [other: string]: unknown
}
type Check = { readonly _zod: { readonly def: Definition } }
type Schema = { readonly _zod: { readonly def: Definition; readonly values?: ReadonlySet<unknown> } }

/** The quick parser of a schema; undefined where there is none. What it throws says no more than ASK_ZOD. */
export function quickParseOf(schema: z.ZodType): QuickParse | undefined {
  return parserOf(schema as unknown as Schema)
}

function parserOf(schema: Schema): QuickParse | undefined {
  const { def } = schema._zod
  const parse = def.coerce ? undefined : KINDS[def.type ?? '']?.(schema)
  const tests = (def.checks ?? []).map(testOf)
  if (!parse || tests.includes(undefined)) return undefined
  return withTests(parse, tests as Test[])
}

type Test = (value: never) => unknown

function withTests(parse: QuickParse, tests: readonly Test[]): QuickParse {
  if (tests.length === 0) return parse
  return (value) => {
    const parsed = parse(value)
    if (parsed === ASK_ZOD) return ASK_ZOD
    // A promise is true as well: what a check gives must be `true` itself.
    for (const test of tests) if (test(parsed as never) !== true) return ASK_ZOD
    return parsed
  }
}

function testOf({ _zod: { def } }: Check): Test | undefined {
  const { check, fn, pattern, minimum = 0, maximum = 0 } = def
  if (check === 'custom' && fn) return fn
  if (check === 'min_length') return ({ length }: { length: number }) => length >= minimum
  if (check === 'max_length') return ({ length }: { length: number }) => length <= maximum
  if (check === 'number_format' && def.format === 'safeint') return Number.isSafeInteger
  if (check === 'string_format' && def.format === 'regex' && pattern && !/[gy]/.test(pattern.flags)) {
    return (text: string) => pattern.test(text)
  }
  return boundOf(def)
}

function boundOf({ check, value: bound, inclusive }: Definition): Test | undefined {
  if (typeof bound !== 'number') return undefined
  if (check === 'greater_than') return (value: number) => (inclusive ? value >= bound : value > bound)
  if (check === 'less_than') return (value: number) => (inclusive ? value <= bound : value < bound)
  return undefined
}

const KINDS: Readonly<Record<string, (schema: Schema) => QuickParse | undefined>> = {
  string: ({ _zod: { def } }) => (def.check === undefined ? onlyIf((value) => typeof value === 'string') : undefined),
  number: ({ _zod: { def } }) => {
    if (def.check === undefined) return onlyIf(Number.isFinite)
    return def.format === 'safeint' ? onlyIf(Number.isSafeInteger) : undefined
  },
  boolean: () => onlyIf((value) => typeof value === 'boolean'),
  literal: ({ _zod: { values } }) => oneOf(values),
  enum: ({ _zod: { values } }) => oneOf(values),
  array: ({ _zod: { def } }) => arrayParser(def),
  object: ({ _zod: { def } }) => objectParser(def),
  pipe: ({ _zod: { def } }) => pipeParser(def),
}

function onlyIf(fits: (value: unknown) => boolean): QuickParse {
  return (value) => (fits(value) ? value : ASK_ZOD)
}

/** Nothing where absence is one of the values: what an absent field then becomes is for zod to say. */
function oneOf(values: ReadonlySet<unknown> | undefined): QuickParse | undefined {
  return values && !values.has(undefined) ? onlyIf((value) => values.has(value)) : undefined
}

function arrayParser({ element }: Definition): QuickParse | undefined {
  const parse = element && parserOf(element)
  if (!parse) return undefined
  return (value) => {
    if (!Array.isArray(value)) return ASK_ZOD
    const parsed: unknown[] = []
    for (const item of value as unknown[]) {
      const one = parse(item)
      if (one === ASK_ZOD) return ASK_ZOD
      parsed.push(one)
    }
    return parsed
  }
}

/** `z.preprocess`: a function, then a schema. One that wants to report issues itself finds no context to do so, and throws. */
function pipeParser({ in: first, out }: Definition): QuickParse | undefined {
  const transform = first?._zod.def.type === 'transform' ? first._zod.def.transform : undefined
  const parse = out && parserOf(out)
  if (!transform || !parse) return undefined
  return (value) => parse(transform(value, undefined as never))
}

function objectParser({ shape = {}, catchall }: Definition): QuickParse | undefined {
  if (catchall !== undefined) return undefined
  const fields: Field[] = []
  for (const [name, schema] of Object.entries(shape)) {
    const { type, innerType, checks = [] } = schema._zod.def
    // Checks of the optional itself look at absence too.
    const isOptional = type === 'optional' && innerType !== undefined && checks.length === 0
    const parse = parserOf(isOptional ? innerType : schema)
    // Every object has a `constructor`, whether its data says so or not.
    if (!parse || name in Object.prototype) return undefined
    fields.push({ name, isOptional, parse })
  }
  return buildParser(fields)
}

interface Field {
  readonly name: string
  readonly isOptional: boolean
  readonly parse: QuickParse
}

/**
 * Makes the code of an object's parser, as zod itself does: reading and writing fields by names that are known beforehand is several times as fast as
 * in a loop over their names. The names are put in as JSON texts, so that no name can be read as code.
 */
function buildParser(fields: readonly Field[]): QuickParse {
  const lines = fields.flatMap(({ name, isOptional }, index) => {
    const key = JSON.stringify(name)
    const parse = `v = p${index}(input[${key}]); if (v === ask) return ask; out[${key}] = v`
    // An absent field stays absent; one that is there and undefined is no JSON.
    return isOptional ? `if (input[${key}] !== undefined) { ${parse} } else if (${key} in input) return ask` : parse
  })
  const body = `return (input) => {
    if (typeof input !== 'object' || input === null || isArray(input)) return ask
    let v
    const out = {}
    ${lines.join('\n    ')}
    return out
  }`
  const names = fields.map((_, index) => `p${index}`)
  const make = new Function('ask', 'isArray', ...names, body) as (...parts: unknown[]) => QuickParse
  return make(ASK_ZOD, Array.isArray, ...fields.map(({ parse }) => parse))
}
