// The quick way through a schema gives what zod gives, field for field and in its order, or gives up.
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { schemas } from '../../projections/booking/events.js'
import { ASK_ZOD, quickParseOf } from '../../src/engine/quick-parse.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { generate } from '../../src/workload/generate.js'
import { writeWorkload } from '../../src/workload/write-store.js'
import { seedFor } from '../controls/seed.js'

const odd = fc.oneof(
  fc.constantFrom(null, true, '', 'ADT', '__proto__', -1, -0, 0.5, 2 ** 53, Number.NaN, [], {}, undefined),
  fc.jsonValue(),
)

/** Data with one field somewhere replaced, removed or added. */
const mutate = (data: object): fc.Arbitrary<unknown> =>
  fc
    .tuple(fc.nat(5), fc.nat(20), fc.constantFrom('replace', 'remove', 'add', 'reverse'), odd)
    .map(([depth, at, how, value]) => {
      const copy = structuredClone(data)
      let inside = copy as Record<string, unknown>
      for (let level = 0; level < depth; level += 1) {
        const next = Object.values(inside).find((one) => typeof one === 'object' && one !== null)
        if (next && (at + level) % 2 === 0) inside = next as Record<string, unknown>
      }
      const keys = Object.keys(inside)
      const key = keys[at % Math.max(1, keys.length)] ?? 'none'
      if (how === 'replace') inside[key] = value
      if (how === 'remove') delete inside[key]
      if (how === 'add') inside[`added${at}`] = value
      return how === 'reverse' ? Object.fromEntries(Object.entries(copy).reverse()) : copy
    })

const same = (schema: z.ZodType, value: unknown) => {
  const quick = attempt(() => quickParseOf(schema)?.(value) ?? ASK_ZOD)
  const parsed = schema.safeParse(value)
  if (quick === ASK_ZOD) return 'asked'
  expect(parsed.success).toBe(true)
  expect(quick).toStrictEqual(parsed.data)
  expect(JSON.stringify(quick)).toBe(JSON.stringify(parsed.data))
  return 'quick'
}

function attempt(parse: () => unknown): unknown {
  try {
    return parse()
  } catch {
    return ASK_ZOD
  }
}

describe('the quick way through a schema', () => {
  const seed = seedFor('quick parse')
  const events: { schema: z.ZodType; data: object }[] = []
  beforeAll(async () => {
    const store = openMemoryStore()
    await writeWorkload(store, generate({ bookings: 300, seed, scenario: 'mixed' }))
    for await (const batch of store.readAll()) {
      for (const { type, data } of batch.events) {
        const schema = Object.hasOwn(schemas, type) && schemas[type as keyof typeof schemas]
        // Some events of this workload are broken on purpose.
        const json = attempt(() => JSON.parse(Buffer.from(data).toString()))
        if (schema && typeof json === 'object' && json !== null) events.push({ schema, data: json })
      }
    }
  })

  it('is there for every event of a booking, and is taken by those that fit', () => {
    for (const schema of Object.values(schemas)) expect(quickParseOf(schema)).toBeDefined()
    const ways = events.map(({ schema, data }) => same(schema, data))
    expect(ways.filter((way) => way === 'quick').length).toBeGreaterThan(events.length * 0.95)
  })

  it('gives what zod gives for data with something wrong or odd in it, or gives up', () => {
    const picked = fc.nat(events.length - 1).map((index) => events[index] as (typeof events)[number])
    const property = fc.property(
      picked.chain(({ schema, data }) => mutate(data).map((value) => ({ schema, value }))),
      ({ schema, value }) => void same(schema, value),
    )
    fc.assert(property, { seed, numRuns: 4_000 })
  })

  it.each<[string, z.ZodType, unknown]>([
    ['a promise of a check', z.string().refine(async () => false), 'x'],
    ['a name of every object', z.object({ constructor: z.unknown() }), {}],
    ['unknown fields refused', z.strictObject({ a: z.string() }), { a: '', b: 1 }],
    ['unknown fields kept', z.looseObject({ a: z.string() }), { a: '', b: 1 }],
    ['a default', z.object({ a: z.string().default('x') }), {}],
    ['coercion', z.object({ a: z.coerce.number() }), { a: '1' }],
    ['a changing check', z.string().trim(), ' x '],
    ['a format', z.uuid(), 'x'],
    ['a pattern that remembers', z.string().regex(/a/g), 'a'],
    [
      'an issue of its own',
      z.preprocess((value, context) => {
        context.addIssue('no')
        return value
      }, z.string()),
      'x',
    ],
    ['a field that is there and undefined', z.object({ a: z.string().optional() }), { a: undefined }],
    [
      'a check of something optional',
      z.object({
        a: z
          .string()
          .optional()
          .refine((a) => a !== 'x'),
      }),
      { a: 'x' },
    ],
    ['a literal that absence is', z.object({ a: z.literal(undefined) }), {}],
    ['a list for an object', z.object({}), []],
    ['a list of numbers that are none', z.array(z.number()), [1, Number.NaN]],
  ])('gives up at %s', (_, schema, value) => {
    expect(attempt(() => quickParseOf(schema)?.(value) ?? ASK_ZOD)).toBe(ASK_ZOD)
  })

  it.each<[string, z.ZodType, unknown]>([
    [
      'bounds',
      z.object({ a: z.number().min(1).max(2), b: z.number().gt(0).lt(3), c: z.string().min(1).max(2) }),
      { a: 2, b: 1, c: 'x' },
    ],
    ['a boolean', z.boolean(), false],
    ['a field named __proto__', z.object({ a: z.literal('x') }), JSON.parse('{"__proto__":1,"a":"x"}')],
    ['texts in names', z.object({ 'a"b\n\u2028': z.string() }), { 'a"b\n\u2028': 'x' }],
  ])('takes %s', (_, schema, value) => {
    expect(same(schema, value)).toBe('quick')
  })

  it.each<[string, z.ZodType, unknown]>([
    ['below', z.number().min(1), 0],
    ['above', z.number().max(1), 2],
    ['at an open bound', z.number().gt(1), 1],
    ['at the other', z.number().lt(1), 1],
    ['too short', z.string().min(2), 'a'],
    ['too long', z.string().max(1), 'ab'],
    ['a fraction', z.int(), 0.5],
    ['beyond what a number holds', z.number().int(), 2 ** 53],
    ['another text', z.string().regex(/^a$/), 'b'],
  ])('gives up %s', (_, schema, value) => {
    expect(same(schema, value)).toBe('asked')
  })
})
