// The simulated ticket authority itself: answers questions from its ledger and issues tickets, each key at most once. It does not look
// whether a passenger has a ticket under another key already: who asks under two keys gets two tickets, as from a real one.
import { setTimeout as sleep } from 'node:timers/promises'
import type { IssueResult, LookUpResult } from '../repair/authority.js'
import { type Behaviour, type Question, refusalOf } from './behaviour.js'
import type { Ledger, Ticket } from './ledger.js'

export class TicketAuthority {
  /** Questions under way by key: a second one under the same key waits for the first. */
  readonly #underWay = new Map<string, Promise<unknown>>()

  constructor(
    private readonly ledger: Ledger,
    private readonly behaviour: Behaviour,
    private readonly clock: () => number,
  ) {}

  /** Answers a question. Rejects where the ledger cannot be written: then nothing may be told. */
  async ask(question: Question): Promise<IssueResult | LookUpResult> {
    const before = this.#underWay.get(question.key)
    const answer = this.#answerAfter(before, question)
    const settled = answer.catch(() => undefined)
    this.#underWay.set(question.key, settled)
    try {
      return await answer
    } finally {
      if (this.#underWay.get(question.key) === settled) this.#underWay.delete(question.key)
    }
  }

  async #answerAfter(before: Promise<unknown> | undefined, question: Question): Promise<IssueResult | LookUpResult> {
    await before
    const { call, key, bookingId, passengerId } = question
    const asked = this.ledger.record({ kind: 'asked', call, key, bookingId, passengerId, at: this.#now() })
    // Awaited below; until then its failure must not count as nobody's.
    asked.catch(() => undefined)
    if (this.behaviour.latencyMs > 0) await sleep(this.behaviour.latencyMs)
    const answer = call === 'lookup' ? this.#lookUp(question) : await this.#issue(question)
    await asked
    return answer
  }

  #lookUp({ key, bookingId, passengerId, documentType }: Question): LookUpResult {
    if (passengerId === undefined) {
      const tickets = this.ledger.ticketsOf(bookingId).map((ticket) => ({ ...ticket, status: 'active' }))
      return { kind: 'found', answer: { tickets } }
    }
    const isAsked = (ticket: Ticket) =>
      ticket.passengerId === passengerId && (documentType ?? ticket.documentType) === ticket.documentType
    const ticket = this.ledger.issuedUnder(key) ?? this.ledger.ticketsOf(bookingId).findLast(isAsked)
    return ticket ? { kind: 'found', answer: ticket } : { kind: 'none' }
  }

  async #issue(question: Question): Promise<IssueResult> {
    const { key, bookingId, passengerId = '', documentType = 'TKT' } = question
    const earlier = this.ledger.issuedUnder(key)
    if (earlier) return isFor(earlier, question) ? { kind: 'done', answer: earlier } : KEY_REUSED
    const refusal = couponsOf(question) > COUPONS_MAX ? TOO_LONG : refusalOf(this.behaviour, question)
    if (refusal) {
      await this.ledger.record({ kind: 'refused', key, ...refusal, at: this.#now() })
      return { kind: 'refused', ...refusal, message: 'The simulator was told to refuse this.' }
    }
    const numbers = this.ledger.nextNumbers(Math.ceil(couponsOf(question) / COUPONS_PER_DOCUMENT))
    const ticket = {
      ticketNumber: numbers[0],
      ...(numbers.length > 1 && { conjunctionNumbers: numbers }),
      ...{ documentType, bookingId, passengerId, issuedAt: this.#now() },
    }
    await this.ledger.record({ kind: 'issued', key, ticket })
    return { kind: 'done', answer: ticket }
  }

  #now(): string {
    return new Date(this.clock()).toISOString()
  }
}

/** A document has at most four coupons and a conjunction at most four documents (IATA). */
const COUPONS_PER_DOCUMENT = 4
const COUPONS_MAX = 16

const TOO_LONG = { code: 'TOO_MANY_COUPONS', retryable: false } as const

/** A coupon a segment; one where no segments are told. */
function couponsOf({ segments }: Question): number {
  return Math.max(segments, 1)
}

const KEY_REUSED: IssueResult = {
  kind: 'refused',
  code: 'KEY_REUSED',
  message: 'A ticket of another passenger was issued under this key.',
  retryable: false,
}

function isFor(ticket: Ticket, { bookingId, passengerId }: Question): boolean {
  return ticket.bookingId === bookingId && ticket.passengerId === passengerId
}
