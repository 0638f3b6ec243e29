// The simulator's memory: every question it was asked and every ticket it issued, kept in a file that survives its end. Tests judge
// repairs from this file: it is what "issued once" is measured against.
import { z } from 'zod'
import { type DurableLines, LinesUnusableError, openDurableLines } from './durable-lines.js'

/** A ticket as the authority answers it: what a TicketIssued event needs. */
export const ticketSchema = z.object({
  ticketNumber: z.string(),
  /** All numbers, where one document does not hold all coupons. */
  conjunctionNumbers: z.array(z.string()).optional(),
  documentType: z.string(),
  bookingId: z.string(),
  passengerId: z.string(),
  issuedAt: z.string(),
})
export type Ticket = z.infer<typeof ticketSchema>

/** The lines of a ledger. */
const entrySchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('asked'),
    call: z.enum(['lookup', 'issue']),
    key: z.string(),
    bookingId: z.string(),
    passengerId: z.string().optional(),
    at: z.string(),
  }),
  z.object({ kind: z.literal('issued'), key: z.string(), ticket: ticketSchema }),
  z.object({ kind: z.literal('refused'), key: z.string(), code: z.string(), retryable: z.boolean(), at: z.string() }),
])
export type LedgerEntry = z.infer<typeof entrySchema>

/** Numbers that the simulator issues begin with this airline code, which no carrier has. */
const AIRLINE_CODE = '888'

export class Ledger {
  readonly #byKey = new Map<string, Ticket>()
  readonly #byBooking = new Map<string, Ticket[]>()
  readonly #asked = new Map<string, number>()
  readonly #numbers = new Set<string>()
  #serial = 0
  #lines: DurableLines | undefined

  private constructor() {}

  /**
   * Opens the ledger at `path`. `known` are tickets that the authority has issued before it and under keys of others. Throws
   * LinesUnusableError where the file cannot be used or is no ledger.
   */
  static async open(path: string, known: Iterable<Ticket> = []): Promise<Ledger> {
    const ledger = new Ledger()
    for (const ticket of known) ledger.#keep(ticket)
    ledger.#lines = await openDurableLines(path, (line) => {
      const entry = entrySchema.safeParse(line)
      if (!entry.success) throw new LinesUnusableError(`${path} is no ledger: ${z.prettifyError(entry.error)}`)
      ledger.#take(entry.data)
    })
    return ledger
  }

  /** The ticket issued under this key. */
  issuedUnder(key: string): Ticket | undefined {
    return this.#byKey.get(key)
  }

  /** All tickets of a booking, the last issued at the end. */
  ticketsOf(bookingId: string): readonly Ticket[] {
    return this.#byBooking.get(bookingId) ?? []
  }

  /** How often something was asked under this key. */
  timesAsked(key: string): number {
    return this.#asked.get(key) ?? 0
  }

  /** Keeps what happened. In memory at once, so that whoever asks next sees it; resolves when it is on the disk. */
  record(entry: LedgerEntry): Promise<void> {
    this.#take(entry)
    return this.#lines?.append(entry) ?? Promise.reject(new LinesUnusableError('The ledger is closed'))
  }

  /** So many consecutive numbers that no ticket here has ever had. */
  nextNumbers(count: number): [string, ...string[]] {
    let numbers: [string, ...string[]]
    do {
      const [first, ...others] = Array.from({ length: count }, (_, index) => numberOf(this.#serial + 1 + index))
      numbers = [first ?? numberOf(this.#serial + 1), ...others]
      this.#serial += numbers.length
    } while (numbers.some((number) => this.#numbers.has(number)))
    return numbers
  }

  async close(): Promise<void> {
    const lines = this.#lines
    this.#lines = undefined
    await lines?.close()
  }

  #take(entry: LedgerEntry): void {
    if (entry.kind === 'asked') this.#asked.set(entry.key, this.timesAsked(entry.key) + 1)
    if (entry.kind === 'issued') {
      this.#byKey.set(entry.key, entry.ticket)
      this.#keep(entry.ticket)
    }
  }

  #keep(ticket: Ticket): void {
    for (const number of [ticket.ticketNumber, ...(ticket.conjunctionNumbers ?? [])]) this.#numbers.add(number)
    const tickets = this.#byBooking.get(ticket.bookingId)
    if (tickets) tickets.push(ticket)
    else this.#byBooking.set(ticket.bookingId, [ticket])
  }
}

function numberOf(serial: number): string {
  return AIRLINE_CODE + String(serial).padStart(10, '0')
}
