// The events that carry a ticket through: requested (the claim), then issued or failed. An answer that does not name the ticket that
// was asked for makes no sense, and settles nothing.
import { z } from 'zod'
import type { JsonObject } from '../../src/engine/json.js'
import type { Attempt, Draft, Failure, Intent, Settlement } from '../../src/engine/projection.js'
import { isTime } from '../../src/log/ticks.js'
import { isUnderWay } from './compensate.js'
import { amountSchema, couponsSchema } from './events.js'
import { type Booking, factOf } from './state.js'

/** What was asked for; see compensate.ts. */
const commandSchema = z.object({
  bookingId: z.string(),
  passengerId: z.string(),
  documentType: z.string(),
  orderVersion: z.int(),
  segments: z.array(z.object({ segmentId: z.string() })),
})
type Command = z.infer<typeof commandSchema>

const number = z.string().regex(/^\d{13}$/)

/**
 * What the ticket authority answers. `conjunctionNumbers`: all numbers of a conjunction, where four coupons do not suffice.
 * `coupons` is left out where they are simply the segments asked for, all open.
 */
const answerSchema = z.object({
  ticketNumber: number,
  documentType: z.literal('TKT'),
  bookingId: z.string(),
  passengerId: z.string(),
  issuedAt: z.string().refine(isTime),
  conjunctionNumbers: z.array(number).optional(),
  coupons: couponsSchema.optional(),
  total: amountSchema.optional(),
})
type Answer = z.infer<typeof answerSchema>
type Coupons = z.infer<typeof couponsSchema>

export const settlement: Settlement<Booking> = {
  claim: (intent, attempt) =>
    draft('TicketIssueRequested', intent, attempt, { key: attempt.key, occurrence: intent.occurrence }),
  failed: (intent, attempt, { code, retryable }: Failure) => [
    draft('TicketIssueFailed', intent, attempt, { code, retryable }),
  ],
  issued,
  isRecorded,
  isUnderWay,
}

function draft(type: string, { command }: Intent, { id, at }: Attempt, more: JsonObject): Draft {
  const { bookingId, passengerId } = commandSchema.parse(command)
  const data = { bookingId, occurredAt: at, attemptId: id, passengerIds: [passengerId], origin: 'REPAIR', ...more }
  return { type, data }
}

function issued(intent: Intent, attempt: Attempt, answer: JsonObject): readonly Draft[] | undefined {
  const command = commandSchema.parse(intent.command)
  const told = answerSchema.safeParse(answer)
  if (!told.success || !isAnswerTo(command, told.data)) return undefined
  const numbers = [...new Set([told.data.ticketNumber, ...(told.data.conjunctionNumbers ?? [])])].sort()
  const documents = couponsByDocument(command, told.data)
  if (documents.length !== numbers.length) return undefined
  return documents.map((coupons, index) => ({
    type: 'TicketIssued',
    data: ticketData({ command, answer: told.data, attempt, coupons, ticketNumber: numbers[index] as string, numbers }),
  }))
}

/** Live ticketing records what it was given as well: the same number twice would be two contents under one id. */
function isRecorded(booking: Booking, intent: Intent, { ticketNumber }: JsonObject): boolean {
  const { passengerId } = commandSchema.parse(intent.command)
  const recorded = typeof ticketNumber === 'string' ? factOf(booking, 'TicketIssued', ticketNumber) : undefined
  return recorded?.data.passengerId === passengerId
}

function isAnswerTo(command: Command, { bookingId, passengerId }: Answer): boolean {
  return bookingId === command.bookingId && passengerId === command.passengerId
}

const COUPONS_MAX = 4

/** The coupons of each document: those that the authority lists are one document's, else the segments four by four. */
function couponsByDocument({ segments }: Command, { coupons }: Answer): Coupons[] {
  if (coupons) return [coupons]
  const documents: Coupons[] = []
  for (let from = 0; from < segments.length; from += COUPONS_MAX) {
    const part = segments.slice(from, from + COUPONS_MAX)
    documents.push(part.map(({ segmentId }, index) => ({ couponNumber: index + 1, segmentId, status: 'OPEN' })))
  }
  return documents
}

function ticketData(about: {
  command: Command
  answer: Answer
  attempt: Attempt
  coupons: Coupons
  ticketNumber: string
  numbers: readonly string[]
}): JsonObject {
  const { command, answer, attempt, coupons, ticketNumber, numbers } = about
  return {
    bookingId: command.bookingId,
    occurredAt: answer.issuedAt,
    ticketNumber,
    documentType: answer.documentType,
    conjunctionNumbers: numbers.length > 1 ? numbers : [],
    passengerId: command.passengerId,
    orderVersion: command.orderVersion,
    coupons,
    ...(answer.total && { total: answer.total }),
    issuedAt: answer.issuedAt,
    origin: 'REPAIR',
    attemptId: attempt.id,
  }
}
