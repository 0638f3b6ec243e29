// What was told already: the alerts that are open, as the alert streams say. An alert goes out by being written here first, behind the last
// event known of its stream, so that in each stream it stands once, whatever dies in between.
import { jsonEvent } from '../log/event.js'
import type { EventStore } from '../log/event-store.js'
import type { Revision } from '../log/revision.js'
import type { Tracing } from '../log/tracing.js'
import { ALERT_EVENTS, type Alert, type AlertRecord, alertRecordIn, alertStreamOf } from './alert.js'
import { chunksOf, type OwnAppend, OwnStream } from './own-stream.js'

export interface AlertLogOptions {
  readonly store: EventStore
  readonly watch: string
  /** Every rule that alerts may be of. */
  readonly rules: readonly string[]
  /** What a checkpoint knew: open alerts, and the last event of each stream behind which it did not look. */
  readonly known?: { readonly alerts: Iterable<Alert>; readonly heads: Readonly<Record<string, Revision>> }
  /** The last event of each stream that somebody was told of for sure; default what the checkpoint knew. */
  readonly told?: Readonly<Record<string, Revision>>
  readonly newId: () => string
  readonly tracing?: Tracing | undefined
}

export class AlertLog {
  readonly #options: AlertLogOptions
  readonly #streams: ReadonlyMap<string, OwnStream>
  readonly #open = new Map<string, Alert>()
  /** Ids of open alerts by subject; under null those that are about no single one. */
  readonly #bySubject = new Map<string | null, Set<string>>()
  /** How many open alerts each outage speaks for. */
  readonly #byGroup = new Map<string, number>()

  private constructor(options: AlertLogOptions) {
    const { store, rules, known } = options
    this.#options = options
    this.#streams = new Map(
      rules.map((rule) => [rule, new OwnStream(store, alertStreamOf(rule), known?.heads[rule] ?? -1)]),
    )
    for (const alert of known?.alerts ?? []) this.#setOpen(alert)
  }

  /** Reads what was written since the checkpoint. What may have been told to nobody is given back to be told again. */
  static async open(options: AlertLogOptions): Promise<{ log: AlertLog; since: readonly AlertRecord[] }> {
    const log = new AlertLog(options)
    const since: AlertRecord[] = []
    const told = options.told ?? options.known?.heads ?? {}
    for (const [rule, stream] of log.#streams) {
      const own = await log.#readOwn(stream)
      since.push(...own.filter(({ revision }) => revision > (told[rule] ?? -1)).map(({ record }) => record))
    }
    since.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
    return { log, since }
  }

  /** The open alerts of a subject; null: those that are about no single one. */
  alertsOf(subject: string | null): Alert[] {
    const ids = this.#bySubject.get(subject) ?? []
    return [...ids].flatMap((id) => this.#open.get(id) ?? [])
  }

  /** How many open alerts an outage speaks for. */
  countOfGroup(group: string): number {
    return this.#byGroup.get(group) ?? 0
  }

  /** All open alerts. */
  all(): Iterable<Alert> {
    return this.#open.values()
  }

  /** Subjects that have open alerts. */
  subjects(): string[] {
    return [...this.#bySubject.keys()].filter((subject) => subject !== null)
  }

  /** The last event known of each stream, by rule. */
  heads(): Record<string, Revision> {
    return Object.fromEntries([...this.#streams].map(([rule, { head }]) => [rule, head]))
  }

  /**
   * Writes changes of alerts, in order within each rule. `taken`: another process watches under this name. Throws StoreUnavailableError; what
   * was written is then known only after opening it anew.
   */
  async write(records: readonly AlertRecord[]): Promise<OwnAppend> {
    for (const [rule, ofRule] of groupByRule(records)) {
      const stream = this.#streams.get(rule)
      if (!stream) throw new TypeError(`No alerts of rule ${rule} were announced`)
      for (const chunk of chunksOf(ofRule)) {
        if ((await this.#append(stream, chunk)) === 'taken') return 'taken'
      }
    }
    return 'appended'
  }

  async #append(stream: OwnStream, records: readonly AlertRecord[]): Promise<OwnAppend> {
    // Where nobody traces, no metadata.
    const metadata = this.#options.tracing?.current()
    const events = records.map((data) =>
      jsonEvent({ id: this.#options.newId(), type: ALERT_EVENTS[data.change], data, metadata }),
    )
    while ((await stream.append(events)) === 'taken') {
      const { head } = stream
      const own = await this.#readOwn(stream)
      // Watches of other names write here too; one of this name may not. A stream that has nothing new was cut back by a restored store.
      if (own.length > 0 || stream.head === head) return 'taken'
    }
    for (const record of records) this.#apply(record)
    return 'appended'
  }

  async #readOwn(stream: OwnStream): Promise<{ record: AlertRecord; revision: Revision }[]> {
    const events = await stream.readNew()
    const records = events.map((event) => ({ record: alertRecordIn(event), revision: event.revision }))
    const own = records.filter(({ record }) => record.watch === this.#options.watch)
    for (const { record } of own) this.#apply(record)
    return own
  }

  #apply({ change, watch: _watch, at: _at, detail, ...alert }: AlertRecord): void {
    if (change === 'resolved') this.#removeOpen(alert)
    else this.#setOpen(alert.subject === null ? { ...alert, detail } : alert)
  }

  #setOpen(alert: Alert): void {
    this.#countGroup(this.#open.get(alert.id), -1)
    this.#countGroup(alert, 1)
    this.#open.set(alert.id, alert)
    const ids = this.#bySubject.get(alert.subject)
    if (ids) ids.add(alert.id)
    else this.#bySubject.set(alert.subject, new Set([alert.id]))
  }

  #removeOpen({ id, subject }: Alert): void {
    this.#countGroup(this.#open.get(id), -1)
    this.#open.delete(id)
    const ids = this.#bySubject.get(subject)
    ids?.delete(id)
    if (ids?.size === 0) this.#bySubject.delete(subject)
  }

  #countGroup(alert: Alert | undefined, by: 1 | -1): void {
    if (!alert || alert.group === null) return
    const count = this.countOfGroup(alert.group) + by
    if (count > 0) this.#byGroup.set(alert.group, count)
    else this.#byGroup.delete(alert.group)
  }
}

function groupByRule(records: readonly AlertRecord[]): Map<string, AlertRecord[]> {
  const groups = new Map<string, AlertRecord[]>()
  for (const record of records) {
    const group = groups.get(record.rule)
    if (group) group.push(record)
    else groups.set(record.rule, [record])
  }
  return groups
}
