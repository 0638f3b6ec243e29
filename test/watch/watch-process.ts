// The built `makegood watch` as a process of its own: started, read, killed; and bookings that are written while it runs.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { jsonEvent } from '../../src/log/event.js'
import type { EventStore } from '../../src/log/event-store.js'
import type { AlertRecord } from '../../src/watch/alert.js'
import { until } from './watching.js'

const MAIN = resolve(import.meta.dirname, '../../dist/src/main.js')

/** A running `watch`. It is killed with the test at the latest. */
export class WatchProcess {
  stdout = ''
  stderr = ''
  readonly child: ChildProcess
  readonly #ended: Promise<unknown>

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}, cwd?: string) {
    this.child = spawn(process.execPath, [MAIN, '--log-level', 'info', 'watch', '--format', 'ndjson', ...args], {
      env: { ...process.env, NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(cwd !== undefined && { cwd }),
    })
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString()
    })
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString()
    })
    this.#ended = once(this.child, 'close')
  }

  /** The alerts printed in full so far. */
  get told(): AlertRecord[] {
    const lines = this.stdout.split('\n').slice(0, -1)
    return lines.map((line) => JSON.parse(line) as AlertRecord)
  }

  /** Waits until something is said on standard error; throws what was said where the process ends before. */
  async says(text: string): Promise<void> {
    await until(
      () => this.stderr.includes(text) || this.isOver,
      () => `${text}; ${this.stderr}`,
    )
    if (!this.stderr.includes(text)) throw new Error(`ended before it said ${text}: ${this.stderr}`)
  }

  /** Waits until it has come to the log's end. */
  async catchUp(): Promise<void> {
    await this.says('"state":"live"')
  }

  get isOver(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  /** Sends a signal, waits for the end and gives the exit code; null after SIGKILL. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.child.kill(signal)
    return this.ended()
  }

  async ended(): Promise<number | null> {
    await this.#ended
    return this.child.exitCode
  }
}

const GRACE_MS = 15 * 60_000

/** A booking that was paid so long ago that its grace period ends in so many milliseconds. */
export async function pay(store: EventStore, bookingId: string, graceLeftMs: number): Promise<void> {
  const paidAt = Date.now() - GRACE_MS + graceLeftMs
  const day = 24 * 3_600_000
  const due = { amountMinor: 20_000, currency: 'EUR' }
  const segments = [
    { segmentId: 's1', carrier: 'MG', flightNumber: '1', departsAt: new Date(paidAt + 40 * day).toISOString() },
  ]
  const passengers = [{ passengerId: 'p1', type: 'ADT' }]
  const common = { bookingId, occurredAt: new Date(paidAt).toISOString() }
  const capture = { paymentId: 'pay1', captureId: 'c1', pspReference: 'psp1', amount: due }
  await store.append(
    `payment-${bookingId}`,
    [
      event('PaymentRequested', { ...common, orderVersion: 1, due, passengers, segments }),
      event('PaymentCaptured', { ...common, ...capture }),
    ],
    'noStream',
  )
}

/** The booking's ticket; `ticketNumber`: 13 digits. */
export async function issue(store: EventStore, bookingId: string, ticketNumber: string): Promise<void> {
  const now = new Date().toISOString()
  const ticket = {
    bookingId,
    occurredAt: now,
    ticketNumber,
    documentType: 'TKT',
    conjunctionNumbers: [],
    passengerId: 'p1',
    orderVersion: 1,
    coupons: [{ couponNumber: 1, segmentId: 's1', status: 'OPEN' }],
    total: { amountMinor: 20_000, currency: 'EUR' },
    issuedAt: now,
    origin: 'LIVE',
  }
  await store.append(`ticket-${bookingId}`, [event('TicketIssued', ticket)], 'any')
}

function event(type: string, data: object) {
  return jsonEvent({ id: randomUUID(), type, data })
}
