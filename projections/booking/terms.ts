// The terms in which the rules speak, worked out from the facts: what was ordered, what money is there, which tickets are
// expected, active and missing.
import { type Attempts, attemptsOf } from './attempts.js'
import { type Document, documentsOf } from './documents.js'
import { PAYMENT_TYPES, type Passenger } from './events.js'
import { freeOf, type Money, moneyOf, netOf, type Sums, sumsIn } from './money.js'
import { type Order, orderOf } from './order.js'
import { type Booking, compareTimes, type Fact, latestOf } from './state.js'

export interface Terms {
  readonly order: Order | undefined
  readonly money: Money
  /** Currencies of all amounts in the payment stream, each with the first event that has it, by time. */
  readonly currencies: readonly Fact[]
  readonly documents: readonly Document[]
  /** Passengers of the latest order version: each is to have a ticket. */
  readonly expected: readonly Passenger[]
  /** Expected, with no ticket active and none ever issued. */
  readonly missing: readonly Passenger[]
  readonly attempts: Attempts
  /** The event of the payment stream that happened last. */
  readonly latestPayment: Fact | undefined
}

let last: { readonly booking: Booking; readonly terms: Terms } | undefined

/**
 * The terms of a booking. The engine asks all rules about one booking before it goes on to the next, so the last answer is kept
 * until the booking changes.
 */
export function termsOf(booking: Booking): Terms {
  if (last?.booking !== booking) last = { booking, terms: workOut(booking) }
  return last.terms
}

/** The fold tells of each change of a booking's facts. */
export function forgetTerms(booking: Booking): void {
  if (last?.booking === booking) last = undefined
}

function workOut(booking: Booking): Terms {
  const order = orderOf(booking)
  const documents = documentsOf(booking)
  const expected = order?.passengers ?? []
  const ticketed = new Set(documents.filter(({ isTicket }) => isTicket).map(({ passengerId }) => passengerId))
  const payments = paymentsOf(booking)
  return {
    order,
    money: moneyOf(booking),
    currencies: currenciesIn(payments),
    documents,
    expected,
    missing: expected.filter(({ passengerId }) => !ticketed.has(passengerId)),
    attempts: attemptsOf(booking),
    latestPayment: latestOf(payments),
  }
}

function paymentsOf({ facts }: Booking): Fact[] {
  const payments: Fact[] = []
  for (const type of PAYMENT_TYPES) for (const fact of facts[type] ?? []) payments.push(fact)
  return payments
}

function currenciesIn(payments: readonly Fact[]): Fact[] {
  const firsts: Fact[] = []
  for (const fact of payments) {
    const currency = currencyIn(fact)
    if (currency === undefined) continue
    const known = firsts.findIndex((first) => currencyIn(first) === currency)
    if (known < 0) firsts.push(fact)
    else if (compareTimes(fact, firsts[known] as Fact) < 0) firsts[known] = fact
  }
  return firsts.length < 2 ? firsts : firsts.sort(compareTimes)
}

function currencyIn({ data }: Fact): string | undefined {
  const { amount, due } = data as { amount?: { currency: string }; due?: { currency: string } }
  return (amount ?? due)?.currency
}

/** The sums in the currency of due; undefined where the order is unknown. */
export function sumsOfDue({ order, money }: Terms): Readonly<Sums> | undefined {
  return order && sumsIn(money, order.due.currency)
}

/** Where `free` stands to `due`, in the currency of due; undefined where the order is unknown or nothing was captured. */
export function compareFreeToDue(terms: Terms): 'under' | 'equal' | 'over' | undefined {
  const sums = sumsOfDue(terms)
  if (!terms.order || !sums || terms.money.captures.length === 0) return undefined
  const missing = BigInt(terms.order.due.amountMinor) - freeOf(sums)
  if (missing === 0n) return 'equal'
  return missing > 0n ? 'under' : 'over'
}

/** Whether `net` is less than `due`, in the currency of due. */
export function isNetBelowDue(terms: Terms): boolean {
  const sums = sumsOfDue(terms)
  return terms.order !== undefined && sums !== undefined && netOf(sums) < BigInt(terms.order.due.amountMinor)
}

/** Active tickets, of one passenger where one is named. */
export function activeTickets({ documents }: Terms, passengerId?: string): Document[] {
  return documents.filter(
    (document) =>
      document.isTicket && document.isActive && (passengerId === undefined || document.passengerId === passengerId),
  )
}
