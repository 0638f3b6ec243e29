// The generator: bookings begin one after the other, their events interleave, and all comes out in the order of time. It holds only the
// bookings that have begun and not ended.
import { v5 as uuidV5 } from 'uuid'
import type { StoreMarker } from '../log/store-marker.js'
import { outlineOf } from './archetype.js'
import { BookingScript } from './booking-script.js'
import { type Due, EarliestFirst } from './earliest-first.js'
import type { Operation, WorkloadItem } from './operation.js'
import { Random } from './random.js'
import { makeScenario, type Scenario, type ScenarioName } from './scenario.js'

export interface GenerateOptions {
  /** How many, at least 1. */
  readonly bookings: number
  /** A safe integer. */
  readonly seed: number
  readonly scenario: ScenarioName
}

/** Determined by its options: the same ones give the same bytes. */
export interface Workload {
  /** What the store is marked with; its `now` is the moment for which the truth holds. */
  readonly marker: StoreMarker
  /** The id of the marker's event. */
  readonly markerId: string
  /** All operations by time, each booking's outline before its first one. Begins anew at each call. */
  items(): Iterable<WorkloadItem>
}

const MARKER_NAMESPACE = '0b7f3f4e-6a0e-4f0c-9d7e-3a54c1a7f1b6'
const START_STREAM = 2 ** 40

/** Throws RangeError where a number is out of its range. */
export function generate({ bookings, seed, scenario: name }: GenerateOptions): Workload {
  if (!Number.isSafeInteger(bookings) || bookings < 1) throw new RangeError('bookings: expected a whole number from 1')
  if (!Number.isSafeInteger(seed)) throw new RangeError('seed: expected a whole number')
  const { now } = makeScenario(name, { seed, bookings })
  return {
    marker: { generated: true, now: new Date(now).toISOString(), scenario: name, seed, bookings },
    markerId: uuidV5(JSON.stringify([name, seed, bookings]), MARKER_NAMESPACE),
    // Each time its own scenario: one may keep what it has cast last.
    items: () => play(makeScenario(name, { seed, bookings }), { seed, bookings }),
  }
}

/** A booking that has begun, due at its next operation. */
interface OpenBooking extends Due {
  readonly operations: readonly Operation[]
  readonly next: number
}

function* play(scenario: Scenario, { seed, bookings }: { seed: number; bookings: number }): Generator<WorkloadItem> {
  const open = new EarliestFirst<OpenBooking>()
  for (let index = 0; index < bookings; index += 1) {
    // Booking n begins in the n-th slot of the span, so that they begin in order without being sorted.
    const slot = scenario.begin + (scenario.spanMs * index) / bookings
    yield* operationsUntil(open, slot)
    const jitter = new Random(seed, START_STREAM + index).fraction() * (scenario.spanMs / bookings)
    const start = Math.floor(slot + jitter)
    const { archetype, pair } = scenario.cast({ index, start })
    const { now } = scenario
    const { shape } = archetype
    const script = new BookingScript({ seed, index, start, now, shape, ...(pair !== undefined && { pair }) })
    archetype.play(script)
    yield { kind: 'opened', outline: outlineOf(archetype, script) }
    enqueue(open, { index, operations: script.operations(), next: 0 })
  }
  yield* operationsUntil(open, Number.POSITIVE_INFINITY)
}

/** Takes out what is due before a moment. */
function* operationsUntil(open: EarliestFirst<OpenBooking>, end: number): Generator<Operation> {
  for (let first = open.peek(); first && first.at < end; first = open.peek()) {
    open.pop()
    const operation = first.operations[first.next]
    if (operation) yield operation
    enqueue(open, { ...first, next: first.next + 1 })
  }
}

function enqueue(open: EarliestFirst<OpenBooking>, booking: Omit<OpenBooking, 'at'>): void {
  const operation = booking.operations[booking.next]
  if (operation) open.push({ ...booking, at: operation.at })
}
