// A small world for repairs of the airline: a store with paid bookings, a ledger of tickets, plans, live issuing and refunds that can
// come at any moment, and what must be true of all of it in the end.

import { replay } from '../../src/engine/replay.js'
import { readSubject } from '../../src/engine/subject.js'
import type { RecordedEvent } from '../../src/log/event.js'
import type { EventStore } from '../../src/log/event-store.js'
import { listCampaigns } from '../../src/repair/campaign.js'
import { listCases } from '../../src/repair/cases.js'
import { makePlan, type Plan } from '../../src/repair/plan.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { airline, NOW } from './airline.js'
import { ApplyingProcess, type ProcessOptions } from './applying-process.js'
import { eventsOfLog, textOf } from './events.js'
import { LedgerAuthority } from './ledger-authority.js'
import { type Written, write } from './log-writer.js'

export const PAID_AT = '2026-05-01T10:00:00Z'

/** The event that pays for these passengers. */
export function paidFor(...passengers: string[]): Written {
  return { type: 'PaymentCaptured', data: { passengers, amountMinor: 10_000, at: PAID_AT } }
}

export class Airport {
  readonly store: EventStore = openMemoryStore({ clock: () => NOW })
  readonly processes: ApplyingProcess[] = []
  /** Passengers, as `booking/passenger`, for whom a live ticket was issued. */
  readonly live = new Set<string>()
  /** Breaches seen while they happened. */
  readonly breaches: string[] = []
  #ids = 0
  #liveTickets = 0

  /** Airports of another number have other ids. */
  constructor(
    readonly authority = new LedgerAuthority(),
    readonly number = 1,
  ) {}

  /** Ids in their order, so that a failing run can be run again as it was. */
  newId = (): string => {
    this.#ids += 1
    return `${String(this.number).padStart(8, '0')}-0000-4000-8000-${String(this.#ids).padStart(12, '0')}`
  }

  async pay(booking: string, ...passengers: string[]): Promise<void> {
    await write(this.store, `payment-${booking}`, { ...paidFor(...passengers), id: this.newId() })
  }

  async refund(booking: string, refundId = 'r1'): Promise<void> {
    await write(this.store, `payment-${booking}`, { type: 'RefundRequested', data: { refundId }, id: this.newId() })
  }

  async failRefund(booking: string, refundId = 'r1'): Promise<void> {
    await write(this.store, `payment-${booking}`, { type: 'RefundFailed', data: { refundId }, id: this.newId() })
  }

  /** Live issuing gives the passenger a ticket; where `isKnown`, the authority knows of it. */
  async issueLive(booking: string, passenger: string, isKnown = false): Promise<string> {
    this.#liveTickets += 1
    const ticketNumber = `990${String(this.#liveTickets).padStart(10, '0')}`
    this.live.add(`${booking}/${passenger}`)
    if (isKnown) this.authority.live.set(`${booking}/${passenger}`, ticketNumber)
    const data = { ticketNumber, passengerId: passenger, origin: 'LIVE' }
    await write(this.store, `ticket-${booking}`, { type: 'TicketIssued', data, id: this.newId() })
    return ticketNumber
  }

  async plan(): Promise<Plan> {
    const head = await replay(this.store, airline, { now: NOW })
    return makePlan(head, airline)
  }

  process(options: Partial<ProcessOptions> = {}): ApplyingProcess {
    const process = new ApplyingProcess({
      store: this.store,
      projection: airline,
      authority: this.authority,
      newId: this.newId,
      ...options,
      onTouch: async (touch, when, running) => {
        if (touch.name === 'issue' && when === 'before') this.#checkIssue(touch.about, running)
        await options.onTouch?.(touch, when, running)
      },
    })
    this.processes.push(process)
    return process
  }

  /** What a process has read must let it ask: it knew of the claim of the key, then read the payments, and saw no refund. */
  #checkIssue(key: string, { knewClaim, lastRead }: ApplyingProcess): void {
    const request = this.authority.questions.findLast((question) => question.key === key)?.request
    const payments = lastRead.get(`payment-${request?.bookingId}`)
    const claimed = knewClaim.get(key)
    if (claimed === undefined || payments === undefined) this.breaches.push(`${key} was asked for without a claim`)
    else if (payments.touch <= claimed) this.breaches.push(`${key} was asked for without reading the payments again`)
    else if (isRefundPending(payments.events)) this.breaches.push(`${key} was asked for with a refund in sight`)
  }

  async domainEvents(): Promise<RecordedEvent[]> {
    return eventsOfLog(this.store, { filter: { streamPrefixes: ['payment-', 'ticket-'] } })
  }

  /** Tickets of the log as `booking/passenger number origin`, in its order. */
  async tickets(): Promise<string[]> {
    const issued = (await this.domainEvents()).filter(({ type }) => type === 'TicketIssued')
    return issued.map((event) => {
      const { passengerId, ticketNumber, origin } = JSON.parse(textOf(event))
      return `${event.stream.slice('ticket-'.length)}/${passengerId} ${ticketNumber} ${origin}`
    })
  }

  /** The types of a booking's ticket stream. */
  async ticketStream(booking: string): Promise<string[]> {
    const { events } = await readSubject(this.store, airline, booking)
    return events.filter(({ stream }) => stream === `ticket-${booking}`).map(({ type }) => type)
  }

  async cases(): Promise<string[]> {
    return (await listCases(this.store)).map(({ rule, subject }) => `${rule} ${subject}`)
  }

  /** What happened, for the message of a test that fails: the log line by line, and what each process came to. */
  async describe(): Promise<string> {
    const log = (await eventsOfLog(this.store)).map(({ stream, revision, type, data, metadata }) => {
      const { step, attemptId = '' } = metadata.length > 0 ? JSON.parse(textOf({ data: metadata })) : {}
      return `${stream}@${revision} ${type} ${step ?? ''} ${attemptId} ${textOf({ data }).slice(0, 200)}`
    })
    const outcomes = this.processes.map(({ outcomes: told }, index) =>
      told.map(
        ({ kind, item, why }) => `process ${index}: ${item.subject} ${item.intent.occurrence} ${kind} ${why ?? ''}`,
      ),
    )
    const questions = this.authority.questions.map(({ method, key }) => `${method} ${key}`)
    return ['', ...log, ...outcomes.flat(), ...questions].join('\n')
  }

  /** What must never be, whatever happened and however far the work has come. */
  async safetyBreaches(): Promise<string[]> {
    const tickets = await this.tickets()
    return [
      ...this.breaches,
      ...doubledPlaces(tickets, this.live),
      ...twice(tickets.map((ticket) => ticket.split(' ')[1] as string)).map((number) => `${number} is recorded twice`),
      ...this.#keysOfOnePassenger(),
    ]
  }

  /** What must hold besides once everything has been run to its end. */
  async convergenceBreaches(): Promise<string[]> {
    const tickets = await this.tickets()
    const recorded = new Set(tickets.map((ticket) => ticket.split(' ')[1]))
    const lost = [...this.authority.ledger.values()].filter((number) => !recorded.has(number))
    const collided = [...this.live].filter(
      (place) => tickets.filter((ticket) => ticket.startsWith(`${place} `)).length > 1,
    )
    const cases = await this.cases()
    const untold = collided.filter((place) => !cases.includes(`repair-collision ${place.split('/')[0]}`))
    return [
      ...lost.map((number) => `${number} was issued and is not in the log`),
      ...untold.map((place) => `the collision of ${place} opened no case`),
    ]
  }

  /** Whether any run of a campaign was stopped because of a collision. */
  async wasStopped(): Promise<boolean> {
    return (await listCampaigns(this.store)).some(({ stopped }) => stopped?.startsWith('repair-collision'))
  }

  #keysOfOnePassenger(): string[] {
    const keys = new Map<string, Set<string>>()
    for (const { key, request } of this.authority.questions) {
      const place = `${request.bookingId}/${request.passengerId}`
      keys.set(place, (keys.get(place) ?? new Set()).add(key))
    }
    return [...keys].filter(([, asked]) => asked.size > 1).map(([place]) => `${place} was asked for under two keys`)
  }
}

/** Places with more than one ticket: one of ours where no live one raced, or two of ours. */
function doubledPlaces(tickets: readonly string[], live: ReadonlySet<string>): string[] {
  const ours = tickets.filter((ticket) => ticket.endsWith('REPAIR')).map((ticket) => ticket.split(' ')[0] as string)
  const all = tickets.map((ticket) => ticket.split(' ')[0] as string)
  return [...twice(ours), ...twice(all).filter((place) => !live.has(place))].map((place) => `${place} has two tickets`)
}

function twice(values: readonly string[]): string[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))]
}

function isRefundPending(payments: readonly RecordedEvent[]): boolean {
  const last = payments.findLast(({ type }) => type.startsWith('Refund'))
  return last?.type === 'RefundRequested'
}
