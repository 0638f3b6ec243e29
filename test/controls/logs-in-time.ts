// Logs at random over which time passes: a few bookings whose events come late, out of order and twice, each taken in at its own minute.
import fc from 'fast-check'
import { jsonEvent } from '../../src/log/event.js'
import type { EventStore } from '../../src/log/event-store.js'
import { openMemoryStore } from '../../src/stores/memory/memory-store.js'
import { paymentEvent, ticketEvent } from '../projections/booking/arbitrary-history.js'
import { adult, captured, infant, issued, msAt, requested, type Told } from '../projections/booking/history.js'

/** An event of a booking, and the minute at which the store takes it in. */
export interface Taken {
  readonly told: Told
  readonly minute: number
}

const BOOKINGS = ['b1', 'b2', 'b3']

const anyTold = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(requested(), requested({ passengers: [adult('p1'), infant('p2', 'p1')] })) },
  { weight: 2, arbitrary: fc.constantFrom(captured(), captured({ schemaVersion: 2 }), issued('p1')) },
  { weight: 4, arbitrary: paymentEvent },
  { weight: 3, arbitrary: ticketEvent },
)

/** In log order. Minutes rise, but for a clock that is set back now and then. */
export const logInTime: fc.Arbitrary<Taken[]> = fc
  .array(
    fc.record({
      told: anyTold,
      subject: fc.constantFrom(...BOOKINGS),
      gap: fc.oneof(
        { weight: 9, arbitrary: fc.nat({ max: 25 }) },
        { weight: 1, arbitrary: fc.integer({ min: -5, max: -1 }) },
      ),
    }),
    { minLength: 1, maxLength: 16 },
  )
  .map((steps) => {
    let minute = 0
    return steps.map(({ told, subject, gap }) => {
      minute += gap
      return { told: { ...told, subject, data: { ...told.data, bookingId: subject } }, minute }
    })
  })

/** A store that holds these events. The same event of the same log has the same id, whatever else the store holds. */
export async function storeOf(
  taken: readonly Taken[],
  keep: (index: number) => boolean = () => true,
): Promise<EventStore> {
  let now = 0
  const store = openMemoryStore({ clock: () => now })
  for (const [index, { told, minute }] of taken.entries()) {
    if (!keep(index)) continue
    now = msAt(minute)
    await appendTold(store, told, index)
  }
  return store
}

/** Appends one event; `index` makes its id. */
export async function appendTold(
  store: EventStore,
  { type, category, data, subject }: Told,
  index: number,
): Promise<void> {
  const id = `00000000-0000-4000-8000-${String(index + 1).padStart(12, '0')}`
  const result = await store.append(`${category}-${subject}`, [jsonEvent({ id, type, data })], 'any')
  if (result.kind !== 'appended') throw new Error(`could not write event ${index}: ${result.kind}`)
}
