// The smallest domain for tests: an order that is paid wants a parcel. Nobody outside has to be asked, any event type is taken.
import { z } from 'zod'
import { type DecodedEvent, defineProjection, type EventRef, rule } from '../../src/engine/projection.js'

interface Order {
  readonly id: string
  paid?: EventRef
  sent?: EventRef
  readonly disputes: EventRef[]
  /** Every event as it came: what a fold has seen, and in which order. */
  readonly seen: string[]
}

const anyObject = z.record(z.string(), z.unknown())

/** Category `order`: Paid, Disputed; category `parcel`: Sent; everything else is seen and means nothing. */
export const parcels = defineProjection<Order, DecodedEvent>({
  name: 'parcels',
  version: '1',
  categories: ['order', 'parcel'],
  events: { Paid: z.object({ amountMinor: z.int().optional() }), '*': anyObject },
  initial: (id) => ({ id, disputes: [], seen: [] }),
  evolve: (order, event) => {
    const ref = { id: event.id, stream: event.stream, revision: event.revision }
    order.seen.push(`${event.stream}@${event.revision} ${event.type}`)
    if (event.type === 'Paid') order.paid ??= ref
    if (event.type === 'Sent') order.sent ??= ref
    if (event.type === 'Disputed') order.disputes.push(ref)
    return undefined
  },
  rules: [
    rule<Order, unknown>({
      id: 'paid-not-sent',
      title: 'Paid and no parcel.',
      severity: 1,
      disposition: 'repair',
      when: { paid: ({ paid }) => paid !== undefined, 'not sent': ({ sent }) => sent === undefined },
      evidence: ({ paid }) => ({ opened: paid as EventRef }),
    }),
    rule<Order, EventRef>({
      id: 'disputed',
      title: 'Somebody disputes it.',
      severity: 2,
      disposition: 'person',
      each: ({ disputes }) => disputes,
      when: { open: () => true },
      evidence: (_, dispute) => ({ opened: dispute, occurrence: dispute.id }),
    }),
  ],
  compensate: (order, findings) => [
    {
      occurrence: 'parcel',
      answers: findings.map(({ id }) => id),
      category: 'parcel',
      events: [
        { type: 'Packed', data: { order: order.id } },
        { type: 'Sent', data: { order: order.id } },
      ],
    },
  ],
})
