// A ticket authority in the test's own process: it keeps a ledger, is idempotent by key, and can be told to behave badly call by call.
import type { Authority, AuthorityCall, IssueResult, LookUpResult } from '../../src/repair/authority.js'

/**
 * How one call goes. `refuses` for good, `refuses-for-now` retryable. `loses-question`: nothing was done and nobody knows;
 * `loses-answer`: done, and nobody knows; `garbles`: done, and the answer has no ticket number.
 */
export type Mood = 'answers' | 'refuses' | 'refuses-for-now' | 'loses-question' | 'loses-answer' | 'garbles'

export interface Question {
  readonly method: 'lookUp' | 'issue'
  readonly key: string
  readonly request: AuthorityCall['request']
}

export class LedgerAuthority implements Authority {
  readonly name = 'ledger'
  /** What was issued, for ever: the ticket's number by key. */
  readonly ledger = new Map<string, string>()
  readonly questions: Question[] = []
  /** Tickets that live issuing had from here, by booking and passenger. */
  readonly live = new Map<string, string>()
  readonly #refused = new Set<string>()
  readonly #moods: { lookUp: Mood[]; issue: Mood[] }

  constructor({ lookUp = [], issue = [] }: { lookUp?: readonly Mood[]; issue?: readonly Mood[] } = {}) {
    this.#moods = { lookUp: [...lookUp], issue: [...issue] }
  }

  /** From here on every call is answered. */
  behave(): void {
    this.#moods.lookUp.length = 0
    this.#moods.issue.length = 0
  }

  async lookUp({ key, request }: AuthorityCall): Promise<LookUpResult> {
    this.questions.push({ method: 'lookUp', key, request })
    const mood = this.#moods.lookUp.shift() ?? 'answers'
    if (mood === 'garbles') return { kind: 'found', answer: { greeting: 'hello' } }
    if (mood !== 'answers') return { kind: 'unknown', message: 'silence' }
    const ticketNumber = this.ledger.get(key) ?? this.live.get(placeOf(request))
    return ticketNumber === undefined ? { kind: 'none' } : { kind: 'found', answer: { ticketNumber } }
  }

  async issue({ key, request }: AuthorityCall): Promise<IssueResult> {
    this.questions.push({ method: 'issue', key, request })
    const mood = this.#moods.issue.shift() ?? 'answers'
    const refusal = this.#refusal(key, mood)
    if (refusal) return refusal
    if (mood === 'loses-question') return { kind: 'unknown', message: 'connection refused' }
    const ticketNumber = this.ledger.get(key) ?? numberOf(this.ledger.size + 1)
    this.ledger.set(key, ticketNumber)
    if (mood === 'loses-answer') return { kind: 'unknown', message: 'connection reset' }
    return { kind: 'done', answer: mood === 'garbles' ? { ticket: null } : { ticketNumber } }
  }

  /** A refusal for good is an answer like any other: the same key gets it for ever. */
  #refusal(key: string, mood: Mood): IssueResult | undefined {
    const isRefusing = mood === 'refuses' || mood === 'refuses-for-now' || this.#refused.has(key)
    if (!isRefusing || this.ledger.has(key)) return undefined
    if (mood === 'refuses') this.#refused.add(key)
    return { kind: 'refused', code: 'no-seat', message: 'not today', retryable: !this.#refused.has(key) }
  }

  keysAsked(method: Question['method']): string[] {
    return this.questions.filter((question) => question.method === method).map(({ key }) => key)
  }
}

/** How the ledger of live issuing names a passenger of a booking. */
export function placeOf(request: AuthorityCall['request']): string {
  return `${request.bookingId}/${request.passengerId}`
}

function numberOf(serial: number): string {
  return `220${String(serial).padStart(10, '0')}`
}
