// Bisection: one pass gives what a replay at every place of the log, and at every moment, would give; and says what did it.
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { booking } from '../../projections/booking/booking.js'
import { BisectError, bisect } from '../../src/engine/bisect.js'
import { type Cut, resolveCut } from '../../src/engine/cut.js'
import { histogramOf, TooManyBucketsError } from '../../src/engine/histogram.js'
import type { Projection } from '../../src/engine/projection.js'
import { replay } from '../../src/engine/replay.js'
import type { TimeAxis, Turn } from '../../src/engine/turns.js'
import { jsonEvent } from '../../src/log/event.js'
import type { EventStore } from '../../src/log/event-store.js'
import { comparePositions } from '../../src/log/position.js'
import { subjectOf } from '../../src/log/stream.js'
import { msOfTicks, ticksOfMs } from '../../src/log/ticks.js'
import { folderScratch } from '../../src/scratch/folder-scratch.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { generate } from '../../src/workload/generate.js'
import { writeWorkload } from '../../src/workload/write-store.js'
import { eventsOfLog } from '../controls/events.js'
import { logInTime, storeOf, type Taken } from '../controls/logs-in-time.js'
import { seedFor } from '../controls/seed.js'
import { adult, captured, infant, issued, msAt, requested, type Told, time } from '../projections/booking/history.js'

const rules = booking as Projection
const folder = mkdtempSync(join(tmpdir(), 'makegood-bisect-'))
afterAll(() => rmSync(folder, { recursive: true }))

const END = msAt(500)

async function turnsIn(store: EventStore, rule: string, options: { axis?: TimeAxis; spills?: boolean } = {}) {
  const { axis = 'known', spills = false } = options
  const cut = (await resolveCut(store, { kind: 'head' }, END)) as Cut
  const memory = spills && { memory: { bytesMax: 500, scratch: () => folderScratch(folder) } }
  const { turns } = await bisect(store, rules, { rule, axis, now: END, cut, ...memory })
  return turns
}

/** The findings that are open once these turns have been taken. */
function openAfter(turns: readonly Turn[]): string[] {
  const open = new Set<string>()
  for (const { kind, finding } of turns) {
    if (kind === 'came') open.add(finding.id)
    else open.delete(finding.id)
  }
  return [...open].sort()
}

const idsOf = (findings: readonly { id: string; rule: string }[], rule: string) =>
  [...new Set(findings.filter((finding) => finding.rule === rule).map(({ id }) => id))].sort()

const anyRule = fc.constantFrom(
  'paid-not-ticketed',
  'partly-ticketed',
  'attempt-unknown',
  'time-limit-passed',
  'refund-pending',
  'conflicting-duplicate',
  'unknown-event',
)

describe('a bisection of all subjects', () => {
  it('says at every place of the log what a replay says that ends there', async () => {
    const property = fc.asyncProperty(logInTime, anyRule, fc.boolean(), async (taken, rule, spills) => {
      const store = await storeOf(taken)
      const turns = await turnsIn(store, rule, { spills })
      const clocks = new Map<string, number>()
      for (const event of await eventsOfLog(store)) {
        const subject = subjectOf(event.stream) ?? ''
        const now = Math.max(clocks.get(subject) ?? 0, msOfTicks(event.created ?? 0n))
        clocks.set(subject, now)
        const sofar = turns.filter(
          ({ finding, at, cause }) =>
            finding.subject === subject &&
            (at < now || (at === now && comparePositions(cause.event.position, event.position) <= 0)),
        )
        const cut = { position: event.position, time: null, eventId: event.id }
        const { findings } = await replay(store, rules, { cut, now, filters: { subjects: [subject] } })
        expect(openAfter(sofar)).toEqual(idsOf(findings, rule))
      }
      expect(openAfter(turns)).toEqual(idsOf((await replay(store, rules, { now: END })).findings, rule))
    })
    await fc.assert(property, { seed: seedFor('bisect by known'), numRuns: 60 })
    expect(readdirSync(folder)).toEqual([])
  })

  it('says of every moment what a replay says of what had happened by then', async () => {
    const moments = fc.array(fc.integer({ min: 0, max: 499 }), { maxLength: 4 })
    const property = fc.asyncProperty(logInTime, anyRule, moments, async (taken, rule, others) => {
      const store = await storeOf(taken)
      const turns = await turnsIn(store, rule, { axis: 'occurred' })
      for (const now of [...others.map(msAt), ...turns.flatMap(({ at }) => [at - 1, at])]) {
        const sofar = turns.filter(({ at }) => at <= now)
        const findings = await replay(store, rules, { now, happenedBy: ticksOfMs(now) }).then(
          (result) => result.findings,
          // Nothing had happened yet.
          () => [],
        )
        expect(openAfter(sofar)).toEqual(idsOf(findings, rule))
      }
    })
    await fc.assert(property, { seed: seedFor('bisect by occurred'), numRuns: 60 })
  })
})

it('a bisection that does not fit into memory finds the same, and leaves nothing behind', async () => {
  const store = openMemoryStore()
  const workload = generate({ bookings: 300, seed: seedFor('bisect under a limit'), scenario: 'outage' })
  await writeWorkload(store, workload)
  const cut = (await resolveCut(store, { kind: 'head' }, Date.now())) as Cut
  const now = Date.parse(workload.marker.now)
  for (const rule of ['paid-not-ticketed', 'duplicate-event']) {
    const question = { rule, axis: 'occurred', now, cut } as const
    const whole = await bisect(store, rules, question)
    for (const bytesMax of [0, 300_000]) {
      const memory = { bytesMax, scratch: () => folderScratch(folder) }
      expect(await bisect(store, rules, { ...question, memory })).toEqual(whole)
    }
    expect(whole.turns.length).toBeGreaterThan(0)
  }
  expect(readdirSync(folder)).toEqual([])
})

describe('a bisection of a rule across subjects', () => {
  const reused = 'ticket-number-reused'

  it('says at every place of the log, and of every moment, what a replay says', async () => {
    let found = 0
    const property = fc.asyncProperty(crowdedLog, fc.nat({ max: 200 }), async (taken, minute) => {
      const store = await storeOf(taken)
      const turns = await turnsIn(store, reused)
      for (const { position, id: eventId } of await eventsOfLog(store)) {
        const { findings } = await replay(store, rules, { cut: { position, time: null, eventId }, now: END })
        const inLogOrder = turns.toSorted((a, b) => comparePositions(a.cause.event.position, b.cause.event.position))
        const sofar = inLogOrder.filter(({ cause }) => comparePositions(cause.event.position, position) <= 0)
        expect(openAfter(sofar)).toEqual(idsOf(findings, reused))
        found += findings.length
      }
      const happened = (await turnsIn(store, reused, { axis: 'occurred' })).filter(({ at }) => at <= msAt(minute))
      const { findings } = await replay(store, rules, { now: END, happenedBy: ticksOfMs(msAt(minute)) }).catch(() => ({
        findings: [],
      }))
      expect(openAfter(happened)).toEqual(idsOf(findings, reused))
    })
    await fc.assert(property, { seed: seedFor('bisect across subjects'), numRuns: 60 })
    expect(found).toBeGreaterThan(0)
  })

  it('names the event that made it so, also on the subject that was there first', async () => {
    const [one, two] = ['b1', 'b2'].map((subject) => ({ ...issued('p1', { bookingId: subject }), subject })) as [
      Told,
      Told,
    ]
    const store = await storeOf([
      { told: one, minute: 5 },
      { told: two, minute: 9 },
    ])
    const cut = (await resolveCut(store, { kind: 'head' }, END)) as Cut
    const { turns } = await bisect(store, rules, { rule: reused, axis: 'known', now: END, cut, subjects: ['b1'] })
    expect(turns.map(({ kind, finding, cause }) => [kind, finding.subject, cause.event.stream])).toEqual([
      ['came', 'b1', 'ticket-b2'],
    ])
  })
})

/** Tickets of few numbers on a few bookings. */
const crowdedLog = fc
  .array(
    fc.record({
      subject: fc.constantFrom('b1', 'b2', 'b3'),
      ticketNumber: fc.constantFrom('1250000000001', '1250000000002'),
      occurredAt: fc.nat({ max: 200 }).map(time),
      gap: fc.integer({ min: -1, max: 20 }),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((steps) => {
    let minute = 1
    return steps.map(({ subject, gap, ...fields }): Taken => {
      minute = Math.max(0, minute + gap)
      return { told: { ...issued('p1', { bookingId: subject, ...fields }), subject }, minute }
    })
  })

/** Events of b1, each taken in at its minute. */
function history(...events: readonly (readonly [told: Told, minute: number])[]): Taken[] {
  return events.map(([told, minute]) => ({
    told: { ...told, subject: 'b1', data: { ...told.data, bookingId: 'b1' } },
    minute,
  }))
}

const summaryOf = (turns: readonly Turn[]) =>
  turns.map(({ kind, at, cause }) => [kind, (at - msAt(0)) / 60_000, cause.kind, cause.event.type])

describe('what did it', () => {
  const paid = [
    [requested(), 1],
    [captured(), 5],
  ] as const

  it('is time alone where a grace period ends, and the event that answers it', async () => {
    const store = await storeOf(history(...paid, [issued('p1', { occurredAt: time(60) }), 90]))
    expect(summaryOf(await turnsIn(store, 'paid-not-ticketed'))).toEqual([
      ['came', 20, 'time', 'PaymentCaptured'],
      ['went', 90, 'event', 'TicketIssued'],
    ])
  })

  it('is time where the grace period ends in the very moment of an event, which then only answers', async () => {
    const store = await storeOf(history(...paid, [issued('p1'), 20]))
    expect(summaryOf(await turnsIn(store, 'paid-not-ticketed'))).toEqual([
      ['came', 20, 'time', 'PaymentCaptured'],
      ['went', 20, 'event', 'TicketIssued'],
    ])
  })

  it('by what had happened goes by the time of the story, not by when it was told', async () => {
    const store = await storeOf(history(...paid, [issued('p1', { occurredAt: time(60) }), 90]))
    expect(summaryOf(await turnsIn(store, 'paid-not-ticketed', { axis: 'occurred' }))).toEqual([
      ['came', 20, 'time', 'PaymentCaptured'],
      ['went', 60, 'event', 'TicketIssued'],
    ])
  })

  it('is the event where one makes it true at once', async () => {
    const two = requested({ passengers: [adult('p1'), infant('p2', 'p1')] })
    const store = await storeOf(history([two, 1], [captured(), 5], [issued('p1'), 400]))
    expect(summaryOf(await turnsIn(store, 'infant-not-ticketed'))).toEqual([['came', 400, 'event', 'TicketIssued']])
  })

  it('of one subject looks at no other', async () => {
    const store = await storeOf(history(...paid))
    const cut = (await resolveCut(store, { kind: 'head' }, END)) as Cut
    const question = { rule: 'paid-not-ticketed', axis: 'known', now: END, cut } as const
    expect((await bisect(store, rules, { ...question, subjects: ['b'] })).turns).toEqual([])
    expect((await bisect(store, rules, { ...question, subjects: ['b1'] })).turns).toHaveLength(1)
  })
})

it('an event that could be anybody\'s is counted: without it "never true" is no answer', async () => {
  const store = await storeOf(history([requested(), 1]))
  await store.append('ticket-', [jsonEvent({ id: randomUUID(), type: 'TicketIssued', data: {} })], 'any')
  const cut = (await resolveCut(store, { kind: 'head' }, Date.now())) as Cut
  const { unattributable } = await bisect(store, rules, { rule: 'paid-not-ticketed', axis: 'known', now: END, cut })
  expect(unattributable).toBe(1)
})

describe('what cannot be bisected', () => {
  it.each([
    ['no-such-rule', 'known', 'booking has no such rule; it has history-incomplete, '],
    ['ticket-event-lost', 'known', 'asks others outside of the log'],
    ['history-incomplete', 'occurred', 'about what the log holds'],
  ] as const)('%s by %s is refused, and says why', async (rule, axis, why) => {
    const refused = turnsIn(await storeOf(history([requested(), 1])), rule, { axis })
    await expect(refused).rejects.toThrow(BisectError)
    await expect(refused).rejects.toThrow(why)
  })
})

describe('a histogram', () => {
  const turn = (kind: Turn['kind'], minute: number) => ({ kind, at: msAt(minute) }) as Turn

  it('counts what came and went in each step, and what is open at its end', () => {
    const { buckets } = histogramOf([turn('came', 1), turn('came', 2), turn('went', 12), turn('came', 39)], 10 * 60_000)
    expect(buckets.map(({ from, came, went, open }) => [(from - msAt(0)) / 60_000, came, went, open])).toEqual([
      [0, 2, 0, 2],
      [10, 0, 1, 1],
      [20, 0, 0, 1],
      [30, 1, 0, 2],
    ])
  })

  it('has its window around the fullest step, from the first to the last that came in it', () => {
    const outage = Array.from({ length: 100 }, (_, index) => turn('came', 600 + index))
    const { window } = histogramOf([turn('came', 0), ...outage, turn('came', 2_000)])
    expect(window).toEqual({ from: msAt(600), to: msAt(699), came: 100 })
  })

  it('of nothing is empty, and one of too many steps is refused', () => {
    expect(histogramOf([])).toMatchObject({ buckets: [], window: undefined })
    expect(() => histogramOf([turn('came', 0), turn('came', 9_999_999)], 1)).toThrow(TooManyBucketsError)
  })

  it('takes few enough steps for a person, however long the time', () => {
    for (const minutes of [0, 1, 90, 100_000, 50_000_000]) {
      expect(histogramOf([turn('came', 0), turn('came', minutes)]).buckets.length).toBeLessThanOrEqual(49)
    }
  })
})
