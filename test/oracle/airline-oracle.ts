// A second reader of the airline's pages: brute force, plain loops, sharing nothing with the product. Given all events of a store and a
// `now` it says of every booking what is wrong with it, and for whom a machine may issue a ticket. Where those pages leave a reading
// open, it takes the one that docs/booking.md tells people.
import { everyFact, type History, readHistory, type StoredEvent } from './booking-events.js'
import type { Case } from './case.js'
import { issuedDocuments, missingPassengers, numbersOf } from './documents.js'
import { areGuardsHeld, isAttemptInFlight } from './guards.js'
import { orderOf } from './order.js'
import { type Disposition, RULES } from './rules.js'

export type { StoredEvent } from './booking-events.js'

/** What the oracle says of one booking. */
export interface Verdict {
  /** Ids of the rules that hold, in order. */
  readonly rules: readonly string[]
  readonly mayBeRepaired: boolean
  /** For whom a machine may issue, in order; empty where it may not. */
  readonly repairablePassengers: readonly string[]
}

/** The rules that are not in the table of predicates over one booking's facts. */
const OTHER_DISPOSITIONS: Readonly<Record<string, Disposition>> = {
  'history-incomplete': 'never',
  'unknown-event': 'never',
  'ticket-number-reused': 'never',
}

/** The rules that the oracle knows: all but those that ask somebody beside the log. */
export const ORACLE_RULES: readonly string[] = [...Object.keys(RULES), ...Object.keys(OTHER_DISPOSITIONS)]

/** The verdict on every booking of the store, by booking id. `events` are in the order of the log. */
export function judgeStore(events: readonly StoredEvent[], now: Date): Map<string, Verdict> {
  const tellings = new Map<string, Telling>()
  for (const [subject, own] of eventsBySubject(events)) {
    tellings.set(subject, { history: readHistory(factEvents(own)), isComplete: isWhole(own) })
  }
  const reused = reusedNumbers(tellings)
  const verdicts = new Map<string, Verdict>()
  for (const [subject, telling] of tellings) verdicts.set(subject, judgeBooking(telling, reused, now.getTime()))
  return verdicts
}

/** What was told of one booking, and whether that is all there was. */
interface Telling {
  readonly history: History
  readonly isComplete: boolean
}

function eventsBySubject(events: readonly StoredEvent[]): Map<string, StoredEvent[]> {
  const subjects = new Map<string, StoredEvent[]>()
  for (const event of events) {
    const subject = /^(?:\$\$)?(?:payment|ticket)-(.+)$/s.exec(event.stream)?.[1]
    if (subject === undefined) continue
    const own = subjects.get(subject)
    if (own) own.push(event)
    else subjects.set(subject, [event])
  }
  return subjects
}

/** Ticket numbers that stand on two bookings or on two passengers. */
function reusedNumbers(bookings: ReadonlyMap<string, Telling>): Set<string> {
  const holders = new Map<string, Set<string>>()
  for (const [subject, { history }] of bookings) {
    for (const document of everyFact(history, 'TicketIssued')) {
      for (const number of numbersOf(document)) {
        const holder = JSON.stringify([subject, document.passengerId])
        holders.set(number, (holders.get(number) ?? new Set()).add(holder))
      }
    }
  }
  return new Set([...holders].filter(([, holder]) => holder.size > 1).map(([number]) => number))
}

function judgeBooking({ history, isComplete }: Telling, reused: ReadonlySet<string>, now: number): Verdict {
  const booking: Case = { history, order: orderOf(history), now }
  const rules = Object.entries(RULES)
    .filter(([, rule]) => rule.holds(booking))
    .map(([id]) => id)
  if (!isComplete) rules.push('history-incomplete')
  if (!history.isWhollyDecoded) rules.push('unknown-event')
  if (issuedDocuments(history).some((document) => numbersOf(document).some((number) => reused.has(number)))) {
    rules.push('ticket-number-reused')
  }
  const mayBeRepaired = strongest(rules) === 'repair' && areGuardsHeld(booking) && !isAttemptInFlight(booking)
  const missing = missingPassengers(history, booking.order).map(({ passengerId }) => passengerId)
  return {
    rules: rules.toSorted(),
    mayBeRepaired,
    repairablePassengers: mayBeRepaired ? missing.toSorted() : [],
  }
}

/** Never beats person beats repair beats observe. */
function strongest(rules: readonly string[]): Disposition | undefined {
  const dispositions = rules.map((id) => RULES[id]?.disposition ?? OTHER_DISPOSITIONS[id])
  return (['never', 'person', 'repair', 'observe'] as const).find((disposition) => dispositions.includes(disposition))
}

/** Each stream begins at 0 and has no hole, and its metadata cuts nothing off. */
function isWhole(events: readonly StoredEvent[]): boolean {
  const streams = new Set(events.map(({ stream }) => stream))
  return [...streams].every((stream) => {
    const own = events.filter((event) => event.stream === stream)
    return stream.startsWith('$$')
      ? !cutsOff(own.at(-1)?.data)
      : own.every((event, index) => event.revision === index && event.type !== '$streamDeleted')
  })
}

function cutsOff(metadata: unknown): boolean {
  if (typeof metadata !== 'object' || metadata === null) return false
  const { $tb, $maxCount, $maxAge } = metadata as Record<string, unknown>
  return [$tb, $maxCount, $maxAge].some((limit) => typeof limit === 'number' && limit > 0)
}

/** Events that say something of the booking; what stands in a metadata stream or ends a stream does not. */
function factEvents(events: readonly StoredEvent[]): StoredEvent[] {
  return events.filter(({ stream, type }) => !stream.startsWith('$$') && type !== '$streamDeleted')
}
