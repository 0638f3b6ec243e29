// The evidence of a simulation put in order: events by id and by place, tickets by passenger, claims by key, refunds by booking.
import type { Plan } from '../../src/repair/plan.js'
import type { Evidence, LoggedEvent } from './evidence.js'

type Step = 'claim' | 'settle' | 'fail'

/** Numbers that the simulator gives begin with it; those of the workload do not. */
const SIMULATORS = '888'

export class Records {
  readonly #evidence: Evidence
  readonly #byId: ReadonlyMap<string, LoggedEvent>
  readonly #byPlace: ReadonlyMap<string, LoggedEvent>
  readonly #tickets = new Map<string, LoggedEvent[]>()
  readonly #marked = new Map<string, LoggedEvent[]>()
  readonly #refunds = new Map<string, LoggedEvent[]>()

  constructor(evidence: Evidence) {
    this.#evidence = evidence
    this.#byId = new Map(evidence.events.map((event) => [event.id, event]))
    this.#byPlace = new Map(evidence.events.map((event) => [`${event.revision}@${event.stream}`, event]))
    for (const event of evidence.events) {
      const { type, data, metadata } = event
      if (type === 'TicketIssued') put(this.#tickets, `${data.bookingId}/${data.passengerId}`, event)
      if (type.startsWith('Refund')) put(this.#refunds, String(data.bookingId), event)
      if (metadata.origin === 'repair') put(this.#marked, `${metadata.key} ${metadata.step}`, event)
    }
  }

  byId(id: string): LoggedEvent | undefined {
    return this.#byId.get(id)
  }

  at(stream: string, revision: number): LoggedEvent | undefined {
    return this.#byPlace.get(`${revision}@${stream}`)
  }

  /** TicketIssued of a passenger, as `booking/passenger`; a conjunction counts once. */
  ticketsOf(place: string): readonly LoggedEvent[] {
    const seen = new Set<string>()
    return (this.#tickets.get(place) ?? []).filter(({ data }) => {
      const set = [data.ticketNumber, ...((data.conjunctionNumbers ?? []) as string[])].map(String)
      const isNew = !set.some((number) => seen.has(number))
      for (const number of set) seen.add(number)
      return isNew
    })
  }

  /** Passengers to whom a repair gave a ticket; the workload's own history may tell of repairs too, and is not judged. */
  placesOfRepairs(): string[] {
    return [...this.#tickets].flatMap(([place, tickets]) =>
      tickets.some(({ metadata }) => metadata.origin === 'repair') ? [place] : [],
    )
  }

  /** All numbers of the simulator in the log, in its order. */
  numbersOfSimulator(): string[] {
    const numbers = [...this.#tickets.values()].flat().map(({ data }) => String(data.ticketNumber))
    return numbers.filter((number) => number.startsWith(SIMULATORS))
  }

  /** Where a number is recorded, in the order of the log. */
  recordsOf(ticketNumber: string): LoggedEvent[] {
    return [...this.#tickets.values()].flat().filter(({ data }) => data.ticketNumber === ticketNumber)
  }

  /** Events that a repair appended for a key, by step. */
  marked(key: string, step: Step): readonly LoggedEvent[] {
    return this.#marked.get(`${key} ${step}`) ?? []
  }

  /** Whether an end of this try of a repair is recorded. */
  isClosed(attemptId: string): boolean {
    return [...this.#marked.values()]
      .flat()
      .some(({ metadata }) => metadata.attemptId === attemptId && metadata.step !== 'claim')
  }

  /** The keys of repairs under which each passenger was asked for. */
  keysByPlace(): Map<string, Set<string>> {
    const keys = new Map<string, Set<string>>()
    for (const { kind, call, key, bookingId, passengerId } of this.#evidence.ledger) {
      if (kind !== 'asked' || call !== 'issue' || key.startsWith('live-')) continue
      const place = `${bookingId}/${passengerId}`
      keys.set(place, (keys.get(place) ?? new Set()).add(key))
    }
    return keys
  }

  /** Whether somebody issued for this passenger without looking at the claims. */
  isRudelyIssued(place: string): boolean {
    return this.#evidence.journal.some(
      ({ act, bookingId, passengerId }) => act === 'live-rude' && `${bookingId}/${passengerId}` === place,
    )
  }

  /** Refused for good by the authority, and that is recorded. */
  isRefused(key: string): boolean {
    const isSaid = this.#evidence.ledger.some((line) => line.kind === 'refused' && line.key === key && !line.retryable)
    return isSaid && this.marked(key, 'fail').length > 0
  }

  isRefundPending(bookingId: string): boolean {
    return isPending(this.#refunds.get(bookingId) ?? [])
  }

  /**
   * Whether a refund was under way when an event of the ticket stream was appended, and still at a later time (RFC 3339, by the clock of this machine;
   * undefined: for ever). One that slipped in between the reading and the claim, and was taken back before anybody was asked, did no harm.
   */
  isRefundPendingAt({ data, position }: LoggedEvent, until: string | undefined): boolean {
    const refunds = this.#refunds.get(String(data.bookingId)) ?? []
    const later = until === undefined ? undefined : Date.parse(until)
    const isBefore = ({ created }: LoggedEvent) => later === undefined || created === undefined || created <= later
    return (
      isPending(refunds.filter((refund) => refund.position.commit < position.commit)) &&
      isPending(refunds.filter(isBefore))
    )
  }

  hasCase(rule: string, subject: string): boolean {
    return this.#evidence.events.some(
      ({ type, data }) => type === 'CaseOpened' && data.rule === rule && data.subject === subject,
    )
  }

  /** What the stream of a plan's campaign does not tell. */
  problemsOfCampaign({ digest, items }: Plan): string[] {
    if (items.length === 0) return []
    const begun = this.#evidence.events.filter(
      ({ type, data }) => type === 'CampaignStarted' && data.planDigest === digest,
    )
    const [first] = begun
    if (!first || begun.length > 1) return [`${digest} was begun ${begun.length} times`]
    const told = this.#evidence.events.filter(({ stream }) => stream === first.stream)
    const settled = new Set(told.filter(({ type }) => type === 'ItemSettled').map(({ data }) => data.key))
    const mayStayOpen = ({ subject, intent }: Plan['items'][number]) =>
      this.isRefundPending(subject) || this.isRudelyIssued(`${subject}/${intent.command?.passengerId}`)
    const open = items.filter((item) => !settled.has(item.key) && !mayStayOpen(item))
    const isFinished = told.some(({ type }) => type === 'CampaignFinished')
    return [
      ...(told.some(({ type }) => type === 'CasesOpened') ? [] : [`${first.stream}: no cases were opened`]),
      ...open.map(({ subject, key }) => `${first.stream}: ${subject} is not settled under ${key}`),
      ...(isFinished || items.some(({ key }) => !settled.has(key)) ? [] : [`${first.stream} is not finished`]),
    ]
  }
}

function put<T>(map: Map<string, T[]>, key: string, value: T): void {
  const values = map.get(key)
  if (values) values.push(value)
  else map.set(key, [value])
}

/** A refund that was requested and has neither gone through nor failed; in the order of the stream. */
function isPending(refunds: readonly LoggedEvent[]): boolean {
  const ended = new Set(refunds.filter(({ type }) => type !== 'RefundRequested').map(({ data }) => data.refundId))
  return refunds.some(({ type, data }) => type === 'RefundRequested' && !ended.has(data.refundId))
}
