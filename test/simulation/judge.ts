// The judge of a simulation: oracles that each name a rule, and what breaks it, booking by booking. It reads events and ledger for
// itself and asks nothing of the product. `SAFETY` holds at every moment, `CONVERGENCE` once the faults are over and all has been run
// to its end.
import type { Evidence, JournalLine, LedgerLine, LoggedEvent } from './evidence.js'
import type { End } from './makegood-process.js'
import { Records } from './records.js'

/** What breaks a rule, in sentences that name the booking; none where it holds. */
type Oracle = (evidence: Evidence, records: Records) => readonly string[]

/** Exit codes of a run that did what it should: clean, findings, items unsettled, stopped at a limit. */
const ORDERLY: readonly number[] = [0, 2, 3, 6]

export const SAFETY: Readonly<Record<string, Oracle>> = {
  'O1 what was acknowledged is there': (evidence, records) => [
    ...evidence.journal.flatMap((line) => missingOf(line, records)),
    ...evidence.told.flatMap(({ outcome, key, stream, revision }) => {
      const event = revision === undefined ? undefined : records.at(stream, revision)
      const isThere = event?.type === 'TicketIssued' && event.metadata.key === key
      return outcome === 'applied' && !isThere ? [`${stream}@${revision}: told as applied, and it is not there`] : []
    }),
  ],

  'O2 one ticket a passenger': (_, records) => [
    ...records.placesOfRepairs().flatMap((place) => tooMany(place, records)),
    ...twice(records.numbersOfSimulator())
      .filter((number) => !isRudeEcho(number, records))
      .map(doubled),
  ],

  'O3 revisions are dense, positions rise': ({ events }) => {
    const heads = new Map<string, number>()
    return events.flatMap(({ stream, revision, position }, index) => {
      const expected = (heads.get(stream) ?? -1) + 1
      heads.set(stream, revision)
      const before = events[index - 1]?.position
      return [
        ...(revision === expected ? [] : [`${stream}@${revision}: expected ${expected}`]),
        ...(before && before.commit >= position.commit ? [`${stream}@${revision}: its position does not rise`] : []),
      ]
    })
  },

  'O4 a batch is there whole or not at all': ({ events }) => {
    const batches = groupBy(
      events.filter(({ metadata }) => batchOf(metadata)),
      ({ metadata }) => String(batchOf(metadata)?.id),
    )
    return [...batches.values()].flatMap((batch) => {
      const [first] = batch as [LoggedEvent]
      const isWhole =
        batch.length === batchOf(first.metadata)?.size &&
        batch.every(({ stream, revision }, n) => stream === first.stream && revision === first.revision + n)
      return isWhole ? [] : [`${first.stream}@${first.revision}: ${batch.length} events of a batch`]
    })
  },

  'O5 bytes match their checksums': ({ problems }) => problems,

  'O6 a guarded append stands right behind what it was guarded by': ({ events, journal }, records) => [
    ...events.filter(isOwn).flatMap(({ stream, revision, metadata }) => {
      const read = (metadata.revisions as Record<string, number | null>)[stream] ?? -1
      const stands = revision - Number(metadata.part) - 1
      return read === stands ? [] : [`${stream}@${revision}: decided behind ${read}, stands behind ${stands}`]
    }),
    ...journal.flatMap(({ ids, stream, expected }) => {
      const event = records.byId(ids[0] ?? '')
      const stands = (expected === 'noStream' ? -1 : expected) + 1
      return event && event.revision !== stands ? [`${stream}@${event.revision}: guarded by ${expected}`] : []
    }),
  ],

  'O7 an append of unknown outcome is not written twice': ({ events }) =>
    twice(events.map(({ id }) => id)).map((id) => `event ${id} is recorded twice`),

  'O8 replays of one log give one digest': ({ digests }) =>
    new Set(digests).size > 1 ? [`different digests: ${digests.join(' ')}`] : [],

  'an item is told as applied by the one who did it': ({ told }) =>
    twice(told.filter(({ outcome }) => outcome === 'applied').map(({ key, stream }) => `${stream} ${key}`)).map(
      (item) => `${item} was told as applied more than once`,
    ),

  'O9 nothing hangs': ({ ends }) => ends.filter(({ isHung }) => isHung).map(({ what }) => `${what} did not end`),

  'no process fails but by being killed': ({ ends }) =>
    ends
      .filter((end) => end.signal !== 'SIGKILL' && !ORDERLY.includes(end.code ?? -1) && !isKeptWaiting(end))
      .map(({ what, code, signal, stderr }) => `${what} ended with ${code ?? signal}: ${stderr.slice(0, 500)}`),

  'no passenger is asked for under two keys': (_, records) =>
    [...records.keysByPlace()]
      .filter(([, keys]) => keys.size > 1)
      .map(([place, keys]) => `${place} was asked for under ${[...keys].join(' and ')}`),

  'nothing is issued twice under one key': ({ ledger }) =>
    twice(ledger.filter(({ kind }) => kind === 'issued').map(({ key }) => key)).map((key) => `${key} was issued twice`),

  'nothing is asked for without a claim': ({ ledger }, records) =>
    ledger
      .filter((line) => line.call === 'issue' && !isLiveKey(line) && records.marked(line.key, 'claim').length === 0)
      .map(({ key, bookingId, passengerId }) => `${bookingId}/${passengerId} was asked for under ${key}, unclaimed`),

  'no ticket is issued under claims that all stand behind a refund': ({ ledger }, records) =>
    ledger.flatMap(({ kind, key, ticket }) => {
      const claims = records.marked(key, 'claim')
      const isForbidden =
        claims.length > 0 && claims.every((claim) => records.isRefundPendingAt(claim, ticket?.issuedAt))
      return kind === 'issued' && isForbidden ? [`${ticket?.bookingId}/${ticket?.passengerId} was being refunded`] : []
    }),
}

export const CONVERGENCE: Readonly<Record<string, Oracle>> = {
  'every item is settled': ({ plans }, records) =>
    plans.flatMap(({ items }) =>
      items.flatMap(({ key, subject, intent }) => {
        const place = `${subject}/${intent.command?.passengerId}`
        const isSettled =
          records.ticketsOf(place).length > 0 || records.isRefused(key) || records.isRefundPending(subject)
        return isSettled ? [] : [`${place} has no ticket, no refusal and no refund`]
      }),
    ),

  'what the authority issued is recorded once': ({ ledger }, records) =>
    ledger.flatMap(({ kind, ticket }) => {
      const times = ticket ? records.recordsOf(ticket.ticketNumber).length : 0
      return kind === 'issued' && times !== 1 && !isRudeEcho(ticket?.ticketNumber ?? '', records)
        ? [`${ticket?.bookingId}/${ticket?.passengerId}: ${ticket?.ticketNumber} is recorded ${times} times`]
        : []
    }),

  'no claim of a repair is left open': ({ events }, records) =>
    events
      .filter(({ metadata }) => metadata.step === 'claim' && !records.isClosed(String(metadata.attemptId)))
      .map(({ stream, revision }) => `${stream}@${revision}: a claim without an end`),

  'a collision has its case': ({ journal }, records) =>
    journal
      .filter(({ act, bookingId, passengerId }) => act === 'live-rude' && isCollision(bookingId, passengerId, records))
      .filter(({ bookingId }) => !records.hasCase('repair-collision', bookingId))
      .map(({ bookingId, passengerId }) => `${bookingId}/${passengerId}: no case was opened`),

  'a campaign tells what became of every item': ({ plans }, records) =>
    plans.flatMap((plan) => records.problemsOfCampaign(plan)),
}

/** Every breach of these rules, as `rule: what breaks it`. */
export function breachesOf(evidence: Evidence, oracles: Readonly<Record<string, Oracle>>): string[] {
  const records = new Records(evidence)
  return Object.entries(oracles).flatMap(([rule, oracle]) =>
    oracle(evidence, records).map((breach) => `${rule}: ${breach}`),
  )
}

function missingOf({ stream, ids, act }: JournalLine, records: Records): string[] {
  return ids.filter((id) => records.byId(id)?.stream !== stream).map((id) => `${stream}: ${act} ${id} is not there`)
}

/** One of ours, or of one who claims as we do; a second one only where somebody issued without looking at claims. */
function tooMany(place: string, records: Records): string[] {
  const tickets = records.ticketsOf(place)
  const ours = tickets.filter(isOwn)
  const most = records.isRudelyIssued(place) ? 2 : 1
  return ours.length > 1 || tickets.length > most ? [`${place} has ${tickets.length} tickets`] : []
}

/**
 * A number that a repair found at the authority and recorded, before the one who had it issued without a claim recorded it as well. The
 * other way round it is the repair that did not look.
 */
function isRudeEcho(ticketNumber: string, records: Records): boolean {
  const [first, second, ...more] = records.recordsOf(ticketNumber)
  const place = `${first?.data.bookingId}/${first?.data.passengerId}`
  const isInOrder = first?.data.origin === 'REPAIR' && second?.data.origin === 'LIVE'
  return isInOrder && more.length === 0 && records.isRudelyIssued(place)
}

const doubled = (number: string) => `${number} is recorded twice`

function isCollision(bookingId: string, passengerId = '', records: Records): boolean {
  return new Set(records.ticketsOf(`${bookingId}/${passengerId}`).map(({ data }) => data.origin)).size > 1
}

function isOwn({ metadata }: LoggedEvent): boolean {
  return metadata.origin === 'repair'
}

/** A machine under load: nobody answered in time whether the store is served, so nothing was begun. */
function isKeptWaiting({ code, stdout, stderr }: End): boolean {
  return code === 1 && stdout === '' && /: no answer within \d+ ms$/m.test(stderr)
}

function isLiveKey({ key }: LedgerLine): boolean {
  return key.startsWith('live-')
}

function batchOf(metadata: LoggedEvent['metadata']): { id: string; size: number } | undefined {
  return metadata.batch as { id: string; size: number } | undefined
}

function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const value of values) {
    const group = groups.get(keyOf(value))
    if (group) group.push(value)
    else groups.set(keyOf(value), [value])
  }
  return groups
}

function twice(values: readonly string[]): string[] {
  const seen = new Set<string>()
  return [...new Set(values.filter((value) => seen.size === seen.add(value).size))]
}
