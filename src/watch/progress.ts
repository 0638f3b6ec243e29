// Progress of a watch, saved: once everything up to a place is judged and told, that place becomes the checkpoint, with what is still open.
import type { Projection } from '../engine/projection.js'
import { formatPosition } from '../log/position.js'
import type { Alert } from './alert.js'
import type { AlertLog } from './alert-log.js'
import type { CheckpointEntry } from './checkpoint.js'
import type { Flow } from './flow.js'
import type { Outages } from './outages.js'
import type { OwnAppend } from './own-stream.js'
import type { Resumed } from './resume.js'

export interface ProgressParts {
  readonly memory: Resumed
  readonly alerts: AlertLog
  readonly outages: Outages
  readonly flow: Flow
  readonly projection: Projection
  readonly newId: () => string
  readonly onStep: ((step: 'keys-written') => Promise<void>) | undefined
}

export class Progress {
  readonly #parts: ProgressParts
  /** Judged or told of since the last checkpoint. */
  readonly #changed = new Set<string>()
  #hasSaved = false
  #savedEventId: string | undefined

  constructor(parts: ProgressParts) {
    this.#parts = parts
    this.#savedEventId = parts.memory.checkpoint?.head.eventId
  }

  /** Subjects of which something may have changed. */
  note(subjects: Iterable<string>): void {
    for (const subject of subjects) this.#changed.add(subject)
  }

  get hasSaved(): boolean {
    return this.#hasSaved
  }

  /** Whether there is anything to save at the place of this event. */
  isDue(eventId: string | undefined): boolean {
    return eventId !== undefined && (this.#changed.size > 0 || eventId !== this.#savedEventId)
  }

  /**
   * Saves a place: the last event taken in, with all that was found up to it told already. `taken`: another process watches under this
   * name. Throws StoreUnavailableError; the session must then be opened anew.
   */
  async save(eventId: string): Promise<OwnAppend> {
    const { memory, newId, onStep } = this.#parts
    const { detection, checkpoints, keys } = memory
    const { position } = detection
    if (!position) return 'appended'
    if ((await keys.write(detection.keys.takeChanges(), newId)) === 'taken') return 'taken'
    await onStep?.('keys-written')
    const head = { ...this.#head(), position: formatPosition(position), eventId }
    // A watch that began at the start takes nothing over from a checkpoint that was there.
    const whole = !this.#hasSaved && memory.checkpoint === undefined
    const changes = new Map([...this.#changed].map((subject) => [subject, this.#entryOf(subject)]))
    if ((await checkpoints.save(head, changes, { whole })) === 'taken') return 'taken'
    this.#changed.clear()
    this.#hasSaved = true
    this.#savedEventId = eventId
    return 'appended'
  }

  #head() {
    const { memory, alerts, flow, projection } = this.#parts
    return {
      projection: projection.name,
      version: projection.version,
      now: memory.detection.now,
      alertHeads: alerts.heads(),
      keysHead: memory.keys.head,
      ownAlerts: alerts.alertsOf(null).map((alert) => this.#withLatestDetail(alert)),
      flow: flow.count,
    }
  }

  #withLatestDetail(alert: Alert): Alert {
    const outage = this.#parts.outages.get(alert.id)
    return outage ? { ...alert, detail: { ...outage.detail } } : alert
  }

  #entryOf(subject: string): CheckpointEntry | undefined {
    const { memory, alerts } = this.#parts
    const deadline = memory.detection.deadlines.of(subject) ?? null
    const isOpen = memory.detection.found.has(subject) || memory.detection.isUnanswered?.(subject) === true
    const ofSubject = alerts.alertsOf(subject)
    return deadline === null && !isOpen && ofSubject.length === 0 ? undefined : { deadline, isOpen, alerts: ofSubject }
  }
}
