// The airline's job from the command line: made-up bookings with known faults, found, made good and read back.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Truth } from '../../src/workload/truth-files.js'
import { makegood, newFolder, rowsOf, summaryOf } from './run-makegood.js'

const MIXED = ['--bookings', '2400', '--seed', '7', '--scenario', 'mixed']

interface Finding {
  readonly type: string
  readonly rule: string
  readonly subject: string
  readonly disposition: string
}

function findingsOf(ran: Awaited<ReturnType<typeof makegood>>): Finding[] {
  return rowsOf(ran).filter(({ type }) => type === 'finding') as unknown as Finding[]
}

describe('a generated store', () => {
  const store = join(newFolder(), 'store')
  let truth: Truth
  beforeAll(async () => {
    const made = await makegood(['generate', ...MIXED, '--store', store])
    expect(summaryOf(made)).toMatchObject({ bookings: 2400, scenario: 'mixed', truth: join(store, 'truth.json') })
    truth = JSON.parse(readFileSync(join(store, 'truth.json'), 'utf8'))
  })

  it('is scanned, repaired, verified and scanned again: truth, all of it, and nothing repairable left', async () => {
    const before = await makegood(['scan', '--store', store])
    expect(before.code).toBe(2)
    const rules = new Map<string, Set<string>>()
    for (const { subject, rule } of findingsOf(before)) rules.set(subject, (rules.get(subject) ?? new Set()).add(rule))
    const found = [...rules].map(([subject, set]) => `${subject}: ${[...set].sort().join(' ')}`).sort()
    const told = truth.subjects.filter((entry) => entry.rules.length > 0)
    expect(found).toEqual(told.map(({ subject, rules: known }) => `${subject}: ${[...known].sort().join(' ')}`).sort())

    const repaired = await makegood(['repair', '--yes', '--store', store])
    expect(repaired.code).toBe(2)
    const owed = truth.subjects.flatMap(({ subject, missingPassengers }) =>
      missingPassengers.map((passenger) => `${subject} ${passenger}`),
    )
    const items = rowsOf(repaired).filter(({ type }) => type === 'item')
    const passengerIn = (occurrence: unknown) => (JSON.parse(occurrence as string) as [string])[0]
    expect(items.map(({ subject, occurrence }) => `${subject} ${passengerIn(occurrence)}`).sort()).toEqual(owed.sort())
    expect(items.every(({ outcome }) => outcome === 'applied')).toBe(true)

    expect((await makegood(['verify', '--store', store])).code).toBe(0)
    const left = findingsOf(await makegood(['scan', '--store', store]))
    const again = await makegood(['plan', '--out', join(newFolder(), 'plan.json'), '--store', store])
    const { items: more, waiting } = summaryOf(again)
    expect(more).toBe(0)
    expect(Object.keys(waiting as object).sort()).toEqual([
      'before the end of the fare guarantee, with a margin',
      'before the ticketing time limit, with a margin',
      'no attempt in flight',
    ])
    const never = new Set(left.filter(({ disposition }) => disposition === 'never').map(({ subject }) => subject))
    expect(never.size).toBeGreaterThan(50)
    expect(items.filter(({ subject }) => never.has(subject as string))).toEqual([])
  })

  it('shows more where others are asked: tickets whose events are lost, payments that are recorded otherwise', async () => {
    const record = `payment-record=${join(store, 'payment-record.jsonl')}`
    const asked = await makegood(['scan', '--store', store, '--lookup', record, '--limit', '0'])
    expect(summaryOf(asked).findings).toMatchObject({ 'payment-record-disagrees': expect.any(Number) })
    for (const [lookup, code, words] of [
      ['weather=./x.jsonl', 64, 'ticket-authority, payment-record'],
      ['payment-record=./none.jsonl', 64, 'no such file'],
      ['ticket-authority=http://127.0.0.1:9', 69, 'cannot tell about'],
    ] as const) {
      const ran = await makegood(['scan', '--store', store, '--lookup', lookup])
      expect([ran.code, ran.stdout, ran.stderr]).toEqual([code, '', expect.stringContaining(words)])
    }
  })

  it('is repaired only with the answers that its plan was made with', async () => {
    const plan = join(newFolder(), 'plan.json')
    const record = ['--lookup', `payment-record=${join(store, 'payment-record.jsonl')}`]
    await makegood(['plan', '--store', store, '--out', plan, ...record])
    const { digest, lookups } = JSON.parse(readFileSync(plan, 'utf8'))
    expect(lookups).toEqual(['payment-record'])
    const apply = ['apply', plan, '--store', store, '--approve', digest]
    const without = await makegood(apply)
    expect([without.code, without.stderr]).toEqual([64, expect.stringContaining('--lookup payment-record')])
    expect((await makegood([...apply, ...record])).code).toBe(0)
  })

  it('is the same from files as straight into a store', async () => {
    const folder = newFolder()
    const files = await makegood(['generate', ...MIXED, '--out', folder])
    expect(files.code).toBe(0)
    expect(readdirSync(folder).sort()).toEqual([
      'authority.jsonl',
      'events.jsonl',
      'payment-record.jsonl',
      'truth.json',
    ])
    expect(readFileSync(join(folder, 'truth.json'), 'utf8')).toBe(readFileSync(join(store, 'truth.json'), 'utf8'))
    expect((await makegood(['generate', ...MIXED, '--out', folder])).code).toBe(0)
  })

  it('is not made over other files or other bookings', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'events.jsonl'), 'precious')
    const refused = await makegood(['generate', ...MIXED, '--out', folder])
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('was not made by generate')])
    expect(readFileSync(join(folder, 'events.jsonl'), 'utf8')).toBe('precious')
    const other = await makegood(['generate', ...MIXED.with(3, '8'), '--store', store])
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('another workload')])
    expect(existsSync(join(store, 'truth.json.part'))).toBe(false)
  })

  it.each([
    [[], 'either --store or --out'],
    [['--store', 's', '--out', 'o'], 'either --store or --out'],
    [['--out', 'o', '--truth', 't'], '--truth goes with --store'],
  ])('needs one place: %j', async (args, words) => {
    const ran = await makegood(['generate', '--bookings', '5', ...args], { cwd: newFolder() })
    expect([ran.code, ran.stderr]).toEqual([64, expect.stringContaining(words)])
  })

  it('tells of a count or a scenario that there is not', async () => {
    const where = ['--out', join(newFolder(), 'x')]
    for (const [args, words] of [
      [['--bookings', '0'], '--bookings 0'],
      [['--bookings', '99999999999'], '--bookings'],
      [['--bookings', '5', '--scenario', 'chaos'], 'chaos'],
    ] as const) {
      const ran = await makegood(['generate', ...args, ...where])
      expect([ran.code, ran.stderr]).toEqual([64, expect.stringContaining(words)])
    }
  })
})

describe('the simulator as a command', () => {
  it('tells of an option that there is not', async () => {
    const wrong = await makegood(['simulator', '--ledger', join(newFolder(), 'ledger.jsonl'), '--speed', '5'])
    expect([wrong.code, wrong.stderr]).toEqual([64, expect.stringContaining('--speed')])
  })

  it('is one at a time for a generated store: a second process is told how to share it', async () => {
    const folder = newFolder()
    const store = join(folder, 'store')
    await makegood(['generate', '--bookings', '300', '--scenario', 'outage', '--store', store])
    await makegood(['plan', '--store', store, '--out', join(folder, 'plan.json')])
    const { digest, items } = JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8'))
    expect(items.length).toBeGreaterThan(10)
    const apply = ['apply', join(folder, 'plan.json'), '--approve', digest, '--store', store]
    const runs = await Promise.all([makegood(apply), makegood(apply), makegood(apply)])
    const refused = runs.filter(({ code }) => code === 64)
    expect(runs.filter(({ code }) => code === 0).length).toBeGreaterThanOrEqual(1)
    for (const { stderr } of refused) expect(stderr).toMatch(/is open in another process.*makegood simulator/)
    expect((await makegood(['verify', '--store', store])).code).toBe(0)
  })
})

describe('the demo', () => {
  it('makes an outage good, and another one for another seed', async () => {
    const args = ['demo', '--bookings', '600']
    const [first, other] = await Promise.all([makegood(args), makegood([...args, '--seed', '8'])])
    expect([first.code, other.code, first.stderr]).toEqual([0, 0, ''])
    expect(first.stdout).toMatch(/apply +[\d,]+ applied/)
    expect(first.stdout).toMatch(/verify +[\d,]+ items read back by an independent replay, 0 not good/)
    expect(first.stdout).toMatch(/paid-not-ticketed +│ +\d+ │ +\d+ │ +\d+/)
    expect(first.stdout).toMatch(/waits for a person/)
    expect(first.stdout).not.toBe(other.stdout)
  })
})
