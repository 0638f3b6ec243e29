// Made-up logs for the demo: payments and tickets of an outage, the same for the same seed. Nothing here is used on real logs.

export interface MadeUpLogs {
  readonly payments: string
  readonly tickets: string
  /** Transactions paid; what the demo then finds is read from the commands, not from here. */
  readonly transactions: number
}

/** Transactions of one made-up day. */
const TRANSACTIONS = 12_000
/** The ticketing consumer is down for this part of the day. */
const OUTAGE = { from: 0.55, to: 0.72 }

/** The logs of a day on which the ticketing consumer was down for a while; one line in a hundred comes twice. */
export function makeUpLogs(seed: number): MadeUpLogs {
  const random = mulberry32(seed)
  const payments: string[] = []
  const tickets: string[] = []
  const emit = (lines: string[], line: object) => {
    const text = JSON.stringify(line)
    lines.push(text)
    if (random() < 0.01) lines.push(text)
  }
  for (let n = 0; n < TRANSACTIONS; n += 1) {
    const id = `TX${String(n + 1).padStart(6, '0')}`
    const moment = n / TRANSACTIONS
    emit(payments, {
      transaction_id: id,
      event_type: 'Payment Confirmed',
      amount_minor: 4_000 + Math.floor(random() * 90_000),
      currency: 'EUR',
    })
    const isLost = moment >= OUTAGE.from && moment < OUTAGE.to
    if (!isLost || random() < 0.02) emit(tickets, { transaction_id: id, event_type: 'Ticket Issued', carrier: 'MG' })
  }
  return { payments: `${payments.join('\n')}\n`, tickets: `${tickets.join('\n')}\n`, transactions: TRANSACTIONS }
}

/** Tommy Ettinger's mulberry32: a 32-bit generator in four lines, enough for made-up data. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
