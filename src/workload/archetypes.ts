// All archetypes together.
import type { Archetype } from './archetype.js'
import { FINE } from './archetypes/fine.js'
import { INTEGRITY_ARCHETYPES } from './archetypes/integrity.js'
import { OWED_ARCHETYPES } from './archetypes/owed.js'
import { PAYMENT_ARCHETYPES } from './archetypes/payments.js'
import { REFUND_ARCHETYPES } from './archetypes/refunds.js'
import { TICKET_ARCHETYPES } from './archetypes/tickets.js'

export const ARCHETYPES: readonly Archetype[] = [
  ...FINE,
  ...OWED_ARCHETYPES,
  ...PAYMENT_ARCHETYPES,
  ...REFUND_ARCHETYPES,
  ...TICKET_ARCHETYPES,
  ...INTEGRITY_ARCHETYPES,
]
