// One run of a watch, from its checkpoint until it is drained, dispossessed or cut off: what becomes of each input. Inputs come one after
// the other (watcher.ts), so nothing here happens twice at once.
import { rulesOf } from '../engine/detect.js'
import type { FoldedSubject } from '../engine/fold.js'
import type { RecordedEvent } from '../log/event.js'
import type { SubscriptionMessage } from '../log/event-store.js'
import { comparePositions, type Position } from '../log/position.js'
import { StoreUnavailableError } from '../log/store-errors.js'
import { msOfTicks } from '../log/ticks.js'
import { type AlertRecord, OWN_RULES } from './alert.js'
import { AlertLog } from './alert-log.js'
import type { Detection, FlowStep } from './detection.js'
import { Flow } from './flow.js'
import { Outages } from './outages.js'
import { ensureAlert, type OwnCondition } from './own-alerts.js'
import type { OwnAppend } from './own-stream.js'
import { Progress } from './progress.js'
import { Publisher, WITHHELD_RETRY_MS } from './publisher.js'
import { type FreshStart, type Resumed, resume } from './resume.js'
import type { Outcome, SessionOptions } from './session-options.js'
import { isCurrent, isLagging, nextState, type WatchEvent, type WatchState } from './watch-state.js'

interface Parts {
  readonly memory: Resumed
  readonly alerts: AlertLog
  readonly outages: Outages
  readonly flow: Flow
}

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
  /** Since when the end of the log is not known; undefined while it is. */
  #laggingSince: number | undefined
  /** Ids of the alerts that were open when they were last told of again. */
  #remindable = new Set<string>()
  #wasCurrent = false
  #heartbeatAt: number

  private constructor(options: SessionOptions, { memory, alerts, outages, flow }: Parts) {
    const { store, name: watch, projection, newId, onStep, onWritten } = options
    const { detection } = memory
    this.#options = options
    this.detection = detection
    this.alerts = alerts
    this.#outages = outages
    this.#flow = flow
    this.freshStart = memory.freshStart
    this.#eventId = memory.checkpoint?.head.eventId
    this.#laggingSince = options.clock()
    this.#heartbeatAt = options.clock()
    const onAlert = (record: AlertRecord) => this.#onAlert(record)
    const told = { onAlert, onWritten, onStep }
    this.#publisher = new Publisher({ reader: store, watch, detection, alerts, outages, ...told })
    this.#progress = new Progress({ memory, alerts, outages, flow, projection, newId, onStep })
  }

  /**
   * Opens what the watch knows, and tells again what was written since its checkpoint: nobody may have heard of it. Throws CheckpointRefusedError and
   * what the store throws.
   */
  static async open(options: SessionOptions): Promise<Session> {
    const { store, name, projection, newId, outage, source } = options
    let session: Session | undefined
    const onFolded = (event: RecordedEvent, folded: FoldedSubject) => session?.noteFolded(event, folded)
    const onFlow = (step: FlowStep) => (session as Session).#flow.note(step)
    const memory = await resume({ ...options, onFolded, onFlow })
    const { checkpoint } = memory
    const rules = [...rulesOf(projection).map(({ id }) => id), ...Object.values(OWN_RULES), ...(source?.rules ?? [])]
    const known = checkpoint && {
      alerts: [...checkpoint.head.ownAlerts, ...[...checkpoint.entries.values()].flatMap((entry) => entry.alerts)],
      heads: checkpoint.head.alertHeads,
    }
    // Begun anew, it has told all the same what the checkpoint that is left behind knew to be told.
    const told = memory.freshStart === 'asked' ? memory.checkpoints.checkpoint?.head.alertHeads : undefined
    const parts = { ...(known && { known }), ...(told && { told }) }
    const { log: alerts, since } = await AlertLog.open({ store, watch: name, rules, newId, ...parts })
    const outages = new Outages(outage, newId)
    for (const { id, detail } of alerts.alertsOf(null)) outages.restore(id, detail)
    const flow = new Flow(projection.live?.flow, outage, checkpoint?.head.flow)
    session = new Session(options, { memory, alerts, outages, flow })
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
    return this.#laggingSince === undefined ? 0 : this.#options.clock() - this.#laggingSince
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
    const lagAlarm = this.#laggingSince !== undefined && !this.#isOpen(OWN_RULES.lag)
    const stopped = this.#isOpen(OWN_RULES.deliveryStopped)
    const moments = isCurrent(this.#state)
      ? [
          this.detection.deadlines.next(),
          this.#outages.next(this.now),
          stopped ? undefined : this.#flow.next(),
          this.#publisher.isWithholding ? this.now + WITHHELD_RETRY_MS : undefined,
        ]
      : []
    const alarmAt = (this.#laggingSince ?? 0) + this.#options.lagAlarmMs
    // One that is over and could not be written is tried again with other inputs.
    if (lagAlarm && alarmAt > this.now) moments.push(alarmAt)
    const known = moments.filter((moment) => moment !== undefined)
    return known.length === 0 ? undefined : Math.min(...known)
  }

  /** Takes in what the subscription says. */
  async message(message: SubscriptionMessage): Promise<Outcome> {
    switch (message.kind) {
      case 'events':
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
    if (!isLagging(state)) this.#laggingSince = undefined
    else this.#laggingSince ??= this.#options.clock()
    this.#options.onState?.(state)
  }

  /** Called by the detection for each event that it folds. */
  noteFolded(event: RecordedEvent, { subject, state }: FoldedSubject): void {
    const { clock, projection, onDelivery } = this.#options
    const at = event.created === undefined ? clock() : msOfTicks(event.created)
    this.#flow.note({ type: event.type, subject, at })
    if (!isCurrent(this.#state) || !onDelivery || !this.#flow.isEnd(event.type)) return
    const took = projection.live?.tookMs?.(state, event.id)
    if (took !== undefined) onDelivery(took)
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
      () => this.#ensure(OWN_RULES.deliveryStopped, this.#deliveryStopped(now), now),
      () => this.#ensure(OWN_RULES.lag, this.#lag(now), now),
      () => this.#ensure(OWN_RULES.repairStopped, this.#options.repairStopped?.(), now),
    ]
    for (const step of steps) if ((await step()) === 'taken') return 'taken'
    return 'on'
  }

  /** The alarm must not end the watch that lags: where it cannot be written now, it is tried again with the next input. */
  async #alarmLag(now: number): Promise<Outcome> {
    const lag = this.#lag(now)
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

  #lag(now: number): OwnCondition | undefined {
    const since = this.#laggingSince ?? this.#publisher.withholdingSince ?? this.detection.behindSince?.()
    if (since === undefined || now - since < this.#options.lagAlarmMs) return undefined
    return { since, page: 'the watch lags', detail: { state: this.#state } }
  }

  #deliveryStopped(now: number): OwnCondition | undefined {
    if (!this.#flow.isStopped(now)) return undefined
    const { count, firstAt, first, last } = this.#flow.count
    const page = 'deliveries begin and none ends'
    return { since: firstAt ?? now, page, detail: { count, first: { subject: first }, last: { subject: last } } }
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
