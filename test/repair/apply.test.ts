// Applying a plan: what is asked for before anything is done, what each item comes to, and what a second run finds.
import { describe, expect, it } from 'vitest'
import { parseMetadata } from '../../src/engine/decode.js'
import { digestOf } from '../../src/engine/digest.js'
import { ApprovalError, AuthorityRefusedError } from '../../src/repair/apply.js'
import type { AdmitResult } from '../../src/repair/authority.js'
import { PlanStaleError } from '../../src/repair/decide.js'
import { type Plan, PlanInvalidError } from '../../src/repair/plan.js'
import { airline, NOW } from '../controls/airline.js'
import { Airport } from '../controls/airport.js'
import type { ApplyingProcess } from '../controls/applying-process.js'
import { eventsOf, eventsOfLog, textOf } from '../controls/events.js'
import { LedgerAuthority } from '../controls/ledger-authority.js'
import { write } from '../controls/log-writer.js'
import { applyCounted } from '../controls/plan-runs.js'

async function airportWith(bookings: Record<string, readonly string[]>, authority?: LedgerAuthority): Promise<Airport> {
  const airport = new Airport(authority)
  for (const [booking, passengers] of Object.entries(bookings)) await airport.pay(booking, ...passengers)
  return airport
}

const told = ({ outcomes }: ApplyingProcess) => outcomes.map(({ item, kind }) => `${item.subject} ${kind}`)
const whys = ({ outcomes }: ApplyingProcess) => outcomes.map(({ why }) => why)

/** Expects that a refused plan has touched neither the log nor the authority. */
async function expectUntouched(airport: Airport, act: () => Promise<unknown>, error: new () => Error): Promise<void> {
  const before = (await eventsOfLog(airport.store)).length
  await expect(act()).rejects.toThrow(error)
  expect(await eventsOfLog(airport.store)).toHaveLength(before)
  expect(airport.authority.questions).toEqual([])
}

/** The plan with the digest that its content gives now. */
function signed({ digest: _, ...content }: Plan): Plan {
  return { ...content, digest: digestOf(content) }
}

describe('before anything is done', () => {
  it.each(['', 'sha256:0', 'yes'])('an approval of %j is none', async (approve) => {
    const airport = await airportWith({ 1: ['p1'] })
    const plan = await airport.plan()
    await expectUntouched(airport, () => airport.process().apply(plan, { approve }), ApprovalError)
    await expect(airport.process().apply(plan, { approve })).rejects.toThrow(plan.digest)
  })

  it('an approval of another plan is none', async () => {
    const airport = await airportWith({ 1: ['p1'] })
    const { digest } = await airport.plan()
    await airport.pay('2', 'p1')
    const plan = await airport.plan()
    await expectUntouched(airport, () => airport.process().apply(plan, { approve: digest }), ApprovalError)
  })

  it('an approval is for what gives its digest: a plan that was changed is none', async () => {
    const airport = await airportWith({ 1: ['p1'] })
    const plan = await airport.plan()
    const changed = { ...plan, items: plan.items.map((item) => ({ ...item, stream: 'ticket-2' })) }
    await expectUntouched(airport, () => airport.process().apply(changed), PlanInvalidError)
  })

  it.each([{ version: '2' }, { name: 'railway' }])('the rules must be those of the plan, not %o', async (other) => {
    const airport = await airportWith({ 1: ['p1'] })
    const plan = await airport.plan()
    const projection = { ...airline, ...other }
    await expectUntouched(airport, () => airport.process({ projection }).apply(plan), PlanStaleError)
  })

  it('the plan must be of this store: another event at the cut, or none, is another store', async () => {
    const plan = await (await airportWith({ 1: ['p1'] })).plan()
    const twin = new Airport(new LedgerAuthority(), 2)
    await twin.pay('1', 'p1')
    await expectUntouched(twin, () => twin.process().apply(plan), PlanStaleError)
    const empty = new Airport()
    await expectUntouched(empty, () => empty.process().apply(plan), PlanStaleError)
    const illegible = signed({ ...plan, cut: plan.cut && { ...plan.cut, position: 'here' } })
    const same = await airportWith({ 1: ['p1'] })
    await expectUntouched(same, () => same.process().apply(illegible), PlanStaleError)
  })

  it('each piece of evidence must stand where the plan saw it', async () => {
    const airport = await airportWith({ 1: ['p1'] })
    const plan = await airport.plan()
    const [item] = plan.items as [Plan['items'][number]]
    const heads = item.evidence.heads.map((head) => ({ ...head, id: airport.newId() }))
    const forged = signed({ ...plan, items: [{ ...item, evidence: { ...item.evidence, heads } }] })
    await expect(airport.process().apply(forged)).rejects.toThrow(PlanStaleError)
    await expect(airport.process().apply(forged)).rejects.toThrow('does not stand at revision 0 of payment-1')
    expect(airport.authority.questions).toEqual([])
    expect(await airport.ticketStream('1')).toEqual([])
  })

  it.each<AdmitResult>([
    { kind: 'refused', message: 'only made-up stores' },
    { kind: 'unknown', message: 'silence' },
  ])('the authority must serve the store: %o does not', async (answer) => {
    const asked: unknown[] = []
    const admits = async (store: unknown) => {
      asked.push(store)
      return answer
    }
    const airport = await airportWith({ 1: ['p1'] })
    const plan = await airport.plan()
    const authority = Object.assign(new LedgerAuthority(), { admits })
    await expectUntouched(airport, () => airport.process({ authority }).apply(plan), AuthorityRefusedError)
    expect(asked).toEqual([{ generated: false }])
  })

  it('nothing can be asked of nobody: a command without an authority, or without a settlement, claims nothing', async () => {
    const airport = await airportWith({ 1: ['p1'] })
    const plan = await airport.plan()
    const { settlement: _, ...unsettled } = airline
    await expect(airport.process({ projection: unsettled }).apply(plan)).rejects.toThrow('no settlement')
    await expect(airport.process({ authority: undefined }).apply(plan)).rejects.toThrow('no authority')
    expect(await airport.ticketStream('1')).toEqual([])
  })
})

describe('an item', () => {
  it('that is still owed is applied: claimed, issued under its key, recorded', async () => {
    const airport = await airportWith({ 1: ['p1', 'p2'], 2: ['p1'] })
    const plan = await airport.plan()
    const process = airport.process()
    const summary = await applyCounted(process, plan)
    expect(told(process)).toEqual(['1 applied', '1 applied', '2 applied'])
    expect(process.outcomes.map(({ revision }) => revision)).toEqual([1, 3, 1])
    expect(summary).toMatchObject({ left: 0, complete: true, cases: 0, interrupted: false })
    expect(summary).not.toHaveProperty('stopped')
    expect(airport.authority.keysAsked('issue')).toEqual(plan.items.map(({ key }) => key))
    expect((await airport.plan()).items).toEqual([])
  })

  it('carries its whole provenance in the metadata of each event', async () => {
    const airport = await airportWith({ 1: ['p1'] })
    const plan = await airport.plan()
    const { campaign } = await airport.process().apply(plan)
    const [claim, issued] = await eventsOf(airport.store, 'ticket-1')
    const [item] = plan.items
    const shared = {
      $correlationId: '1',
      $causationId: item?.evidence.events[0],
      origin: 'repair',
      key: item?.key,
      campaignId: campaign,
      planDigest: plan.digest,
      findingIds: item?.intent.answers,
      rules: ['paid-not-ticketed'],
      projection: 'airline',
      ruleVersion: '1',
      engineVersion: '0',
      actor: 'ann',
      approver: 'bob',
      cut: plan.cut,
      part: 0,
      paymentRevision: 0,
    }
    expect(parseMetadata(claim?.metadata ?? new Uint8Array())).toMatchObject({
      ...shared,
      step: 'claim',
      ticketRevision: null,
    })
    expect(parseMetadata(issued?.metadata ?? new Uint8Array())).toMatchObject({
      ...shared,
      step: 'settle',
      ticketRevision: 0,
    })
    expect(JSON.parse(textOf(claim as NonNullable<typeof claim>))).toMatchObject({ key: item?.key, origin: 'REPAIR' })
  })

  it('whose finding is gone is already good', async () => {
    const airport = await airportWith({ 1: ['p1', 'p2'] })
    const plan = await airport.plan()
    await airport.issueLive('1', 'p1')
    const process = airport.process()
    const summary = await applyCounted(process, plan)
    expect(told(process)).toEqual(['1 already-good', '1 applied'])
    expect(summary.complete).toBe(true)
    expect(await airport.tickets()).toHaveLength(2)
  })

  it('that something forbids by now is stale, and says what', async () => {
    const airport = await airportWith({ 1: ['p1'] })
    const plan = await airport.plan()
    await airport.refund('1')
    const process = airport.process()
    const summary = await applyCounted(process, plan)
    expect(told(process)).toEqual(['1 stale'])
    expect(whys(process)[0]).toContain('refund-pending')
    expect(summary.complete).toBe(false)
    expect(airport.authority.questions).toEqual([])
    await airport.failRefund('1')
    expect((await airport.process().apply(plan)).outcomes.applied).toBe(1)
  })

  it('that would be made good in another way by now is stale: what is approved is what is done', async () => {
    const airport = await airportWith({ 1: ['p1'] })
    const plan = await airport.plan()
    const projection: typeof airline = {
      ...airline,
      compensate: (booking, findings, context) =>
        (airline.compensate?.(booking, findings, context) ?? []).map((intent) => ({
          ...intent,
          command: { ...intent.command, cabin: 'first' },
        })),
    }
    const process = airport.process({ projection })
    await applyCounted(process, plan)
    expect(told(process)).toEqual(['1 stale'])
    expect(whys(process)[0]).toContain('not what was approved')
    expect(await airport.ticketStream('1')).toEqual([])
  })

  it('that somebody else is at is held', async () => {
    const airport = await airportWith({ 1: ['p1'] })
    const plan = await airport.plan()
    const data = { attemptId: 'a', passengerId: 'p1', origin: 'LIVE', at: new Date(NOW - 1_000).toISOString() }
    await write(airport.store, 'ticket-1', { type: 'TicketIssueRequested', data })
    const process = airport.process()
    await applyCounted(process, plan)
    expect(told(process)).toEqual(['1 held'])
    expect(airport.authority.questions).toEqual([])
  })

  it('whose ticket stream was deleted softly is stale: its absence proves nothing', async () => {
    const airport = await airportWith({ 1: ['p1'] })
    const plan = await airport.plan()
    await airport.issueLive('1', 'p1')
    await airport.store.deleteStream('ticket-1', 0)
    const process = airport.process()
    await applyCounted(process, plan)
    expect(told(process)).toEqual(['1 stale'])
    expect(whys(process)[0]).toContain('history-incomplete')
    expect(airport.authority.questions).toEqual([])
  })

  it('whose ticket stream was deleted for ever is stale and nobody is asked', async () => {
    const airport = await airportWith({ 1: ['p1'] })
    const plan = await airport.plan()
    await airport.store.tombstone('ticket-1', 'noStream')
    const process = airport.process()
    await applyCounted(process, plan)
    expect(told(process)).toEqual(['1 stale'])
    expect(airport.authority.questions).toEqual([])
  })

  it('that loses every race to append is a conflict, and nobody was asked', async () => {
    const airport = await airportWith({ 1: ['p1'] })
    const plan = await airport.plan()
    const process = airport.process({ onTouch: interfering(airport, 'append') })
    const summary = await applyCounted(process, plan)
    expect(told(process)).toEqual(['1 conflict'])
    expect(summary.complete).toBe(false)
    expect(airport.authority.questions).toEqual([])
  })

  it('that was issued and loses every race to be recorded is unknown, and the next run records it', async () => {
    const airport = await airportWith({ 1: ['p1'] })
    const plan = await airport.plan()
    const process = airport.process({ onTouch: interfering(airport, 'append', 'issued') })
    await applyCounted(process, plan)
    expect(told(process)).toEqual(['1 unknown'])
    expect(await airport.tickets()).toEqual([])
    expect((await applyCounted(airport.process(), plan)).outcomes.applied).toBe(1)
    expect(await airport.tickets()).toHaveLength(1)
  })

  it('that loses every race to be closed as failed is unknown, and the next run closes it', async () => {
    const airport = await airportWith({ 1: ['p1'] }, new LedgerAuthority({ issue: ['refuses', 'refuses'] }))
    const plan = await airport.plan()
    const process = airport.process({ onTouch: interfering(airport, 'append', 'issued') })
    await applyCounted(process, plan)
    expect(told(process)).toEqual(['1 unknown'])
    expect((await applyCounted(airport.process(), plan)).outcomes.refused).toBe(1)
    expect((await airport.ticketStream('1')).at(-1)).toBe('TicketIssueFailed')
  })
})

/** Lets somebody else append to the booking's ticket stream right before each own append, once the step is passed. */
function interfering(airport: Airport, operation: string, after?: string) {
  let isOn = after === undefined
  let others = 0
  return async ({ name, about }: { name: string; about: string }, when: 'before' | 'after') => {
    if (name === after) isOn = true
    if (!isOn || when === 'after' || name !== operation || !about.startsWith('ticket-')) return
    others += 1
    const data = { attemptId: `other-${others}`, passengerId: 'px', origin: 'LIVE', at: new Date(NOW).toISOString() }
    await write(airport.store, about, { type: 'TicketIssueRequested', data })
  }
}

describe('an authority that', () => {
  it('refuses for good: the claim is closed with its code, the others go on, and a rerun does not ask again', async () => {
    const airport = await airportWith({ 1: ['p1', 'p2'] }, new LedgerAuthority({ issue: ['refuses'] }))
    const plan = await airport.plan()
    const process = airport.process()
    const summary = await applyCounted(process, plan)
    expect(told(process)).toEqual(['1 refused', '1 applied'])
    expect(whys(process)[0]).toBe('ledger: no-seat: not today')
    expect(summary.complete).toBe(true)
    expect(await airport.cases()).toEqual(['issue-failed 1'])
    const [, failed] = await eventsOf(airport.store, 'ticket-1')
    expect(JSON.parse(textOf(failed as NonNullable<typeof failed>))).toMatchObject({
      code: 'no-seat',
      retryable: false,
    })
    const asked = airport.authority.questions.length
    await applyCounted(airport.process(), plan)
    expect(airport.authority.questions).toHaveLength(asked)
  })

  it('refuses for now: the next run of the same plan asks again under the same key', async () => {
    const airport = await airportWith({ 1: ['p1'] }, new LedgerAuthority({ issue: ['refuses-for-now'] }))
    const plan = await airport.plan()
    const process = airport.process()
    expect((await applyCounted(process, plan)).complete).toBe(false)
    expect(told(process)).toEqual(['1 refused'])
    const again = airport.process()
    expect((await applyCounted(again, plan)).complete).toBe(true)
    expect(told(again)).toEqual(['1 applied'])
    expect(new Set(airport.authority.keysAsked('issue')).size).toBe(1)
  })

  it('refuses for now: a later plan asks again under the same key', async () => {
    const airport = await airportWith({ 1: ['p1'] }, new LedgerAuthority({ issue: ['refuses-for-now'] }))
    const first = await airport.plan()
    await applyCounted(airport.process(), first)
    const second = await airport.plan()
    expect(second.items.map(({ key }) => key)).toEqual(first.items.map(({ key }) => key))
    expect((await applyCounted(airport.process(), second)).outcomes.applied).toBe(1)
    expect(new Set(airport.authority.keysAsked('issue')).size).toBe(1)
  })

  it('loses its answer: unknown; the next run finds what was done and records it, asking nobody to do it again', async () => {
    const airport = await airportWith({ 1: ['p1'] }, new LedgerAuthority({ issue: ['loses-answer'] }))
    const plan = await airport.plan()
    const process = airport.process()
    const summary = await applyCounted(process, plan)
    expect(told(process)).toEqual(['1 unknown'])
    expect(summary.complete).toBe(false)
    expect((await applyCounted(airport.process(), plan)).outcomes.applied).toBe(1)
    expect(airport.authority.keysAsked('issue')).toHaveLength(1)
    expect(await airport.tickets()).toEqual(['1/p1 2200000000001 REPAIR'])
  })

  it.each(['loses-question', 'garbles'] as const)('%s: unknown, and the next run gets the ticket', async (mood) => {
    const airport = await airportWith({ 1: ['p1'] }, new LedgerAuthority({ issue: [mood] }))
    const plan = await airport.plan()
    const process = airport.process()
    await applyCounted(process, plan)
    expect(told(process)).toEqual(['1 unknown'])
    expect(await airport.ticketStream('1')).toEqual(['TicketIssueRequested'])
    await applyCounted(airport.process(), plan)
    expect(await airport.tickets()).toEqual(['1/p1 2200000000001 REPAIR'])
  })

  it.each(['loses-question', 'garbles'] as const)(
    '%s when it is looked up: unknown, and nothing is issued',
    async (mood) => {
      const airport = await airportWith({ 1: ['p1'] }, new LedgerAuthority({ lookUp: [mood] }))
      const plan = await airport.plan()
      const process = airport.process()
      await applyCounted(process, plan)
      expect(told(process)).toEqual(['1 unknown'])
      expect(airport.authority.keysAsked('issue')).toEqual([])
      await applyCounted(airport.process(), plan)
      expect(await airport.tickets()).toHaveLength(1)
    },
  )

  it('has the ticket already: it is recorded, and none is issued', async () => {
    const airport = await airportWith({ 1: ['p1'] })
    const plan = await airport.plan()
    airport.authority.live.set('1/p1', '9900000000009')
    const process = airport.process()
    await applyCounted(process, plan)
    expect(told(process)).toEqual(['1 applied'])
    expect(await airport.tickets()).toEqual(['1/p1 9900000000009 REPAIR'])
    expect(airport.authority.keysAsked('issue')).toEqual([])
  })

  it('cannot tell whether a claim that was given up had led to a ticket: unknown until it can', async () => {
    const airport = await airportWith({ 1: ['p1'] }, new LedgerAuthority({ lookUp: ['answers', 'loses-question'] }))
    const plan = await airport.plan()
    const first = airport.process({
      onTouch: async ({ name }, when) => {
        if (name === 'claimed' && when === 'after') await airport.issueLive('1', 'p1')
      },
    })
    await applyCounted(first, plan)
    expect(told(first)).toEqual(['1 stale'])
    const second = airport.process()
    await applyCounted(second, plan)
    expect(told(second)).toEqual(['1 unknown'])
    const third = airport.process()
    expect((await applyCounted(third, plan)).complete).toBe(true)
    expect(told(third)).toEqual(['1 already-good'])
    expect(await airport.tickets()).toEqual(['1/p1 9900000000001 LIVE'])
  })
})

describe('a second run', () => {
  it('of a finished campaign appends nothing and asks nothing', async () => {
    const airport = await airportWith({ 1: ['p1', 'p2'], 2: ['p1'] })
    const plan = await airport.plan()
    await airport.process().apply(plan)
    const before = await eventsOfLog(airport.store)
    const asked = airport.authority.questions.length
    const again = airport.process()
    const summary = await applyCounted(again, plan)
    expect(told(again)).toEqual(['1 already-good', '1 already-good', '2 already-good'])
    expect(again.outcomes.map(({ revision }) => revision)).toEqual([1, 3, 1])
    expect(summary).toMatchObject({ complete: true, left: 0 })
    expect(await eventsOfLog(airport.store)).toEqual(before)
    expect(airport.authority.questions).toHaveLength(asked)
  })

  it('with nothing to do leaves the log as it is', async () => {
    const airport = await airportWith({ 1: ['p1'] })
    await airport.process().apply(await airport.plan())
    const before = await eventsOfLog(airport.store)
    const summary = await applyCounted(airport.process(), await airport.plan())
    expect(summary).toMatchObject({ items: 0, complete: true })
    expect(await eventsOfLog(airport.store)).toEqual(before)
  })
})

describe('a store that fails', () => {
  it("ends the run with its error once what is in flight has ended; nothing is done behind the caller's back", async () => {
    const airport = await airportWith({ 1: ['p1'], 2: ['p1'], 3: ['p1'], 4: ['p1'] })
    const plan = await airport.plan()
    const failure = new Error('the disk is gone')
    const process = airport.process({
      onTouch: ({ name, about }, when) => {
        if (name === 'readStream' && about === 'payment-2' && when === 'before') throw failure
      },
    })
    await expect(process.apply(plan, { inFlight: 2 })).rejects.toBe(failure)
    const after = process.touches
    const before = await eventsOfLog(airport.store)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(process.touches).toBe(after)
    expect(await eventsOfLog(airport.store)).toEqual(before)
    expect(await airport.tickets()).toEqual(['1/p1 2200000000001 REPAIR'])
    await applyCounted(airport.process(), plan)
    expect(await airport.tickets()).toHaveLength(4)
  })

  it("on the campaign's own stream ends the run and says what could not be recorded", async () => {
    const airport = await airportWith({ 1: ['p1'] })
    const plan = await airport.plan()
    const losing = airport.process({
      appendFate: (stream) => (stream.startsWith('makegood.campaign') ? 'lost-after' : 'answered'),
    })
    await expect(losing.apply(plan)).rejects.toThrow(/campaign could not be recorded: the answer was lost/)
    await applyCounted(airport.process(), plan)
    expect(await airport.tickets()).toHaveLength(1)
  })
})
