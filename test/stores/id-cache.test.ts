// How long an id is remembered, as it was measured on EventStoreDB 24.6.0.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { IdCache } from '../../src/stores/id-cache.js'
import { seedFor } from '../controls/seed.js'

test.each([
  [14, 99_000, 101_000],
  [200, 18_000, 19_000],
])('an id in a stream of %i characters is forgotten after %i to %i later events', (length, least, most) => {
  const cache = new IdCache()
  const stream = 's'.repeat(length)
  cache.remember('first', { stream, revision: 0 })
  let later = 0
  while (cache.revisionIn(stream, 'first') !== undefined) {
    later += 1
    cache.remember(`id-${later}`, { stream, revision: later })
  }
  expect(later).toBeGreaterThan(least)
  expect(later).toBeLessThan(most)
  expect(cache.revisionIn(stream, `id-${later}`)).toBe(later)
})

test('whoever wrote an id first keeps it until it is taken back', () => {
  const cache = new IdCache()
  const [first, second] = [
    { stream: 'a', revision: 1 },
    { stream: 'b', revision: 2 },
  ]
  cache.remember('id', first)
  cache.remember('id', second)
  cache.forget('id', second)
  expect([cache.revisionIn('a', 'id'), cache.revisionIn('b', 'id')]).toEqual([1, undefined])
  cache.forget('id', first)
  cache.remember('id', second)
  expect([cache.revisionIn('a', 'id'), cache.revisionIn('b', 'id')]).toEqual([undefined, 2])
})

/** So long a name that few ids fit. */
const LONG_STREAM = 's'.repeat(1_048_000)
const FIT = 4

test('the oldest goes first, whatever was taken back in between', () => {
  const seed = seedFor('id cache')
  const step = fc.record({ id: fc.constantFrom(...'abcdefghij'), isTakenBack: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const cache = new IdCache()
      const model = new Map<string, { stream: string; revision: number }>()
      for (const [revision, { id, isTakenBack }] of steps.entries()) {
        const place = model.get(id) ?? { stream: LONG_STREAM, revision }
        if (isTakenBack) cache.forget(id, place)
        else cache.remember(id, place)
        if (isTakenBack) model.delete(id)
        else model.set(id, place)
        const [oldest] = model.keys()
        if (model.size > FIT && oldest !== undefined) model.delete(oldest)
        const known = [...'abcdefghij'].map((one) => cache.revisionIn(LONG_STREAM, one))
        expect(known).toEqual([...'abcdefghij'].map((one) => model.get(one)?.revision))
      }
    }),
    { seed },
  )
})
