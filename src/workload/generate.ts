// The generator: bookings begin one after the other, their events interleave, and all comes out in the order of time. It holds only the
// bookings that have begun and not ended, and of those that rest for long nothing but how they are made up again.
import { v5 as uuidV5 } from 'uuid'
import type { StoreMarker } from '../log/store-marker.js'
import { outlineOf } from './archetype.js'
import { BookingScript } from './booking-script.js'
import { type Due, EarliestFirst } from './earliest-first.js'
import type { Operation, WorkloadItem } from './operation.js'
import { MINUTE_MS } from './order.js'
import { Random } from './random.js'
import { type Casting, makeScenario, type Scenario, type ScenarioName } from './scenario.js'

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

/** From what a booking is made up: each time the same. */
interface Beginning extends Casting {
  readonly index: number
  /** Milliseconds since the Unix epoch. */
  readonly start: number
}

/** A booking that has begun, due at its next operation. */
interface OpenBooking extends Due {
  readonly beginning: Beginning
  /** Undefined while it rests. */
  readonly operations: readonly Operation[] | undefined
  readonly next: number
}

/** A booking that nothing happens to for longer, in the workload's time, is made up anew when it is due: it would be held among very many. */
const HELD_MS = 10 * MINUTE_MS

function* play(scenario: Scenario, { seed, bookings }: { seed: number; bookings: number }): Generator<WorkloadItem> {
  const open = new EarliestFirst<OpenBooking>()
  const scriptOf = (beginning: Beginning) => makeUp(beginning, { seed, now: scenario.now })
  for (let index = 0; index < bookings; index += 1) {
    // Booking n begins in the n-th slot of the span, so that they begin in order without being sorted.
    const slot = scenario.begin + (scenario.spanMs * index) / bookings
    yield* operationsUntil(open, slot, scriptOf)
    const jitter = new Random(seed, START_STREAM + index).fraction() * (scenario.spanMs / bookings)
    const start = Math.floor(slot + jitter)
    const beginning = { index, start, ...scenario.cast({ index, start }) }
    const script = scriptOf(beginning)
    yield { kind: 'opened', outline: outlineOf(beginning.archetype, script) }
    enqueue(open, { index, beginning, operations: script.operations(), next: 0 }, start)
  }
  yield* operationsUntil(open, Number.POSITIVE_INFINITY, scriptOf)
}

function makeUp(
  { index, start, archetype, pair }: Beginning,
  { seed, now }: { seed: number; now: number },
): BookingScript {
  const { shape } = archetype
  const script = new BookingScript({ seed, index, start, now, shape, ...(pair !== undefined && { pair }) })
  archetype.play(script)
  return script
}

/** Takes out what is due before a moment. */
function* operationsUntil(
  open: EarliestFirst<OpenBooking>,
  end: number,
  scriptOf: (beginning: Beginning) => BookingScript,
): Generator<Operation> {
  for (let first = open.peek(); first && first.at < end; first = open.peek()) {
    open.pop()
    const operations = first.operations ?? scriptOf(first.beginning).operations()
    const operation = operations[first.next]
    if (operation) yield operation
    enqueue(open, { ...first, operations, next: first.next + 1 }, first.at)
  }
}

/** Puts a booking back that has come to a moment, unless it has ended. */
function enqueue(
  open: EarliestFirst<OpenBooking>,
  { index, beginning, operations, next }: Omit<OpenBooking, 'at'>,
  moment: number,
): void {
  const at = operations?.[next]?.at
  if (at === undefined) return
  open.push({ index, beginning, operations: at - moment > HELD_MS ? undefined : operations, next, at })
}
