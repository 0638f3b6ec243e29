// The domain of the live bench: an order that is paid must be sent within two seconds. Small, so that what is measured is the watch.
import { z } from 'zod'
import { defineProjection } from '../dist/src/engine/projection.js'

export const GRACE_MS = 2_000
/** One order in so many is paid and never sent. */
export const FORGOTTEN_EVERY = 50

const placed = z.object({ at: z.number(), note: z.string() })

export default defineProjection({
  name: 'live-orders',
  version: '1',
  categories: ['order', 'parcel'],
  events: { Paid: placed, Sent: placed },
  initial: () => ({ paidAt: undefined, paid: undefined, isSent: false }),
  evolve(state, { type, id, stream, revision, data }) {
    if (type === 'Sent') state.isSent = true
    else [state.paidAt, state.paid] = [data.at, { id, stream, revision }]
  },
  rules: [
    {
      id: 'paid-not-sent',
      title: 'Paid, and not sent in time.',
      severity: 1,
      disposition: 'person',
      when: {
        paid: ({ paidAt }) => paidAt !== undefined,
        'not sent': ({ isSent }) => !isSent,
        'the grace is over': ({ paidAt }, { now }) => now >= paidAt + GRACE_MS,
      },
      evidence: ({ paid, paidAt }) => ({ opened: paid, since: new Date(paidAt).toISOString() }),
    },
  ],
  live: {
    *deadlines({ paidAt, isSent }) {
      if (paidAt !== undefined && !isSent) yield paidAt + GRACE_MS
    },
  },
})
