// One run of a watch, from its checkpoint until it is drained, dispossessed or cut off: what becomes of each input. Inputs come one after
// the other (watcher.ts), so nothing here happens twice at once.
import type { FoldedSubject } from '../engine/fold.js'
import type { RecordedEvent } from '../log/event.js'
import type { SubscriptionMessage } from '../log/event-store.js'
import { comparePositions, type Position } from '../log/position.js'
import { StoreUnavailableError } from '../log/store-errors.js'
import { msOfTicks } from '../log/ticks.js'
import { type AlertRecord, OWN_RULES } from './alert.js'
import type { AlertLog } from './alert-log.js'
import type { Detection, FlowStep } from './detection.js'
import type { Flow } from './flow.js'
import { Lag } from './lag.js'
import type { Outages } from './outages.js'
import { ensureAlert, type OwnCondition } from './own-alerts.js'
import type { OwnAppend } from './own-stream.js'
import { Progress } from './progress.js'
import { Publisher, WITHHELD_RETRY_MS } from './publisher.js'
import type { FreshStart } from './resume.js'
import type { Outcome, SessionOptions } from './session-options.js'
import { openParts, type SessionParts } from './session-parts.js'
import { TracedBatch } from './traced-batch.js'
import { isCurrent, nextState, type WatchEvent, type WatchState } from './watch-state.js'

export class Session {
  readonly detection: Detection
  readonly alerts: AlertLog
  readonly freshStart: FreshStart | undefined
  readonly #options: SessionOptions
  readonly #publisher: Publisher
  readonly #outages: Outages
  readonly #flow: Flow
  readonly #progress: Progress
  #state: WatchState = 'starting'
  #eventId: string | undefined
  #lastCreated: number | undefined
  readonly #lag: Lag
  readonly #traced: TracedBatch
  /** Ids of the alerts that were open when they were last told of again. */
  #remindable = new Set<string>()
  #wasCurrent = false
  #heartbeatAt: number

  private constructor(options: SessionOptions, { memory, alerts, outages, flow }: SessionParts) {
    const { store, name: watch, projection, newId, onStep, onWritten } = options
    const { detection } = memory
    this.#options = options
    this.detection = detection
    this.alerts = alerts
    this.#outages = outages
    this.#flow = flow
    this.freshStart = memory.freshStart
    this.#eventId = memory.checkpoint?.head.eventId
    this.#traced = new TracedBatch(options.tracing)
    this.#lag = new Lag(options.clock, options.lagAlarmMs)
    this.#heartbeatAt = options.clock()
    const onAlert = (record: AlertRecord) => this.#onAlert(record)
    const told = { onAlert, onWritten, onStep, traced: this.#traced, consumer: options.consumer }
    this.#publisher = new Publisher({ reader: store, watch, detection, alerts, outages, ...told })
    this.#progress = new Progress({ memory, alerts, outages, flow, projection, newId, onStep })
  }

  /**
   * Opens what the watch knows, and tells again what was written since its checkpoint: nobody may have heard of it. Throws CheckpointRefusedError and
   * what the store throws.
   */
  static async open(options: SessionOptions): Promise<Session> {
    let session: Session | undefined
    const onFolded = (event: RecordedEvent, folded: FoldedSubject) => session?.noteFolded(event, folded)
    const onFlow = (step: FlowStep) => (session as Session).#flow.note(step)
    const { since, ...parts } = await openParts(options, { onFolded, onFlow })
    session = new Session(options, parts)
    for (const record of since) options.onAlert(record)
    return session
  }

  get state(): WatchState {
    return this.#state
  }

  /** The place of the last event taken in. */
  get position(): Position | undefined {
    return this.detection.position
  }

  get eventId(): string | undefined {
    return this.#eventId
  }

  /** When the log took the last event taken in, in milliseconds since the Unix epoch. */
  get lastCreated(): number | undefined {
    return this.#lastCreated
  }

  /** How long ago an input was last taken, in milliseconds. */
  get heartbeatAgeMs(): number {
    return this.#options.clock() - this.#heartbeatAt
  }

  /** Deliveries that have begun since the last one that ended. */
  get unanswered(): number {
    return this.#flow.count.count
  }

  /** How long the end of the log has not been known, in milliseconds. */
  get lagMs(): number {
    return this.#lag.ms
  }

  /** The present, as rules see it. */
  get now(): number {
    return Math.max(this.#options.clock(), this.detection.now)
  }

  /** How far the present is ahead of the clock, in milliseconds: a clock was wrong, now or before. */
  get aheadMs(): number {
    return this.now - this.#options.clock()
  }

  /** When there is something to do though no event comes, in milliseconds since the Unix epoch. */
  nextMoment(): number | undefined {
    const stopped = this.#isOpen(OWN_RULES.deliveryStopped)
    const moments = isCurrent(this.#state)
      ? [
          this.detection.deadlines.next(),
          this.#outages.next(this.now),
          stopped ? undefined : this.#flow.next(),
          this.#publisher.isWithholding ? this.now + WITHHELD_RETRY_MS : undefined,
        ]
      : []
    // One that is over and could not be written is tried again with other inputs.
    if (!this.#isOpen(OWN_RULES.lag)) moments.push(this.#lag.alarmAt(this.now))
    const known = moments.filter((moment) => moment !== undefined)
    return known.length === 0 ? undefined : Math.min(...known)
  }

  /** Takes in the log from its start to its end at one go, where nothing was taken in yet. Aborted, nothing was taken in. */
  async begin(signal: AbortSignal): Promise<Outcome> {
    if (this.position) return 'on'
    try {
      const last = await this.detection.addFromStart?.(this.now, {
        signal,
        onEvent: (event, subject) => subject !== undefined && this.#noteFlow(event, subject),
        onStep: () => this.#showLife(),
      })
      this.#noteLast(last)
    } catch (error) {
      if (!signal.aborted) throw error
    }
    return 'on'
  }

  /** Takes in what the subscription says. */
  async message(message: SubscriptionMessage): Promise<Outcome> {
    switch (message.kind) {
      case 'events':
        this.#traced.begin(message.events.length)
        await this.detection.add(message.events)
        this.#noteLast(message.events.at(-1))
        return this.#settle()
      case 'caughtUp':
        this.enter('caught-up')
        return (await this.#settle()) === 'taken' ? 'taken' : this.save()
      case 'fellBehind':
        this.enter('fell-behind')
        return 'on'
      case 'checkpoint':
        return 'on'
    }
  }

  /** A moment has come at which something may be due. */
  tick(): Promise<Outcome> {
    this.#traced.begin(0)
    return this.#settle()
  }

  /** Whether a checkpoint was saved by this session. */
  get hasSaved(): boolean {
    return this.#progress.hasSaved
  }

  /** Saves what is judged and told; nothing while the end of the log is not known. */
  async save(): Promise<Outcome> {
    if (!isCurrent(this.#state) || !this.detection.isSettled || !this.#progress.isDue(this.#eventId)) return 'on'
    const saved = await this.#progress.save(this.#eventId ?? '')
    await this.#options.onStep?.('saved')
    return saved === 'taken' ? 'taken' : 'on'
  }

  /** Tells again of the alerts that were open the last time already. */
  async remind(): Promise<Outcome> {
    if (!isCurrent(this.#state)) return 'on'
    const remindable = this.#remindable
    this.#remindable = new Set([...this.alerts.all()].map(({ id }) => id))
    return outcomeOf(await this.#publisher.remind(({ id }) => remindable.has(id), this.now))
  }

  /** Judges, tells and saves what was taken in, and ends. */
  async drain(): Promise<Outcome> {
    const settled = await this.#settle()
    const saved = settled === 'on' ? await this.save() : settled
    this.enter('drain')
    this.enter('ended')
    return saved === 'on' ? 'drained' : saved
  }

  /** Goes to the state that an event leads to. */
  enter(event: WatchEvent): void {
    const state = nextState(this.#state, event)
    if (state === this.#state) return
    this.#state = state
    this.#lag.enter(state)
    this.#options.onState?.(state)
  }

  /** Called by the detection for each event that it folds. */
  noteFolded(event: RecordedEvent, { subject, state }: FoldedSubject): void {
    const { projection, onDelivery } = this.#options
    this.#noteFlow(event, subject)
    this.#traced.note(subject, event)
    if (!isCurrent(this.#state) || !onDelivery || !this.#flow.isEnd(event.type)) return
    const took = projection.live?.tookMs?.(state, event.id)
    if (took !== undefined) onDelivery(took)
  }

  #noteFlow({ type, created }: RecordedEvent, subject: string): void {
    const at = created === undefined ? this.#options.clock() : msOfTicks(created)
    this.#flow.note({ type, subject, at })
  }

  /** In the midst of something long. */
  async #showLife(): Promise<void> {
    this.#heartbeatAt = this.#options.clock()
    await this.#alarmLag(this.now)
  }

  /** Judges and tells whatever is due; while the end of the log is not known, only that it is not. */
  async #settle(): Promise<Outcome> {
    const { now } = this
    this.#heartbeatAt = this.#options.clock()
    if (!isCurrent(this.#state)) return this.#alarmLag(now)
    const judged = await this.detection.judge(now)
    this.#progress.note(judged)
    // What a former run has told of and what is true now may differ in subjects that nothing has touched since.
    const asked = this.#wasCurrent ? judged : [...judged, ...this.alerts.subjects()]
    this.#wasCurrent = true
    const steps = [
      () => this.#publisher.publish(asked, now),
      () => this.#publisher.endOutages(now),
      () => this.#ensure(OWN_RULES.deliveryStopped, this.#flow.stopped(now), now),
      () => this.#ensure(OWN_RULES.lag, this.#lagCondition(now), now),
      () => this.#ensure(OWN_RULES.repairStopped, this.#options.repairStopped?.(), now),
    ]
    for (const step of steps) if ((await step()) === 'taken') return 'taken'
    return 'on'
  }

  /** The alarm must not end the watch that lags: where it cannot be written now, it is tried again with the next input. */
  async #alarmLag(now: number): Promise<Outcome> {
    const lag = this.#lagCondition(now)
    if (!lag) return 'on'
    try {
      return outcomeOf(await this.#ensure(OWN_RULES.lag, lag, now))
    } catch (error) {
      if (error instanceof StoreUnavailableError) return 'on'
      throw error
    }
  }

  #ensure(rule: string, condition: OwnCondition | undefined, now: number): Promise<OwnAppend> {
    const { newId } = this.#options
    return ensureAlert(rule, condition, { alerts: this.alerts, publisher: this.#publisher, newId, now })
  }

  #lagCondition(now: number): OwnCondition | undefined {
    const { consumer } = this.#options
    const others = { consumer: consumer?.waitingSince, others: this.detection.behindSince?.() }
    return this.#lag.condition(now, { unread: this.#publisher.withholdingSince, ...others })
  }

  #isOpen(rule: string): boolean {
    return this.alerts.alertsOf(null).some((alert) => alert.rule === rule)
  }

  #noteLast(event: RecordedEvent | undefined): void {
    if (!event || !this.position || comparePositions(event.position, this.position) !== 0) return
    this.#eventId = event.id
    this.#lastCreated = event.created === undefined ? undefined : msOfTicks(event.created)
  }

  #onAlert(record: AlertRecord): void {
    if (record.subject !== null) this.#progress.note([record.subject])
    this.#options.onAlert(record)
  }
}

function outcomeOf(append: OwnAppend): Outcome {
  return append === 'taken' ? 'taken' : 'on'
}
