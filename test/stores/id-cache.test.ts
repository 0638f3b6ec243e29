// How long an id is remembered, as it was measured on EventStoreDB 24.6.0.
import { expect, test } from 'vitest'
import { IdCache } from '../../src/stores/id-cache.js'

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
