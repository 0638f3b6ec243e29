// The projection of an airline booking: what was paid (payment stream) against what was ticketed (ticket stream). What the words
// mean to a domain expert is in docs/booking.md; the table of everything that can be wrong is rules.ts.
import { defineProjection } from '../../src/engine/projection.js'
import { compensate } from './compensate.js'
import { occurredAt, schemas } from './events.js'
import { evolve } from './evolve.js'
import { unmetGuards } from './guards.js'
import { live } from './live.js'
import { lookups } from './lookups.js'
import { policy } from './policy.js'
import { rules, sharedKeys } from './rules.js'
import { settlement } from './settlement.js'
import { type Booking, initial } from './state.js'

export const booking = defineProjection<Booking>({
  name: 'booking',
  /** Raised with every change of schemas, fold, rules or policy. */
  version: '1',
  categories: ['payment', 'ticket'],
  events: schemas,
  initial,
  evolve,
  occurredAt,
  rules,
  sharedKeys,
  policy,
  compensate,
  unmetGuards,
  settlement,
  lookups,
  live,
})

export default booking
