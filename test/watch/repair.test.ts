// `watch --repair`: only with a policy, only what it names, never more in an hour than it allows, whatever is killed, and stopped by too many
// failures, a freeze, or a collision.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EventStore } from '../../src/log/event-store.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { AutoRepair, type Repair, type RepairReport } from '../../src/watch/auto-repair.js'
import { RepairLedger } from '../../src/watch/repair-ledger.js'
import { isWithin, parseRepairPolicy, type RepairPolicy, RepairPolicyError } from '../../src/watch/repair-policy.js'
import { makegood, rowsOf } from '../cli/run-makegood.js'
import { seedFor } from '../controls/seed.js'
import { type Happening, happen, liveAirline, NOW } from './live-airline.js'
import { WatchProcess } from './watch-process.js'
import { TestClock, until, Watching } from './watching.js'

const REPAIRABLE = ['paid-not-ticketed', 'partly-ticketed']
const FIELDS = {
  rules: ['paid-not-ticketed'],
  approver: 'maria',
  itemsPerHour: 10,
  valuePerHour: { EUR: 1_000 },
}
const policyOf = (fields: object = {}): RepairPolicy =>
  parseRepairPolicy(JSON.stringify({ ...FIELDS, ...fields }), REPAIRABLE)
const eur = (amountMinor: number) => ({ currency: 'EUR', amountMinor })

describe('a policy', () => {
  it('is what docs/operations.md shows', () => {
    const page = readFileSync(resolve(import.meta.dirname, '../../docs/operations.md'), 'utf8')
    const [, example = ''] = /```json\n([\s\S]*?)```/.exec(page) ?? []
    expect(parseRepairPolicy(example, REPAIRABLE)).toMatchObject({ itemsPerHour: 50, errorBudget: 3 })
  })

  it.each<[string, unknown, RegExp]>([
    ['an unknown field, by its name', { ...FIELDS, itemPerHour: 5 }, /unknown field itemPerHour/],
    ['no limit of items', { ...FIELDS, itemsPerHour: undefined }, /itemsPerHour: /],
    ['no limit of value', { ...FIELDS, valuePerHour: undefined }, /valuePerHour: /],
    ['nobody who answers for it', { ...FIELDS, approver: '' }, /approver: /],
    ['a rule that may not be repaired', { ...FIELDS, rules: ['dispute'] }, /dispute is no rule that may be repaired/],
    ['a currency that is none', { ...FIELDS, valuePerHour: { euro: 1 } }, /valuePerHour/],
    ['a fraction of a cent', { ...FIELDS, valuePerHour: { EUR: 0.5 } }, /valuePerHour.EUR/],
    ['what is no policy', [], /object/],
  ])('refuses %s', (_, fields, message) => {
    const parse = () => parseRepairPolicy(JSON.stringify(fields), REPAIRABLE)
    expect(parse).toThrow(RepairPolicyError)
    expect(parse).toThrow(message)
  })

  it('refuses what is not JSON', () => {
    expect(() => parseRepairPolicy('rules: all', REPAIRABLE)).toThrow('not JSON')
  })

  it('leaves to a person what is dearer than it allows, or in a currency that it does not name', () => {
    const policy = policyOf({ valuePerItem: { EUR: 500 } })
    expect([eur(500), eur(501), { currency: 'USD', amountMinor: 1 }].map((value) => isWithin(policy, value))).toEqual([
      true,
      false,
      false,
    ])
    expect(isWithin(policy, undefined)).toBe(true)
  })
})

describe('the ledger', () => {
  it('never reserves more in any hour than the policy allows, over restarts too', async () => {
    const policy = policyOf({ itemsPerHour: 7, valuePerHour: { EUR: 1_000 } })
    const round = fc.record({
      minutes: fc.integer({ min: 0, max: 50 }),
      values: fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 6 }),
      isRestarted: fc.boolean(),
    })
    let reservedInAll = 0
    await fc.assert(
      fc.asyncProperty(fc.array(round, { maxLength: 20 }), async (rounds) => {
        const store = openMemoryStore()
        let now = NOW
        let ledger = await RepairLedger.open(store, 'w', now)
        const taken: { at: number; amountMinor: number }[] = []
        for (const { minutes, values, isRestarted } of rounds) {
          now += minutes * 60_000
          if (isRestarted) ledger = await RepairLedger.open(store, 'w', now)
          const count = await ledger.reserve(values.map(eur), policy, { now, newId: randomUUID })
          for (const amountMinor of values.slice(0, count)) taken.push({ at: now, amountMinor })
          const inHour = taken.filter(({ at }) => at > now - 3_600_000)
          expect(inHour.length).toBeLessThanOrEqual(7)
          expect(inHour.reduce((sum, one) => sum + one.amountMinor, 0)).toBeLessThanOrEqual(1_000)
          reservedInAll += count
        }
      }),
      { seed: seedFor('repair ledger'), numRuns: 100 },
    )
    expect(reservedInAll).toBeGreaterThan(300)
  })

  it('lets only one of two processes go on', async () => {
    const store = openMemoryStore()
    const [one, two] = [await RepairLedger.open(store, 'w', NOW), await RepairLedger.open(store, 'w', NOW)]
    const by = { now: NOW, newId: randomUUID }
    expect(await one.reserve([eur(1)], policyOf(), by)).toBe(1)
    await expect(two.reserve([eur(1)], policyOf(), by)).rejects.toThrow(/Another process/)
  })
})

describe('repairing beside a watch', () => {
  const at = new Date(NOW).toISOString()
  const event = (subject: string, category: Happening['category'], type: string, data: object): Happening => ({
    subject,
    category,
    what: 'event',
    type,
    data,
  })
  const paid = (subject: string) =>
    event(subject, 'payment', 'PaymentCaptured', { passengers: ['p1'], amountMinor: 1, at })
  const issued = (subject: string, ticketNumber: string, origin = 'REPAIR') =>
    event(subject, 'ticket', 'TicketIssued', { ticketNumber, passengerId: 'p1', origin })

  const closing: (() => Promise<unknown>)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close()
  })

  /** A watch with a repair beside it that the test answers for. */
  function repairing(
    store: EventStore,
    repair: (subjects: readonly string[]) => Promise<Partial<RepairReport>>,
    about: { policy?: RepairPolicy; frozen?: () => string | undefined } = {},
  ) {
    const rounds: string[][] = []
    const asked: Repair = async (subjects, reserve) => {
      const count = await reserve(subjects.map(() => eur(1)))
      rounds.push(subjects.slice(0, count))
      return { outcomes: {}, ...(await repair(subjects.slice(0, count))) }
    }
    const { policy = policyOf(), frozen = () => undefined } = about
    let auto: AutoRepair | undefined
    const watching = new Watching(store, new TestClock(), { repairStopped: () => auto?.stopped })
    auto = new AutoRepair({
      store,
      name: 'w',
      projection: liveAirline,
      policy,
      repair: asked,
      session: () => watching.session,
      frozen,
      clock: () => NOW,
      newId: randomUUID,
      everyMs: 2,
      onReport: () => {},
      onTrouble: () => {},
    })
    const ending = new AbortController()
    const running = auto.run(ending.signal)
    closing.push(async () => {
      ending.abort()
      await running
      await watching.drain()
    })
    return { watching, rounds, auto }
  }

  it('repairs what is told of, and the alert is resolved by the event that it appends', async () => {
    const store = openMemoryStore()
    await happen(store, paid('b1'))
    const { watching, rounds } = repairing(store, async (subjects) => {
      for (const subject of subjects) await happen(store, issued(subject, subject))
      return { outcomes: { applied: subjects.length } }
    })
    await until(() => watching.told.length === 2, 'opened and resolved')
    expect(watching.told.map(({ change }) => change)).toEqual(['opened', 'resolved'])
    expect(rounds).toEqual([['b1']])
  })

  it('does not repair what something on the subject holds, nor other rules', async () => {
    const store = openMemoryStore()
    await happen(store, paid('held'))
    await happen(store, event('held', 'payment', 'RefundRequested', { refundId: 'r1' }))
    await happen(store, paid('free'))
    const { rounds, watching } = repairing(store, async () => ({}))
    await until(() => rounds.length > 0 && watching.told.length === 3, 'a round')
    expect(rounds).toEqual([['free']])
  })

  it('tries a subject again only much later', async () => {
    const store = openMemoryStore()
    await happen(store, paid('b1'))
    const { rounds } = repairing(store, async () => ({ outcomes: { held: 1 } }))
    await until(() => rounds.length > 0, 'a round')
    await happen(store, paid('b2'))
    await until(() => rounds.length > 1, 'another round')
    expect(rounds).toEqual([['b1'], ['b2']])
  })

  it('takes no more than the hour has room for', async () => {
    const store = openMemoryStore()
    for (const subject of ['b1', 'b2', 'b3', 'b4']) await happen(store, paid(subject))
    const { rounds, watching } = repairing(
      store,
      async (subjects) => {
        for (const subject of subjects) await happen(store, issued(subject, subject))
        return {}
      },
      { policy: policyOf({ itemsPerHour: 3 }) },
    )
    await until(() => watching.told.filter(({ change }) => change === 'resolved').length === 3, 'three')
    expect(rounds).toEqual([['b1', 'b2', 'b3']])
  })

  it('stops where too much fails, and says so to be woken by', async () => {
    const store = openMemoryStore()
    for (const subject of ['b1', 'b2', 'b3']) await happen(store, paid(subject))
    const { watching, auto } = repairing(store, async () => ({ outcomes: { refused: 3 } }))
    await until(() => watching.told.some(({ rule }) => rule === 'repair-stopped'), 'the alert')
    expect(auto.stopped?.detail).toEqual({ why: 'error budget: 3 items failed within an hour' })
    expect(watching.told.find(({ rule }) => rule === 'repair-stopped')?.page).toBe('repairing has stopped')
  })

  it('repairs nothing while it is frozen, nor after a repair met a live ticket', async () => {
    const store = openMemoryStore()
    await happen(store, paid('b1'))
    let freeze: string | undefined = 'a freeze window'
    const { rounds, watching } = repairing(store, async () => ({}), { frozen: () => freeze })
    await until(() => watching.told.length === 1, 'told')
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(rounds).toEqual([])
    await happen(store, paid('met'))
    await happen(store, issued('met', '1', 'LIVE'))
    await happen(store, issued('met', '2', 'REPAIR'))
    await until(() => watching.told.some(({ rule }) => rule === 'repair-collision'), 'the collision')
    freeze = undefined
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(rounds).toEqual([])
  })
})

describe('makegood watch --repair', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'makegood-watch-'))
  })
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  const write = (policy: object) => writeFileSync(join(folder, 'policy.json'), JSON.stringify(policy))

  it('refuses a policy with an unknown field by its name', async () => {
    await makegood(['generate', '--bookings', '10', '--seed', '3', '--store', 'store'], { cwd: folder })
    write({ ...FIELDS, maxItems: 3 })
    const ran = await makegood(['watch', '--store', 'store', '--once', '--repair', 'policy.json'], { cwd: folder })
    expect([ran.code, ran.stderr]).toEqual([64, 'makegood: --repair policy.json: unknown field maxItems\n'])
  })

  it('repairs through the protocol of apply, within the limits of an hour over a kill', async () => {
    await makegood(['generate', '--bookings', '300', '--seed', '7', '--store', 'store'], { cwd: folder })
    write({ ...FIELDS, itemsPerHour: 6, valuePerHour: { EUR: 100_000_000, USD: 100_000_000, GBP: 100_000_000 } })
    const args = ['--store', 'store', '--lease', '200ms', '--repair', 'policy.json']
    const first = new WatchProcess(args, {}, folder)
    const itemsOf = (one: WatchProcess) =>
      (one.told as unknown as { type: string; outcome: string }[]).filter(({ type }) => type === 'item')
    await until(
      () => itemsOf(first).length > 0,
      () => first.stderr,
    )
    await first.end('SIGKILL')
    const second = new WatchProcess(args, {}, folder)
    await second.catchUp()
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    await second.end('SIGTERM')
    const items = [...itemsOf(first), ...itemsOf(second)]
    expect(items.length).toBeGreaterThan(0)
    expect(items.length).toBeLessThanOrEqual(6)
    expect(new Set(items.map(({ outcome }) => outcome))).toEqual(new Set(['applied']))
    const verified = await makegood(['verify', '--store', 'store'], { cwd: folder })
    expect(rowsOf(verified).at(-1)).toMatchObject({ bad: 0, doubled: {} })
  })
})
