import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Due, EarliestFirst } from '../../src/workload/earliest-first.js'
import { seedFor } from '../controls/seed.js'

describe('earliest first', () => {
  it('gives out what a sorted list would, however pushes and pops are mixed', () => {
    const seed = seedFor('earliest first')
    const command = fc.oneof(fc.constant('pop' as const), fc.integer({ min: 0, max: 20 }))
    fc.assert(
      fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
        const queue = new EarliestFirst<Due>()
        const model: Due[] = []
        commands.forEach((what, index) => {
          if (what !== 'pop') {
            queue.push({ at: what, index })
            model.push({ at: what, index })
            model.sort((a, b) => a.at - b.at || a.index - b.index)
          } else {
            expect(queue.peek()).toEqual(model[0])
            expect(queue.pop()).toEqual(model.shift())
          }
          expect(queue.size).toBe(model.length)
        })
        while (model.length > 0) expect(queue.pop()).toEqual(model.shift())
        expect(queue.pop()).toBeUndefined()
      }),
      { seed },
    )
  })
})
