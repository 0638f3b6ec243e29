// Results in bounded memory: whatever goes to scratch space, they come back whole and by subject, as often as they are asked for.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { compareBytes, type Finding } from '../../src/engine/finding.js'
import type { SubjectResult } from '../../src/engine/judge-part.js'
import { SortedResults } from '../../src/engine/sorted-results.js'
import { folderScratch } from '../../src/scratch/folder-scratch.js'
import { seedFor } from '../controls/seed.js'

const folder = mkdtempSync(join(tmpdir(), 'makegood-results-'))
afterAll(() => rmSync(folder, { recursive: true }))

const finding = (subject: string, id: string): Finding => ({
  id,
  rule: 'late',
  subject,
  severity: 1,
  disposition: 'repair',
  since: null,
  evidence: { events: [id], revisions: Object.assign(Object.create(null), { [`order-${subject}`]: 3 }) },
  detail: { note: 'é' },
})

/** Findings enough to fill a run with a few hundred of them. */
const resultOf = (subject: string, mark: string): SubjectResult => ({
  subject,
  findings: [finding(subject, mark), finding(subject, `${mark}2`)],
  compensation: undefined,
  unmet: ['a guard'],
  value: { currency: 'EUR', amountMinor: 2 },
})

describe('sorted results', () => {
  it('come back by subject, in memory and from many runs, those that were replaced as they are by now', () => {
    const subjects = fc.uniqueArray(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 3 }), {
      minLength: 900,
      maxLength: 1_500,
    })
    const property = fc.property(
      subjects,
      fc.constantFrom(0, Number.POSITIVE_INFINITY),
      fc.nat(30),
      (names, bytesMax, step) => {
        const scratch = folderScratch(folder)
        let opened = 0
        const count = () => {
          opened += 1
          return scratch
        }
        const results = new SortedResults({ bytesMax, scratch: count })
        for (const name of names) results.add(resultOf(name, 'first'))
        // Some are found again, some no longer, and one only now.
        const again = names.filter((_, index) => index % (step + 2) === 0)
        const kept = again.slice(1)
        results.replace(
          new Set([...again, 'only now']),
          [...kept, 'only now'].map((name) => resultOf(name, 'again')),
        )
        const gone = new Set(again.slice(0, 1))
        const expected = new Map(names.filter((name) => !gone.has(name)).map((name) => [name, resultOf(name, 'first')]))
        for (const name of [...kept, 'only now']) expected.set(name, resultOf(name, 'again'))
        const sorted = [...expected.values()].sort((a, b) => compareBytes(a.subject, b.subject))
        expect([...results]).toEqual(sorted)
        expect([...results]).toEqual(sorted)
        expect(opened > 1).toBe(bytesMax === 0)
        scratch.close()
        expect(readdirSync(folder)).toEqual([])
      },
    )
    fc.assert(property, { seed: seedFor('sorted results'), numRuns: 12 })
  })

  it('are none where nothing was found', () => {
    const results = new SortedResults({ bytesMax: 0, scratch: () => folderScratch(folder) })
    expect([...results]).toEqual([])
  })
})
