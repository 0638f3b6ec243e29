// One booking being made up: its clock, its order and what has happened to it, written down as events. The steps (payment-steps.ts,
// ticket-steps.ts) move it on, and the archetypes are made of steps.
import { jsonEvent, NO_BYTES, type ProposedEvent } from '../log/event.js'
import { metadataStreamOf, streamOf } from '../log/stream.js'
import type { KnownTicket, Operation, PaymentRecord } from './operation.js'
import { type Carrier, HOUR_MS, makeOrder, type Order, pickCarrier, type Shape } from './order.js'
import { Random } from './random.js'

export interface Capture {
  readonly captureId: string
  readonly amountMinor: number
  readonly currency: string
}

export interface Coupon {
  readonly couponNumber: number
  readonly segmentId: string
  readonly status: string
}

export interface IssuedTicket {
  readonly ticketNumber: string
  readonly passengerId: string
  readonly coupons: readonly Coupon[]
}

export interface ScriptOptions {
  readonly seed: number
  /** Which booking of the workload it is, from 0. */
  readonly index: number
  /** When it begins, and the moment for which its truth holds: milliseconds since the Unix epoch. */
  readonly start: number
  readonly now: number
  readonly shape: Shape
  /** The index of the first booking of a pair, for archetypes that need two. */
  readonly pair?: number
}

/** Ticket numbers that one booking may use. */
const NUMBERS_PER_BOOKING = 64
/** Everything but what an archetype puts near `now` on purpose is at least this old: past every grace period and time-out. */
const SETTLED_MS = HOUR_MS

export class BookingScript {
  readonly random: Random
  readonly subject: string
  readonly now: number
  readonly carrier: Carrier
  readonly order: Order
  readonly captures: Capture[] = []
  readonly tickets: IssuedTicket[] = []
  readonly knownTickets: KnownTicket[] = []
  paymentRecord: PaymentRecord | undefined
  /** Its clock: when the next event happens. */
  at: number
  readonly #index: number
  readonly #pair: number
  readonly #operations: Omit<Operation & { kind: 'append' }, 'revision'>[] = []
  #deletion: { stream: string; id: string } | undefined
  #numbersUsed = 0
  #idsUsed = 0

  constructor({ seed, index, start, now, shape, pair = index }: ScriptOptions) {
    this.random = new Random(seed, index + 1)
    this.subject = `B${String(index + 1).padStart(8, '0')}`
    this.now = now
    this.at = start
    this.#index = index
    this.#pair = pair
    this.carrier = pickCarrier(this.random)
    this.order = makeOrder(this.random, shape, { carrier: this.carrier, now })
  }

  /** Lets time pass: between `min` and `max` milliseconds, or less where that would come too close to `now`. */
  wait(min: number, max: number): void {
    const wanted = this.random.between(min, max)
    const left = Math.max(0, this.now - SETTLED_MS - this.at)
    this.at += wanted <= left ? wanted : Math.floor(left * this.random.fraction() * 0.5)
  }

  /** Sets the clock to so many milliseconds before `now`. */
  jumpToBeforeNow(ms: number): void {
    this.at = this.now - ms
  }

  /** Something happened in the payment stream. `at`: when the log heard of it, where that is not when it happened. */
  payment(type: string, fields: object, { at = this.at }: { at?: number } = {}): void {
    this.append('payment', at, this.#event(type, fields))
  }

  /** Something happened in the ticket stream. */
  ticket(type: string, fields: object, { at = this.at }: { at?: number } = {}): void {
    this.append('ticket', at, this.#event(type, fields))
  }

  /** An event as it is, in the `payment` or `ticket` stream. */
  append(category: string, at: number, event: ProposedEvent): void {
    this.#operations.push({ kind: 'append', stream: streamOf(category, this.subject), at, event })
  }

  /** Bytes under the name of an event type, whatever they are. */
  rawEvent(type: string, data: string): ProposedEvent {
    const event = this.#event(type, {})
    return { ...event, data: new TextEncoder().encode(data) }
  }

  /** The last event of a stream is delivered once more, under an id of its own. */
  deliverAgain(category: string, { at = this.at, type }: { at?: number; type?: string } = {}): void {
    const stream = streamOf(category, this.subject)
    const last = this.#operations.findLast(
      (known) => known.stream === stream && (type ?? known.event.type) === known.event.type,
    )
    if (last) this.append(category, at, { ...last.event, id: this.random.uuid() })
  }

  /** A stream's metadata is set. */
  describe(category: string, metadata: object): void {
    const stream = metadataStreamOf(streamOf(category, this.subject))
    const event = jsonEvent({ id: this.random.uuid(), type: '$metadata', data: metadata })
    this.#operations.push({ kind: 'append', stream, at: this.at, event: { ...event, metadata: NO_BYTES } })
  }

  /** A stream is deleted softly, after everything else. */
  delete(category: string): void {
    this.#deletion = { stream: streamOf(category, this.subject), id: this.random.uuid() }
  }

  /** A business id that no other booking has: `{prefix}-{booking}-{n}`. */
  newId(prefix: string): string {
    this.#idsUsed += 1
    return `${prefix}-${this.subject.slice(1)}-${this.#idsUsed}`
  }

  /** The next ticket number of this booking; consecutive calls give consecutive numbers. */
  newTicketNumber(): string {
    this.#numbersUsed += 1
    return this.#numberAt(this.#index * NUMBERS_PER_BOOKING + this.#numbersUsed)
  }

  /** A number that both bookings of a pair get. */
  sharedTicketNumber(): string {
    return `999${String(this.#pair).padStart(10, '0')}`
  }

  /** Passengers of the current order that never got a ticket, sorted. */
  neverTicketed(): string[] {
    const ticketed = new Set(this.tickets.map(({ passengerId }) => passengerId))
    return this.order.passengers
      .map(({ passengerId }) => passengerId)
      .filter((id) => !ticketed.has(id))
      .sort()
  }

  /** The clock as RFC 3339; now and then in a zone of its own. */
  timestamp(): string {
    if (!this.random.chance(0.03)) return new Date(this.at).toISOString()
    return new Date(this.at + 2 * HOUR_MS).toISOString().replace('Z', '+02:00')
  }

  /** Everything in the order in which the log hears of it. */
  operations(): Operation[] {
    // Sorting is stable: what comes at the same moment stays as it was written.
    const sorted = [...this.#operations].sort((a, b) => a.at - b.at)
    const counts = new Map<string, number>()
    const operations: Operation[] = sorted.map((operation) => {
      const revision = counts.get(operation.stream) ?? 0
      counts.set(operation.stream, revision + 1)
      return { ...operation, revision }
    })
    if (this.#deletion) operations.push(this.#deleteAfter(operations, counts, this.#deletion))
    return operations
  }

  #deleteAfter(
    operations: readonly Operation[],
    counts: ReadonlyMap<string, number>,
    deletion: { readonly stream: string; readonly id: string },
  ): Operation {
    const revision = (counts.get(deletion.stream) ?? 0) - 1
    const metadataRevision = counts.get(metadataStreamOf(deletion.stream)) ?? 0
    return { kind: 'delete', ...deletion, at: operations.at(-1)?.at ?? this.at, revision, metadataRevision }
  }

  #numberAt(serial: number): string {
    return this.carrier.number + String(serial).padStart(10, '0')
  }

  #event(type: string, fields: object): ProposedEvent {
    return jsonEvent({
      id: this.random.uuid(),
      type,
      data: { bookingId: this.subject, occurredAt: this.timestamp(), ...fields },
      metadata: { $correlationId: this.subject },
    })
  }
}
