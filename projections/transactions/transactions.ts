// The smallest projection, and the one to copy: a transaction that was paid and has no ticket is a finding, and one
// `Ticket Issued` event makes it good. Its streams are what `makegood import` makes of payments.json and tickets.json.
import { z } from 'zod'
import { type DecodedEvent, defineProjection, type EventRef } from '../../src/engine/projection.js'

/** The event that makes a transaction good; on log files it is written as a line of its data. */
export const TICKET_ISSUED = 'Ticket Issued'

interface Transaction {
  readonly id: string
  firstPayment?: EventRef
  ticketed: boolean
}

export const transactions = defineProjection<Transaction, DecodedEvent>({
  name: 'transactions',
  version: '1',
  categories: ['paymentlog', 'ticketlog'],
  // The logs' event types and other fields are their owner's: every object passes, whatever its type.
  events: { '*': z.record(z.string(), z.unknown()) },

  settledBy: 'ticketlog',

  initial: (id) => ({ id, ticketed: false }),

  evolve(state, { id, stream, revision, category }) {
    if (category === 'ticketlog') state.ticketed = true
    else state.firstPayment ??= { id, stream, revision }
  },

  rules: [
    {
      id: 'paid-not-ticketed',
      title: 'A payment was recorded and no ticket.',
      severity: 1,
      disposition: 'repair',
      when: {
        'a payment is recorded': (state) => state.firstPayment !== undefined,
        'no ticket is recorded': (state) => !state.ticketed,
      },
      evidence: (state) => ({ opened: state.firstPayment as EventRef }),
    },
  ],

  compensate: ({ id }, findings) => [
    {
      occurrence: 'ticket',
      answers: findings.map((finding) => finding.id),
      category: 'ticketlog',
      events: [{ type: TICKET_ISSUED, data: { transaction_id: id, event_type: TICKET_ISSUED } }],
    },
  ],
})
