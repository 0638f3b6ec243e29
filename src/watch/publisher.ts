// From findings to alerts: what is true now against what was told already. Each change is written to its alert stream first and told then;
// what could be only unread is withheld until it is known.
import { HISTORY_INCOMPLETE } from '../engine/detect.js'
import type { Finding } from '../engine/finding.js'
import type { JsonObject, JsonValue } from '../engine/json.js'
import type { EventReader } from '../log/event-store.js'
import type { Revision } from '../log/revision.js'
import { type Alert, type AlertChange, type AlertRecord, OWN_RULES } from './alert.js'
import type { AlertLog } from './alert-log.js'
import type { Consumer } from './consumer.js'
import type { Detection } from './detection.js'
import type { OpenFinding } from './open-finding.js'
import type { Opening, Outage, Outages } from './outages.js'
import type { OwnAppend } from './own-stream.js'
import type { TracedBatch } from './traced-batch.js'

export interface PublisherOptions {
  readonly reader: EventReader
  readonly watch: string
  readonly detection: Pick<Detection, 'found' | 'awaits' | 'cannotTell'>
  readonly alerts: AlertLog
  readonly outages: Outages
  /** Told of each change of an alert once it is written. */
  readonly onAlert: (record: AlertRecord) => void
  /** Told of what was written, before anybody else is told. */
  readonly onWritten?: ((records: readonly AlertRecord[]) => void) | undefined
  /** The consumer that delivers: what it has not come to is not missing. Left out: nothing is known of it. */
  readonly consumer?: Consumer | undefined
  /** For their traces. */
  readonly traced: TracedBatch
  readonly onStep?: ((step: 'alerts-written' | 'told') => Promise<void>) | undefined
}

/** Subjects whose streams are looked at together. */
const LOOK_AT_ONCE = 64
/** How long it waits for events that the log has and the watch does not yet. */
export const WITHHELD_RETRY_MS = 100

/** A change of an alert, before it is written. */
export interface Change {
  readonly change: AlertChange
  readonly alert: Alert
  readonly detail: JsonObject
}

export class Publisher {
  readonly #options: PublisherOptions
  /** Subjects with something to tell whose streams held more than was folded. */
  readonly #withheld = new Set<string>()
  #withholdingSince: number | undefined

  constructor(options: PublisherOptions) {
    this.#options = options
  }

  /** Whether something waits for events that are on their way. */
  get isWithholding(): boolean {
    return this.#withheld.size > 0
  }

  /** Since when something has been waiting all the time, in milliseconds since the Unix epoch. */
  get withholdingSince(): number | undefined {
    return this.#withholdingSince
  }

  /**
   * Tells what has changed about these subjects, at `now` (milliseconds since the Unix epoch). `taken`: another process watches under this
   * name. Throws StoreUnavailableError; what was written is then known only after opening the alerts anew.
   */
  async publish(subjects: Iterable<string>, now: number): Promise<OwnAppend> {
    const { consumer } = this.#options
    const moved = (await consumer?.takeMoved()) ?? []
    const asked = [...new Set([...subjects, ...moved, ...this.#withheld])]
    consumer?.forget(asked)
    const changed = asked.flatMap((subject) => {
      const changes = this.#changesOf(subject)
      return changes.length === 0 ? [] : [{ subject, changes }]
    })
    const current = await this.#keepCurrent(changed)
    for (const subject of asked) this.#withheld.delete(subject)
    for (const { subject } of changed) if (!current.has(subject)) this.#withheld.add(subject)
    this.#withholdingSince = this.isWithholding ? (this.#withholdingSince ?? now) : undefined
    const changes = changed.flatMap(({ subject, changes }) => (current.has(subject) ? changes : []))
    const reached = consumer ? await this.#keepReached(changes, consumer) : changes
    consumer?.settle(now)
    return this.tell(this.#grouped(reached, now), now)
  }

  /** What is owed may only be not yet delivered as long as whoever delivers has not come to it; everything else is told. */
  async #keepReached(changes: readonly Change[], consumer: Consumer): Promise<Change[]> {
    const reached: Change[] = []
    for (const one of changes) {
      const found = one.change === 'opened' ? this.#options.detection.found.get(one.alert.subject ?? '') : undefined
      const finding = found?.find((open) => open.finding.id === one.alert.id)?.finding
      const isOwed = finding?.disposition === 'repair'
      if (!isOwed || (await consumer.hasPassed(finding))) reached.push(one)
    }
    return reached
  }

  /** Tells of the outages that are over. */
  endOutages(now: number): Promise<OwnAppend> {
    const { alerts, outages } = this.#options
    const ended = outages.takeEnded(now, (id) => alerts.countOfGroup(id) > 0)
    return this.tell(
      ended.map((outage) => outageChange('resolved', outage, 0)),
      now,
    )
  }

  /** Tells again of what is open and speaks for itself. */
  remind(isDue: (alert: Alert) => boolean, now: number): Promise<OwnAppend> {
    const { alerts, detection, outages } = this.#options
    const open = [...alerts.all()].filter((alert) => alert.group === null && isDue(alert))
    const changes = open.map((alert): Change => {
      const outage = outages.get(alert.id)
      if (outage) return outageChange('still-open', outage, alerts.countOfGroup(alert.id))
      const found = alert.subject === null ? undefined : detection.found.get(alert.subject)
      const finding = found?.find((one) => one.finding.id === alert.id)
      return { change: 'still-open', alert, detail: finding ? detailOf(finding) : (alert.detail ?? {}) }
    })
    return this.tell(changes, now)
  }

  #changesOf(subject: string): Change[] {
    const { detection, alerts } = this.#options
    const told = new Map(alerts.alertsOf(subject).map((alert) => [alert.id, alert]))
    const changes: Change[] = []
    // By id: where a rule is asked twice about the same thing, it is still one.
    const found = new Map((detection.found.get(subject) ?? []).map((open) => [open.finding.id, open]))
    for (const [id, open] of found) {
      if (open.finding.disposition === 'observe') continue
      const before = told.get(id)
      told.delete(id)
      const isUrgentNow = before?.page === null && open.page !== undefined
      if (before && !isUrgentNow) continue
      const alert = { ...alertOf(open), group: before?.group ?? null }
      changes.push({ change: before ? 'escalated' : 'opened', alert, detail: detailOf(open) })
    }
    for (const alert of told.values()) {
      if (!detection.cannotTell?.(alert.rule, subject)) changes.push({ change: 'resolved', alert, detail: {} })
    }
    return changes
  }

  /**
   * Which of these subjects hold nothing newer than was folded. What is missing may only be unread as long as the log has more of it: then
   * nothing is said, neither that it is missing nor that it is there.
   */
  async #keepCurrent(changed: readonly { readonly subject: string }[]): Promise<Set<string>> {
    const current = new Set<string>()
    for (let start = 0; start < changed.length; start += LOOK_AT_ONCE) {
      const some = changed.slice(start, start + LOOK_AT_ONCE)
      await Promise.all(
        some.map(async ({ subject }) => {
          if (await this.#isCurrent(subject)) current.add(subject)
        }),
      )
    }
    return current
  }

  async #isCurrent(subject: string): Promise<boolean> {
    const { detection, reader } = this.#options
    if (detection.awaits?.(subject)) return false
    const found = detection.found.get(subject) ?? []
    const [first] = found
    // Of streams that are cut off or deleted the end cannot be told, and nothing rests on what they do not have.
    if (!first || found.some(({ finding }) => finding.rule === HISTORY_INCOMPLETE.id)) return true
    const heads = Object.entries(first.finding.evidence.revisions).map(([stream, head]) => isHead(reader, stream, head))
    return (await Promise.all(heads)).every(Boolean)
  }

  /** Openings are counted first: the outage that they begin speaks for all of them. */
  #grouped(changes: readonly Change[], now: number): Change[] {
    const { outages } = this.#options
    const openings = changes.flatMap(({ change, alert }): Opening[] => {
      if (change !== 'opened' || alert.subject === null) return []
      const since = alert.since === null ? Number.NaN : Date.parse(alert.since)
      return [{ rule: alert.rule, subject: alert.subject, since: Number.isNaN(since) ? now : since }]
    })
    const begun = outages.note(openings, now).map((outage) => outageChange('opened', outage, outage.detail.count))
    const grouped = changes.map((one) => {
      const group = one.change === 'opened' ? (outages.of(one.alert.rule, now)?.id ?? null) : one.alert.group
      return { ...one, alert: { ...one.alert, group } }
    })
    return [...begun, ...grouped]
  }

  /** Writes changes of alerts and tells of them; like `publish`, but nothing is withheld. */
  async tell(changes: readonly Change[], now: number): Promise<OwnAppend> {
    if (changes.length === 0) return 'appended'
    const { watch, traced } = this.#options
    const alerts = changes.map(({ alert }) => alert)
    return traced.publish(watch, alerts, () => this.#write(changes, now))
  }

  async #write(changes: readonly Change[], now: number): Promise<OwnAppend> {
    const { alerts, watch, onWritten, onAlert, onStep } = this.#options
    const at = new Date(now).toISOString()
    const records = changes.map(({ change, alert, detail }): AlertRecord => ({ ...alert, change, watch, at, detail }))
    if ((await alerts.write(records)) === 'taken') return 'taken'
    onWritten?.(records)
    await onStep?.('alerts-written')
    for (const record of records) onAlert(record)
    await onStep?.('told')
    return 'appended'
  }
}

/** Whether a stream ends with a revision; null: has no event. */
async function isHead(reader: EventReader, stream: string, revision: Revision | null): Promise<boolean> {
  const read = await reader.readStream(stream, { direction: 'backwards', maxCount: 1 })
  let head: Revision | null = null
  if (read.kind === 'found') for await (const [last] of read.events) head = last?.revision ?? head
  return head === revision
}

function alertOf({ finding, page }: OpenFinding): Alert {
  const { id, rule, subject, severity, since } = finding
  return { id, rule, subject, severity, since, page: page ?? null, group: null }
}

/** An alert names at most so many events of its evidence; the finding itself has all. */
const EVENTS_MAX = 50
/** A finding's own detail is left out where it is longer than this, as JSON: an alert must fit into an event. */
const DETAIL_LENGTH_MAX = 64 * 1024

/** What a person wants to see of a finding beside what the alert itself says. */
function detailOf({ finding, value }: OpenFinding): JsonObject {
  const { disposition, evidence, heldBy, occurrence }: Finding = finding
  const isShort = JSON.stringify(finding.detail).length <= DETAIL_LENGTH_MAX
  const detail = isShort ? finding.detail : { tooLong: true }
  return {
    disposition,
    ...(occurrence !== undefined && { occurrence }),
    ...(heldBy && { heldBy }),
    ...(value && { value: { ...value } }),
    events: evidence.events.slice(0, EVENTS_MAX),
    revisions: evidence.revisions,
    detail,
  }
}

function outageChange(change: AlertChange, { id, detail }: Outage, stillOpen: number): Change {
  const since = new Date(detail.first.since).toISOString()
  const page = `many at once: ${detail.of}`
  const alert = { id, rule: OWN_RULES.outage, subject: null, severity: 1, since, page, group: null }
  return { change, alert, detail: { ...detail, stillOpen, window: { from: since, to: isoOf(detail.last.since) } } }
}

function isoOf(ms: number): JsonValue {
  return new Date(ms).toISOString()
}
