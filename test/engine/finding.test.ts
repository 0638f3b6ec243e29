// Findings: ids that stay and change when they should, the order by bytes, and what holds a repair back.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareBytes, compareFindings, isRepairable, makeFinding, markHeld } from '../../src/engine/finding.js'
import type { Disposition, Evidence, RuleHead } from '../../src/engine/projection.js'
import { seedFor } from '../controls/seed.js'

const RULE: RuleHead = { id: 'paid-not-sent', title: 'Paid and no parcel.', severity: 1, disposition: 'repair' }
const OPENED = { id: 'e1', stream: 'order-1', revision: 0 }

function finding(
  change: { projection?: string; rule?: Partial<RuleHead>; subject?: string; evidence?: Partial<Evidence> } = {},
) {
  return makeFinding(
    change.projection ?? 'parcels',
    { ...RULE, ...change.rule },
    {
      subject: change.subject ?? '1',
      revisions: { 'order-1': 3 },
      evidence: { opened: OPENED, ...change.evidence },
    },
  )
}

describe('the id of a finding', () => {
  it('is made of projection, rule, subject, occurrence and the opening event, and of nothing else', () => {
    const { id } = finding()
    expect(finding({ rule: { severity: 4, disposition: 'observe', title: 'x' } }).id).toBe(id)
    expect(finding({ evidence: { events: ['e2'], since: '2026-05-01T00:00:00Z', detail: { a: 1 } } }).id).toBe(id)
    expect(finding({ evidence: { opened: { ...OPENED, revision: 7, stream: 'elsewhere' } } }).id).toBe(id)
  })

  it('is another one for another projection, rule, subject, occurrence, or once it is reopened by a later event', () => {
    const ids = [
      finding(),
      finding({ projection: 'other' }),
      finding({ rule: { id: 'other' } }),
      finding({ subject: '2' }),
      finding({ evidence: { occurrence: 'p1' } }),
      finding({ evidence: { occurrence: '' } }),
      finding({ evidence: { opened: { ...OPENED, id: 'e2' } } }),
      finding({ projection: 'parcels","paid', rule: { id: 'not-sent' } }),
    ].map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('stays the same from version to version of Makegood', () => {
    expect(finding().id).toBe('3dfc760c-af44-541f-9183-b42cf7c05a02')
  })
})

describe('the evidence of a finding', () => {
  it('begins with the opening event and names each event once', () => {
    expect(finding({ evidence: { events: ['e2', 'e1', 'e2', 'e3'] } }).evidence.events).toEqual(['e1', 'e2', 'e3'])
  })

  it('leaves out what is not there', () => {
    expect(Object.keys(finding())).toEqual([
      'id',
      'rule',
      'subject',
      'severity',
      'disposition',
      'since',
      'evidence',
      'detail',
    ])
    expect(finding({ rule: { opensCase: true }, evidence: { occurrence: 'p1' } })).toMatchObject({
      opensCase: true,
      occurrence: 'p1',
    })
  })
})

describe('the order of findings', () => {
  it('is by the bytes of UTF-8, where code units of UTF-16 would say otherwise', () => {
    // U+FF5E is before U+1F6EB in UTF-8, and after its surrogates in UTF-16.
    expect('\u{1F6EB}' < '\uFF5E').toBe(true)
    expect(compareBytes('\u{1F6EB}', '\uFF5E')).toBeGreaterThan(0)
    expect(compareBytes('\uFF5E', '\u{1F6EB}')).toBeLessThan(0)
  })

  it('is that of the bytes for any text', () => {
    const anyText = fc.string({ unit: 'grapheme', maxLength: 5 })
    const property = fc.property(anyText, anyText, (a, b) => {
      expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
    })
    fc.assert(property, { seed: seedFor('order by bytes'), numRuns: 500 })
  })

  it('is by subject, then rule, then id', () => {
    const base = finding()
    const later = [
      { ...base, subject: '2', rule: 'a', id: 'a' },
      { ...base, rule: 'zzz', id: 'a' },
      { ...base, id: 'zzz' },
    ]
    for (const other of later) {
      expect(compareFindings(base, other)).toBeLessThan(0)
      expect(compareFindings(other, base)).toBeGreaterThan(0)
    }
    expect(compareFindings(base, { ...base })).toBe(0)
  })
})

describe('what holds a repair', () => {
  const of = (disposition: Disposition, id: string = disposition) => finding({ rule: { disposition, id } })

  it.each<[Disposition, boolean]>([
    ['never', true],
    ['person', true],
    ['observe', false],
    ['repair', false],
  ])('%s on the same subject: %s', (disposition, holds) => {
    const [repair] = markHeld([of('repair'), of(disposition, 'other')])
    expect(repair?.heldBy).toEqual(holds ? ['other'] : undefined)
    expect(repair && isRepairable(repair)).toBe(!holds)
  })

  it('is named once a rule, in the order of bytes, on repairs alone', () => {
    const marked = markHeld([of('person', 'b'), of('repair'), of('never', 'a'), of('person', 'b'), of('observe')])
    expect(marked.map(({ heldBy }) => heldBy)).toEqual([undefined, ['a', 'b'], undefined, undefined, undefined])
    expect(marked.filter(isRepairable)).toEqual([])
  })
})
