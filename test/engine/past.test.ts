// The past asked again: as of a cut a log is what it was, whatever came since; what had happened is not what was known; and the difference of two
// moments leads from the one to the other, and names what did it.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { booking } from '../../projections/booking/booking.js'
import { compareMoments } from '../../src/engine/compare.js'
import { type Cut, resolveCut } from '../../src/engine/cut.js'
import { diffFindings, type FindingChange } from '../../src/engine/diff.js'
import { compareFindings, type Finding } from '../../src/engine/finding.js'
import type { Moment } from '../../src/engine/moment.js'
import type { Projection } from '../../src/engine/projection.js'
import { type ReplayResult, replay } from '../../src/engine/replay.js'
import { readSubject, readSubjectAsOf } from '../../src/engine/subject.js'
import type { RecordedEvent } from '../../src/log/event.js'
import type { EventStore } from '../../src/log/event-store.js'
import { parseTicks, ticksOfMs } from '../../src/log/ticks.js'
import { eventsOfLog } from '../controls/events.js'
import { appendTold, logInTime, storeOf, type Taken } from '../controls/logs-in-time.js'
import { seedFor } from '../controls/seed.js'
import { adult, captured, issued, msAt, requested, time } from '../projections/booking/history.js'

const rules = booking as Projection

/** Everything of a result that must be the same for ever. */
function lasting({ summary, findings, compensations, waiting, atStake }: ReplayResult) {
  return { summary: { ...summary, elapsedMs: 0 }, findings, compensations, waiting, atStake }
}

const cutAt = (event: RecordedEvent): Promise<Cut> =>
  Promise.resolve({ position: event.position, time: null, eventId: event.id })

async function momentAt(store: EventStore, index: number, now: number): Promise<Moment> {
  const events = await eventsOfLog(store)
  return { cut: await cutAt(events[index % events.length] as RecordedEvent), now }
}

/** A later event of each booking, of kinds that change what is found. */
async function growLog(store: EventStore): Promise<void> {
  for (const [index, subject] of ['b1', 'b2', 'b3'].entries()) {
    const about = { bookingId: subject }
    await appendTold(store, { ...captured({ ...about, captureId: 'late' }), subject }, 900 + index)
    await appendTold(
      store,
      { ...issued('p1', { ...about, ticketNumber: `125000000009${index}` }), subject },
      910 + index,
    )
  }
}

const minute = fc.integer({ min: 0, max: 400 })

describe('a cut', () => {
  it('gives what a log that ends there gives, and gives it again when the log has grown', async () => {
    const property = fc.asyncProperty(logInTime, fc.nat(), minute, async (taken, at, present) => {
      const [store, now] = [await storeOf(taken), msAt(present)]
      const moment = await momentAt(store, at, now)
      const asOf = await replay(store, rules, moment)
      const truncated = await storeOf(taken, (index) => index <= at % taken.length)
      const atHead = await replay(truncated, rules, { now })
      expect(asOf.findings).toEqual(atHead.findings)
      expect(asOf.summary.digest).toBe(atHead.summary.digest)
      expect(asOf.summary.coverage).toEqual(atHead.summary.coverage)
      await growLog(store)
      expect(lasting(await replay(store, rules, moment))).toEqual(lasting(asOf))
    })
    await fc.assert(property, { seed: seedFor('as of a cut'), numRuns: 150 })
  })

  it('gives one subject as the replay folds it, also when its streams were deleted since', async () => {
    const property = fc.asyncProperty(logInTime, fc.nat(), async (taken, at) => {
      const store = await storeOf(taken)
      const { cut } = await momentAt(store, at, 0)
      const upTo = (cut as Cut).position
      const before = await readSubject(store, rules, 'b1', { upTo })
      const { folded, events } = await readSubjectAsOf(store, rules, 'b1', { upTo })
      expect(folded).toEqual({ ...before.folded, ordinal: folded.ordinal })
      expect(events).toEqual(before.events)
      for (const harm of [() => store.deleteStream('payment-b1', 'any'), () => store.tombstone('ticket-b1', 'any')]) {
        await harm()
        const after = await readSubjectAsOf(store, rules, 'b1', { upTo })
        expect(after.folded).toEqual({ ...folded, ordinal: after.folded.ordinal })
        expect(after.events).toEqual(events)
      }
    })
    await fc.assert(property, { seed: seedFor('a subject as of a cut'), numRuns: 100 })
  })
})

describe('what had happened', () => {
  const toldBy = ({ findings }: ReplayResult) => findings.map(({ id, rule, subject }) => `${subject} ${rule} ${id}`)

  it('by T is what a log of the events that happened by T gives, in whatever order they came', async () => {
    const property = fc.asyncProperty(logInTime, minute, minute, async (taken, by, present) => {
      const store = await storeOf(taken)
      const happenedBy = ticksOfMs(msAt(by))
      const hadHappened = (index: number) => happenedAtOf(taken[index] as Taken) <= happenedBy
      const alone = await replay(await storeOf(taken, hadHappened), rules, { now: msAt(present) })
      const asked = replay(store, rules, { now: msAt(present), happenedBy })
      if (alone.summary.coverage.events === 0) await expect(asked).rejects.toThrow('Nothing in the log had happened by')
      else expect(toldBy(await asked)).toEqual(toldBy(alone))
    })
    await fc.assert(property, { seed: seedFor('what had happened'), numRuns: 150 })
  })

  function happenedAtOf({ told, minute }: Taken): bigint {
    const { occurredAt, schemaVersion } = told.data
    // What cannot be decoded has only the time at which it was taken in.
    return schemaVersion === 2 ? ticksOfMs(msAt(minute)) : (parseTicks(String(occurredAt)) ?? 0n)
  }

  it('is not what was known: a ticket whose event came late', async () => {
    const late = [
      { told: requested({ bookingId: 'b1' }), minute: 0 },
      { told: captured({ bookingId: 'b1' }), minute: 5 },
      // Issued at minute 10, told at minute 60.
      { told: issued('p1', { bookingId: 'b1' }), minute: 60 },
    ].map(({ told, minute }) => ({ told: { ...told, subject: 'b1' }, minute }))
    const store = await storeOf(late)
    const now = msAt(40)
    const cut = await resolveCut(store, { kind: 'time', ticks: ticksOfMs(now) }, msAt(100))
    const known = await replay(store, rules, { now, ...(cut && { cut }) })
    const happened = await replay(store, rules, { now, happenedBy: ticksOfMs(now) })
    expect(known.findings.map(({ rule }) => rule)).toEqual(['paid-not-ticketed'])
    expect(happened.findings).toEqual([])
    expect(happened.summary.happenedBy).toBe('2026-05-01T00:40:00.0000000Z')
  })
})

/** What the changes lead to, written down as simply as can be. */
function applied(before: readonly Finding[], changes: readonly FindingChange[]): Finding[] {
  let findings = [...before]
  for (const change of changes) {
    const old = change.kind === 'changed' ? change.before : change.finding
    const place = findings.findIndex((finding) => JSON.stringify(finding) === JSON.stringify(old))
    if (change.kind === 'came') findings = [...findings, change.finding]
    else findings = findings.toSpliced(place, place < 0 ? 0 : 1, ...(change.kind === 'changed' ? [change.finding] : []))
  }
  return findings.sort(compareFindings)
}

describe('a difference', () => {
  it('applied to the findings of the one moment gives those of the other, for any two, forwards and backwards', async () => {
    const moment = fc.record({ at: fc.nat(), present: minute })
    const property = fc.asyncProperty(logInTime, moment, moment, async (taken, one, other) => {
      const store = await storeOf(taken)
      const [from, to] = [
        await momentAt(store, one.at, msAt(one.present)),
        await momentAt(store, other.at, msAt(other.present)),
      ]
      const [before, after] = [await replay(store, rules, from), await replay(store, rules, to)]
      const { differences } = await compareMoments(store, rules, { from, to })
      expect(differences.map(({ change }) => change)).toEqual(diffFindings(before.findings, after.findings))
      expect(applied(before.findings, diffFindings(before.findings, after.findings))).toEqual(after.findings)
      expect(applied(after.findings, diffFindings(after.findings, before.findings))).toEqual(before.findings)
    })
    await fc.assert(property, { seed: seedFor('differences'), numRuns: 150 })
  })

  it('of a moment and itself is none', async () => {
    const property = fc.asyncProperty(logInTime, fc.nat(), minute, async (taken, at, present) => {
      const store = await storeOf(taken)
      const moment = await momentAt(store, at, msAt(present))
      expect((await compareMoments(store, rules, { from: moment, to: moment })).differences).toEqual([])
    })
    await fc.assert(property, { seed: seedFor('no difference'), numRuns: 50 })
  })

  it('names the events between the two that are on the subject, and no other', async () => {
    const store = await storeOf([])
    const about = (told: ReturnType<typeof captured>, subject: string) => ({
      ...told,
      subject,
      data: { ...told.data, bookingId: subject },
    })
    for (const subject of ['b1', 'b2']) {
      await appendTold(store, about(requested(), subject), subject === 'b1' ? 0 : 10)
      await appendTold(store, about(captured(), subject), subject === 'b1' ? 1 : 11)
    }
    const from = await momentAt(store, 3, msAt(60))
    await appendTold(store, about(issued('p1'), 'b1'), 2)
    const to = await momentAt(store, 4, msAt(60))
    const { differences, from: before } = await compareMoments(store, rules, { from, to })
    expect(before.findings.map(({ subject }) => subject)).toEqual(['b1', 'b2'])
    expect(
      differences.map(({ change, cause, events, value }) => [
        change.kind,
        change.finding.subject,
        cause,
        events,
        value,
      ]),
    ).toEqual([
      [
        'went',
        'b1',
        'events',
        [expect.objectContaining({ type: 'TicketIssued' })],
        { currency: 'EUR', amountMinor: 20000 },
      ],
    ])
  })

  it('that time alone made says so, and one that another subject made says that', async () => {
    const subjects = ['b1', 'b2']
    const store = await storeOf(
      subjects.flatMap((subject) =>
        [requested(), captured()].map((told) => ({
          told: { ...told, subject, data: { ...told.data, bookingId: subject } },
          minute: 5,
        })),
      ),
    )
    const grace = await compareMoments(store, rules, {
      from: await momentAt(store, 3, msAt(6)),
      to: await momentAt(store, 3, msAt(60)),
    })
    expect(grace.differences.map(({ cause, events }) => [cause, events])).toEqual([
      ['time', []],
      ['time', []],
    ])
    await appendTold(store, { ...issued('p1', { bookingId: 'b1' }), subject: 'b1' }, 20)
    const from = await momentAt(store, 4, msAt(60))
    await appendTold(store, { ...issued('p1', { bookingId: 'b2', occurredAt: time(12) }), subject: 'b2' }, 21)
    const shared = await compareMoments(store, rules, { from, to: await momentAt(store, 5, msAt(60)) })
    const reused = shared.differences.filter(({ change }) => change.finding.rule === 'ticket-number-reused')
    expect(reused.map(({ change, cause, events }) => [change.finding.subject, cause, events.length])).toEqual([
      ['b1', 'events', 1],
      ['b2', 'events', 1],
    ])
  })

  it('that another subject made, with no event on its own, says that, and which field it is', async () => {
    const couple = requested({ passengers: [adult('p1'), adult('p2')] })
    const store = await storeOf(
      [couple, captured(), issued('p1')]
        .map((told) => ({ told: { ...told, subject: 'b1' }, minute: 5 }))
        .map(bookingOf),
    )
    const from = await momentAt(store, 2, msAt(60))
    await appendTold(store, bookingOf({ told: { ...issued('p1'), subject: 'b2' }, minute: 0 }).told, 20)
    const { differences } = await compareMoments(store, rules, { from, to: await momentAt(store, 3, msAt(61)) })
    const owed = differences.filter(({ change }) => change.finding.rule === 'partly-ticketed')
    expect(owed.map(({ change, cause, events }) => [change.kind, cause, events])).toEqual([['changed', 'others', []]])
    expect(owed[0]?.change).toMatchObject({ fields: ['heldBy'], finding: { heldBy: ['ticket-number-reused'] } })
  })

  it('by what had happened names the events after the one moment and up to the other', async () => {
    const told = [requested(), captured(), issued('p1', { occurredAt: time(30) })]
    const store = await storeOf(told.map((one) => bookingOf({ told: { ...one, subject: 'b1' }, minute: 100 })))
    const momentBy = async (minute: number): Promise<Moment> => ({
      ...(await momentAt(store, 2, msAt(minute))),
      happenedBy: ticksOfMs(msAt(minute)),
    })
    const named = async (one: number, other: number) => {
      const [from, to] = [await momentBy(one), await momentBy(other)]
      const { differences } = await compareMoments(store, rules, { from, to })
      return differences.map(({ change, cause, events }) => [change.kind, cause, ...events.map(({ type }) => type)])
    }
    expect(await named(4, 29)).toEqual([['came', 'events', 'PaymentCaptured']])
    expect(await named(5, 29)).toEqual([['came', 'time']])
    expect(await named(25, 30)).toEqual([['went', 'events', 'TicketIssued']])
    expect(await named(30, 31)).toEqual([])
  })
})

function bookingOf({ told, minute }: Taken): Taken {
  return { told: { ...told, data: { ...told.data, bookingId: told.subject ?? '' } }, minute }
}
