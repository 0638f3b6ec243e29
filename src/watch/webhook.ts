// Alerts to a webhook: a consumer of the alert streams with a checkpoint of its own. What cannot be delivered waits in the streams, on disk, and
// the watch goes on meanwhile; each alert is delivered at least once, in order.
import { createHmac } from 'node:crypto'
import { z } from 'zod'
import { resolveCut } from '../engine/cut.js'
import { jsonEvent, type RecordedEvent } from '../log/event.js'
import type { EventStore } from '../log/event-store.js'
import { comparePositions, formatPosition, type Position, parsePosition } from '../log/position.js'
import { InvalidPositionError, StoreUnavailableError } from '../log/store-errors.js'
import { streamOf } from '../log/stream.js'
import { type Tracing, traceContextIn } from '../log/tracing.js'
import { ALERT_CATEGORY, type AlertRecord, alertRecordIn } from './alert.js'
import { OwnStream } from './own-stream.js'
import { pauseUnless } from './pause.js'

const CATEGORY = 'makegood.webhook'
const FIRST_RETRY_MS = 500
const RETRY_MAX_MS = 60_000
const EMPTY_LOOK_MS = 20

/** PORT: sends one request and gives its status; throws where there is no answer in time, or `ending` is aborted. Redirects are not followed. */
export type Post = (body: string, headers: Readonly<Record<string, string>>, ending: AbortSignal) => Promise<number>

export interface WebhookOptions {
  readonly store: EventStore
  /** The watch whose alerts are delivered. */
  readonly watch: string
  readonly post: Post
  /** Signs each body, so that the receiver knows who sent it; left out: nothing is signed. */
  readonly secret?: string
  /** Milliseconds since the Unix epoch, for the signature. */
  readonly clock: () => number
  readonly newId: () => string
  readonly tracing?: Tracing
  /** The first pause before trying again; it doubles, up to a minute. */
  readonly retryMs?: number
  /** The webhook, or the store, did not answer as it should. It is tried again. */
  readonly onTrouble: (error: Error) => void
}

/** `position`: of the last alert delivered, or passed over at the beginning; null: the log was empty then. */
const delivered = z.object({ position: z.string().nullable() })

/** Delivers the alerts of one watch that speak for themselves. */
export class Webhook {
  readonly #options: WebhookOptions
  readonly #retryMs: number
  readonly #filter = { streamPrefixes: [`${ALERT_CATEGORY}-`] }
  #checkpoint: OwnStream | undefined
  #position: Position | undefined
  #backlog = 0
  #failures = 0

  private constructor(options: WebhookOptions) {
    this.#options = options
    this.#retryMs = options.retryMs ?? FIRST_RETRY_MS
  }

  /** Opens what was delivered; the first time it begins with the alerts written from now on. Throws what the store throws. */
  static async open(options: WebhookOptions): Promise<Webhook> {
    const webhook = new Webhook(options)
    if (!(await webhook.#readCheckpoint())) await webhook.#beginAtEnd()
    webhook.#backlog = await webhook.#countWaiting()
    return webhook
  }

  /** How many alerts wait to be delivered. */
  get backlog(): number {
    return this.#backlog
  }

  /** How often a delivery failed since the process began. */
  get failures(): number {
    return this.#failures
  }

  /** The watch has written alerts. */
  noteWritten(records: readonly AlertRecord[]): void {
    this.#backlog += records.filter((record) => this.#isMine(record)).length
  }

  /** Waits until nothing waits any more, for so long at most. */
  async empty(waitMs: number): Promise<void> {
    const stop = AbortSignal.timeout(waitMs)
    while (this.#backlog > 0 && !stop.aborted) await pauseUnless(stop, EMPTY_LOOK_MS)
  }

  /** Delivers until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    for (let pause = this.#retryMs; !signal.aborted; pause = Math.min(2 * pause, RETRY_MAX_MS)) {
      try {
        await this.#follow(signal)
      } catch (error) {
        if (error instanceof InvalidPositionError) await this.#beginAtEnd()
        else if (!(error instanceof StoreUnavailableError)) throw error
        this.#options.onTrouble(error)
      }
      await pauseUnless(signal, pause)
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    await this.#readCheckpoint()
    // Another process may have delivered since.
    this.#backlog = await this.#countWaiting()
    const subscription = this.#options.store.subscribeToAll({
      after: this.#position ?? 'start',
      filter: this.#filter,
      signal,
    })
    for await (const message of subscription) {
      if (message.kind === 'caughtUp') this.#backlog = 0
      if (message.kind !== 'events') continue
      for (const event of message.events) await this.#deliver(event, signal)
    }
  }

  /** Sends an alert until it is taken, and remembers it. */
  async #deliver(event: RecordedEvent, signal: AbortSignal): Promise<void> {
    const record = alertRecordIn(event)
    if (!this.#isMine(record)) return
    for (let pause = this.#retryMs; !signal.aborted; pause = Math.min(2 * pause, RETRY_MAX_MS)) {
      if (await this.#trace(record, event, () => this.#send(record, event.id, signal))) {
        this.#backlog = Math.max(0, this.#backlog - 1)
        return this.#remember(event.position)
      }
      await pauseUnless(signal, pause)
    }
  }

  /** Each try is a span that goes on from the one in which the alert was published. */
  #trace({ rule, change }: AlertRecord, { metadata }: RecordedEvent, send: () => Promise<boolean>): Promise<boolean> {
    const { tracing } = this.#options
    if (!tracing?.isOn) return send()
    const parent = traceContextIn(metadata) ?? null
    return tracing.inSpan('webhook.deliver', { parent, attributes: { rule, change } }, async (span) => {
      const isTaken = await send()
      if (!isTaken) span.fail('the webhook did not take it')
      return isTaken
    })
  }

  async #send(record: AlertRecord, deliveryId: string, ending: AbortSignal): Promise<boolean> {
    const { post, secret, clock, onTrouble, tracing } = this.#options
    const body = JSON.stringify({ type: 'alert', ...record })
    const signature = secret === undefined ? {} : { 'makegood-signature': signatureOf(body, secret, clock()) }
    const trace = { ...tracing?.current() }
    const headers = { 'content-type': 'application/json', 'makegood-delivery': deliveryId, ...signature, ...trace }
    try {
      const status = await post(body, headers, ending)
      if (status >= 200 && status < 300) return true
      onTrouble(new WebhookError(`The webhook answered ${status}`))
    } catch (error) {
      if (ending.aborted) return false
      onTrouble(new WebhookError('The webhook did not answer', { cause: error }))
    }
    this.#failures += 1
    return false
  }

  /** What an outage speaks for is not sent one by one, but for what somebody must be woken by. */
  #isMine({ watch, group, page }: AlertRecord): boolean {
    return watch === this.#options.watch && (group === null || page !== null)
  }

  /** Whether there is one. */
  async #readCheckpoint(): Promise<boolean> {
    const { store, watch } = this.#options
    const { stream, last } = await OwnStream.atEnd(store, streamOf(CATEGORY, watch))
    this.#checkpoint = stream
    if (!last) return false
    const { position } = delivered.parse(JSON.parse(new TextDecoder().decode(last.data)))
    this.#position = position === null ? undefined : parsePosition(position)
    return true
  }

  async #beginAtEnd(): Promise<void> {
    const end = await resolveCut(this.#options.store, { kind: 'head' }, 0)
    await this.#remember(end?.position)
  }

  async #countWaiting(): Promise<number> {
    const position = this.#position
    let count = 0
    for await (const { events } of this.#options.store.readAll({ from: position ?? 'start', filter: this.#filter })) {
      const later = events.filter((event) => !position || comparePositions(event.position, position) > 0)
      count += later.filter((event) => this.#isMine(alertRecordIn(event))).length
    }
    return count
  }

  async #remember(position: Position | undefined): Promise<void> {
    const data: z.infer<typeof delivered> = { position: position ? formatPosition(position) : null }
    const event = jsonEvent({ id: this.#options.newId(), type: 'AlertDelivered', data })
    if ((await this.#checkpoint?.append([event])) !== 'appended') {
      throw new StoreUnavailableError('Another process delivers the alerts of this watch')
    }
    this.#position = position
  }
}

/** The receiver did not take an alert. It waits, and is sent again. */
export class WebhookError extends Error {
  override readonly name = 'WebhookError'
}

/** What a body is signed with: `t=` milliseconds since the Unix epoch, `v1=` HMAC-SHA256 of `{t}.{body}` in hexadecimal digits. */
export function signatureOf(body: string, secret: string, now: number): string {
  return `t=${now},v1=${createHmac('sha256', secret).update(`${now}.${body}`).digest('hex')}`
}
