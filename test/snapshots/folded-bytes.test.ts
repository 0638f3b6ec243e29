// States on disk come back as they were, whatever plain data they are, with one object in two places being one object still.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emptySubject, type FoldedSubject } from '../../src/engine/fold.js'
import { foldedOf, piecesOfFolded } from '../../src/snapshots/folded-bytes.js'
import { parcels } from '../controls/parcels.js'
import { seedFor } from '../controls/seed.js'

function withState(state: unknown): FoldedSubject {
  return { ...emptySubject(parcels, 's', 7), state } as FoldedSubject
}

function thereAndBack(folded: FoldedSubject): FoldedSubject {
  return foldedOf(folded.subject, Buffer.concat(piecesOfFolded(folded)))
}

const plainData = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withSparseArray: true })

describe('a folded subject as bytes', () => {
  it('comes back as it was', () => {
    const property = fc.property(plainData, (state) => {
      expect(thereAndBack(withState(state))).toStrictEqual(withState(state))
    })
    fc.assert(property, { seed: seedFor('folded bytes'), numRuns: 2_000 })
  })

  it('holds heads, holes, limits and what could not be read', () => {
    const shownBy = { id: 'e', stream: 'payment-s', revision: 2 ** 63 }
    const folded: FoldedSubject = {
      ...withState({ a: '\ud800 \u2028' }),
      heads: { payment: { id: 'e', stream: 'payment-s', revision: 3 } },
      undecodable: [{ ...shownBy, type: 'X', why: 'odd' }],
      holes: [{ shownBy, why: 'gone' }],
      limits: { payment: { shownBy, why: 'cut' } },
    }
    expect(thereAndBack(folded)).toStrictEqual(folded)
  })

  it('keeps one object in two places one object', () => {
    const held = { locker: '1' }
    const { state } = thereAndBack(withState({ held: [held], last: held }))
    const { held: back, last } = state as { held: object[]; last: object }
    expect(back[0]).toBe(last)
  })

  it('refuses what is no data', () => {
    expect(() => piecesOfFolded(withState({ next: () => 1 }))).toThrow('could not be cloned')
  })
})
