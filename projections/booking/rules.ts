// The table of inconsistencies, in the order in which a domain expert knows them. A row is true where ALL of its conditions hold;
// `each` names what it is asked about one by one. What the words mean, and how they are read: docs/booking.md.
import { type Rule, rule, type SharedKeyRule } from '../../src/engine/projection.js'
import type { LastFailure, PassengerAttempt } from './attempts.js'
import * as is from './conditions.js'
import { ticketNumberReused } from './document-numbers.js'
import { type Document, isSoundConjunction, isWellFormed } from './documents.js'
import type { Passenger } from './events.js'
import { completedBy, documentProof, moneyProof, proof, shownBy } from './evidence.js'
import { agreesWithRecord, isHeld } from './guards.js'
import { head } from './handling.js'
import { type Suspect, suspectsOf } from './impossible.js'
import { type AuthorityTicket, PAYMENT_RECORD, TICKET_AUTHORITY, ticketsTold } from './lookups.js'
import type { Dispute, Refund } from './money.js'
import { type Booking, compareTimes, type Fact, type FactData, factOf, factsOf, latestOf } from './state.js'
import { activeTickets, isNetBelowDue, termsOf } from './terms.js'

type Allocated = Fact<FactData<'SeatAllocated'>>

export const rules: readonly Rule<Booking>[] = [
  rule({
    ...head('paid-not-ticketed', 1, 'repair', 'Paid, and no ticket was ever issued.'),
    when: { 'free = due': is.isPaid, 'nothing ever issued': is.isAllMissing, 'past grace': is.pastGrace },
    evidence: (b) => moneyProof(b, { detail: { missing: termsOf(b).missing.map((p) => p.passengerId) } }),
  }),
  rule<Booking, Passenger>({
    ...head('partly-ticketed', 1, 'repair', 'Some of the expected tickets were issued, and this one was not.'),
    each: is.expectedOf,
    when: { 'the ticket is missing': is.isMissing, 'another was issued': is.isAnyIssued, 'past grace': is.pastGrace },
    evidence: (b, p) => moneyProof(b, { occurrence: p.passengerId }),
  }),
  rule<Booking, Passenger>({
    ...head('infant-not-ticketed', 1, 'repair', 'An infant has no ticket, and its adult has.'),
    each: is.expectedOf,
    when: {
      'an infant': (_b, _c, { type }) => type === 'INF',
      'its ticket is missing': is.isMissing,
      'its adult is ticketed': is.isAdultTicketed,
      'past grace': is.pastGrace,
    },
    evidence: (b, p) => moneyProof(b, { occurrence: p.passengerId }),
  }),
  rule<Booking, AuthorityTicket>({
    ...head('ticket-event-lost', 2, 'repair', 'The ticket authority has a ticket that the stream does not tell of.'),
    uses: [TICKET_AUTHORITY],
    each: (b, context) => (shownBy(b) ? (ticketsTold(context) ?? []) : []),
    when: {
      'the authority has it, active': (_b, _c, { status }) => status.toLowerCase() === 'active',
      'no TicketIssued has its number': (b, _c, { ticketNumber }) => !factOf(b, 'TicketIssued', ticketNumber),
    },
    evidence: (b, ticket) => proof(shownBy(b) as Fact, { occurrence: ticket.ticketNumber, detail: { ...ticket } }),
  }),
  rule<Booking, PassengerAttempt>({
    ...head(
      'attempt-unknown',
      1,
      'person',
      'An attempt to issue has no outcome, and nobody can tell what became of it.',
    ),
    each: (b) => termsOf(b).attempts.all,
    when: {
      'without outcome': (_b, _c, { isOpen }) => isOpen,
      'past its time-out': is.isTimedOut,
      'the authority cannot tell': is.cannotTell,
      'no repair of ours can ask again': is.cannotAskAgain,
    },
    evidence: (_b, { requested, passengerId }) => proof(requested, { occurrence: passengerId }),
  }),
  rule<Booking, LastFailure>({
    ...head('issue-failed', 1, 'person', 'Issuing failed, and trying again will not help.'),
    each: (b) => termsOf(b).attempts.lastFailures,
    when: {
      'the last failure is not retryable': (_b, _c, { failed }) => !failed.data.retryable,
      'no ticket since': (_b, _c, { isIssuedSince }) => !isIssuedSince,
    },
    evidence: (_b, { failed, passengerId }) =>
      proof(failed, { occurrence: passengerId, detail: { code: failed.data.code } }),
  }),
  rule({
    ...head('time-limit-passed', 1, 'never, person', 'Paid and not fully ticketed, and it is too late to issue.'),
    when: {
      'tickets are missing': is.isSomeMissing,
      'free = due': is.isPaid,
      'past grace': is.pastGrace,
      'ticketing limit or fare guarantee over, or departure within the margin': is.timeOver,
    },
    evidence: (b) => moneyProof(b),
  }),
  rule({
    ...head('authorised-only', 3, 'observe', 'Authorised and not captured.'),
    when: {
      'authorised, neither expired nor voided': (b) => is.liveAuthorisations(b).length > 0,
      'nothing captured': (b) => !is.hasCapture(b),
      'no active ticket': (b) => !is.hasActiveTicket(b),
    },
    evidence: (b) => proof(latestOf(is.liveAuthorisations(b)) as Fact),
  }),
  rule({
    ...head('underpaid', 2, 'never', 'Less is there than is due.'),
    when: { '0 < free': is.isAnyFree, 'free < due': is.isUnderpaid },
    evidence: (b) => moneyProof(b),
  }),
  rule({
    ...head('overpaid', 2, 'person', 'More is there than is due.'),
    when: { 'free > due': is.isOverpaid },
    evidence: (b) => moneyProof(b),
  }),
  rule({
    ...head('duplicate-payment', 2, 'person', 'The whole price was captured twice.'),
    when: { 'two captures, each = due, distinct provider references': (b) => is.duplicatePayments(b).length > 0 },
    evidence: (b) => {
      const captures = is.duplicatePayments(b)
      return proof(completedBy(captures), { also: captures })
    },
  }),
  rule<Booking, string>({
    ...head('duplicate-event', 4, 'observe', 'An event came again; it counts once.'),
    each: is.cameAgain,
    when: { 'the same business id and content again': (b, _c, key) => Object.hasOwn(b.repeats, key) },
    evidence: (b, key) => proof(b.repeats[key]?.again as Fact, { occurrence: key }),
  }),
  rule<Booking, string>({
    ...head('conflicting-duplicate', 1, 'never, person', 'One business id stands for two contents.'),
    each: is.cameAgain,
    when: { 'the same business id, other content': (b, _c, key) => Object.hasOwn(b.conflicts, key) },
    evidence: (b, key) => {
      const conflicts = b.conflicts[key] ?? []
      return proof(conflicts[0] as Fact, { also: conflicts, occurrence: key })
    },
  }),
  rule({
    ...head('mixed-currency', 2, 'never, person', 'Amounts are in more than one currency.'),
    when: { 'captures or due in two currencies': (b) => termsOf(b).currencies.length > 1 },
    evidence: (b) => {
      const { currencies } = termsOf(b)
      return proof(currencies[1] as Fact, { also: currencies })
    },
  }),
  rule({
    ...head('ticketed-not-funded', 1, 'person', 'Ticketed, and the money went back.'),
    when: {
      'active documents': is.hasActiveDocument,
      'net < due': (b) => isNetBelowDue(termsOf(b)),
      'a reversal or refund': is.isReversedOrRefunded,
    },
    evidence: (b) => moneyProof(b),
  }),
  rule({
    ...head('ticket-without-payment', 1, 'person', 'Ticketed without any payment.'),
    when: {
      'active documents': is.hasActiveDocument,
      'nothing was authorised': (b) => factsOf(b, 'PaymentAuthorised').length === 0,
      'nothing was captured': (b) => !is.hasCapture(b),
      'something is due, or the order unknown': is.isDueOrUnknown,
    },
    evidence: (b) => {
      const active = termsOf(b).documents.filter(({ isActive }) => isActive)
      return proof((active[0] as Document).issued, { also: active.map(({ issued }) => issued) })
    },
  }),
  rule<Booking, Refund>({
    ...head('refund-pending', 2, 'never', 'A refund is under way.'),
    each: (b) => factsOf(b, 'RefundRequested'),
    when: { 'requested, not terminal': (b, _c, refund) => termsOf(b).money.pending.includes(refund) },
    evidence: (_b, refund) => proof(refund, { occurrence: refund.data.refundId }),
  }),
  rule<Booking, Document>({
    ...head('refunded-still-open', 1, 'person', 'A document was refunded, and can still be flown.'),
    each: is.documentsIn,
    when: {
      refunded: (_b, _c, { refunded }) => refunded !== undefined,
      'a coupon still open': (_b, _c, { coupons }) => coupons.some(({ status }) => status === 'OPEN'),
    },
    evidence: (_b, { refunded, issued, number }) => proof(refunded as Fact, { also: [issued], occurrence: number }),
  }),
  rule<Booking, Dispute>({
    ...head('dispute', 1, 'never, person', 'The payer disputes the payment.'),
    each: (b) => [...factsOf(b, 'DisputeOpened'), ...factsOf(b, 'DisputeLost')],
    when: { 'open or lost': (b, _c, dispute) => termsOf(b).money.disputes.includes(dispute) },
    evidence: (_b, dispute) => proof(dispute, { occurrence: dispute.data.disputeId }),
  }),
  rule({
    ...head('review-hold', 2, 'never', 'The payment is held for review.'),
    when: { 'held, not cleared': isHeld },
    evidence: (b) => proof(factOf(b, 'PaymentReviewHeld', 'review') as Fact),
  }),
  rule({
    ...head('cancelled-still-paid', 2, 'never, person', 'Cancelled, and the money is still here.'),
    when: { cancelled: is.isCancelled, 'net > 0': is.isAnyNet },
    evidence: (b) => moneyProof(b),
  }),
  rule<Booking, Passenger>({
    ...head('voided-not-replaced', 2, 'person', 'The last ticket is void, and the money is still here.'),
    each: is.expectedOf,
    when: { 'the last ticket is void': is.isLastVoid, 'none is active': is.isNotTicketed, 'free = due': is.isPaid },
    evidence: (b, p) => proof(is.lastTicketOf(b, p)?.voided as Fact, { occurrence: p.passengerId }),
  }),
  rule<Booking, Fact<FactData<'TicketExchanged'>>>({
    ...head('exchange-broken', 1, 'person', 'A ticket was exchanged for one that is not there.'),
    each: (b) => factsOf(b, 'TicketExchanged'),
    when: { 'old exchanged, new absent': (b, _c, { data }) => !factOf(b, 'TicketIssued', data.newTicketNumber) },
    evidence: (_b, fact) => proof(fact, { occurrence: fact.data.oldTicketNumber, detail: fact.data }),
  }),
  rule<Booking, { passengerId: string }>({
    ...head('duplicate-ticket', 1, 'never, person', 'A passenger has two tickets for one segment.'),
    each: is.ticketedPassengers,
    when: {
      'two active tickets share a segment, and are no conjunction': (b, _c, { passengerId }) =>
        is.duplicateOf(b, passengerId) !== undefined,
    },
    evidence: (b, { passengerId }) => {
      const [earlier, later] = is.duplicateOf(b, passengerId) as [Document, Document]
      return proof(later.issued, { also: [earlier.issued], occurrence: passengerId })
    },
  }),
  rule<Booking, Document>({
    ...head('ticket-number-malformed', 2, 'person', 'A document number is not 13 digits.'),
    each: is.documentsIn,
    when: { active: is.isActive, 'not 13 digits': (_b, _c, { number }) => !isWellFormed(number) },
    evidence: documentProof,
  }),
  rule<Booking, Document>({
    ...head('conjunction-broken', 2, 'person', 'A conjunction that no ticketing system issues.'),
    each: is.documentsIn,
    when: { active: is.isActive, 'a gap, or more than 4 documents or coupons': (_b, _c, d) => !isSoundConjunction(d) },
    evidence: documentProof,
  }),
  rule<Booking, Document>({
    ...head('unknown-passenger', 1, 'never, person', 'A document for somebody who is not in the order.'),
    each: is.documentsIn,
    when: {
      active: is.isActive,
      'the order is known': is.isOrderKnown,
      'its passenger is not in the order': (b, _c, d) => !is.isExpected(b, d),
    },
    evidence: (b, { issued, number }) => proof(completedBy([issued, termsOf(b).order?.setBy]), { occurrence: number }),
  }),
  rule<Booking, Passenger>({
    ...head('itinerary-drift', 2, 'person', 'The tickets are for other segments than the order.'),
    each: is.expectedOf,
    when: {
      ticketed: is.isTicketed,
      'coupon segments differ': (b, _c, passenger) => !is.coversItinerary(b, passenger),
    },
    evidence: (b, { passengerId }) => {
      const issued = activeTickets(termsOf(b), passengerId).map((ticket) => ticket.issued)
      return proof(completedBy([...issued, termsOf(b).order?.setBy]), { also: issued, occurrence: passengerId })
    },
  }),
  rule<Booking, Allocated>({
    ...head('seat-without-ticket', 3, 'observe', 'A seat is held for somebody without a ticket.'),
    each: (b) => factsOf(b, 'SeatAllocated'),
    when: { 'seat held': is.isSeatHeld, 'none active': (b, c, { data }) => is.isNotTicketed(b, c, data) },
    evidence: (_b, seat) => proof(seat, { occurrence: `${seat.data.passengerId} ${seat.data.segmentId}` }),
  }),
  rule<Booking, Suspect>({
    ...head('impossible-order', 1, 'never, person', 'Events that cannot all be true.'),
    each: suspectsOf,
    when: {
      'refund above capture, unknown captureId, or an event of another stream': (_b, _c, { problem }) =>
        problem !== undefined,
    },
    evidence: (_b, { shownBy, occurrence, problem }) => proof(shownBy, { occurrence, detail: { problem } }),
  }),
  rule({
    ...head('order-unknown', 2, 'person', 'Money was captured for an order that nobody told of.'),
    when: { captured: is.hasCapture, 'no PaymentRequested': (b) => !is.isOrderKnown(b) },
    evidence: (b) => proof(termsOf(b).money.captures.toSorted(compareTimes)[0] as Fact),
  }),
  rule<Booking, Fact>({
    ...head('payment-record-disagrees', 1, 'never, person', 'The payment provider tells of other sums.'),
    uses: [PAYMENT_RECORD],
    each: (b) => [shownBy(b)].filter((fact) => fact !== undefined),
    when: { 'the external record differs': (b, context) => !agreesWithRecord(termsOf(b), context) },
    evidence: (_b, fact) => proof(fact),
  }),
  rule<Booking, { passengerId: string }>({
    ...head('repair-collision', 1, 'stop the campaign, person', 'A repair and the live ticketing both issued.'),
    each: is.ticketedPassengers,
    when: {
      'a REPAIR and a LIVE ticket, both active': (b, _c, { passengerId }) =>
        is.collidingTickets(b, passengerId).length > 0,
    },
    evidence: (b, { passengerId }) => {
      const tickets = is.collidingTickets(b, passengerId).map(({ issued }) => issued)
      return proof(tickets.at(-1) as Fact, { also: tickets, occurrence: passengerId })
    },
  }),
]

export const sharedKeys: readonly SharedKeyRule<Booking>[] = [
  ticketNumberReused(head('ticket-number-reused', 1, 'never, person', 'One document number for two passengers.')),
]
