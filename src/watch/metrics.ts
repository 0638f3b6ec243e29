// Metrics of a watch for Prometheus: what operators look at, worked out when they are asked for. Names end in their units.
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { AlertRecord } from './alert.js'
import type { LiveLookups } from './live-lookups.js'
import type { OpenFinding } from './open-finding.js'
import type { Session } from './session.js'
import { isCurrent, WATCH_STATES } from './watch-state.js'

/** Bounds of a delivery's time, in seconds: from a second to a day. */
const DELIVERY_SECONDS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 14_400, 86_400]

const AGES: readonly (readonly [label: string, belowMs: number])[] = [
  ['15m', 900_000],
  ['1h', 3_600_000],
  ['6h', 21_600_000],
  ['24h', 86_400_000],
  ['older', Number.POSITIVE_INFINITY],
]

/** What metrics are taken from. */
export interface MetricsSource {
  /** The session that runs; undefined while the watch stands by or begins. */
  session(): Session | undefined
  /** Alerts that wait for a webhook, where there is one. */
  /** Who is asked beside the log, where anybody is. */
  lookups?(): Pick<LiveLookups, 'backlog' | 'failures' | 'skipped'> | undefined
  /** The consumer that delivers, where its checkpoint is known. */
  consumer?(): { readonly backlog: number } | undefined
  webhook(): { readonly backlog: number; readonly failures: number } | undefined
}

export class WatchMetrics {
  readonly registry = new Registry()
  readonly #source: MetricsSource
  readonly #deliveries: Histogram
  readonly #changes: Counter
  readonly #repairs: Counter

  constructor(source: MetricsSource) {
    this.#source = source
    const registers = [this.registry]
    this.#deliveries = new Histogram({
      name: 'makegood_delivery_seconds',
      help: 'Time from payment to delivery, of deliveries seen live.',
      buckets: DELIVERY_SECONDS,
      registers,
    })
    this.#changes = new Counter({
      name: 'makegood_alert_changes_total',
      help: 'Changes of alerts, by what became of them.',
      labelNames: ['rule', 'change'],
      registers,
    })
    this.#repairs = new Counter({
      name: 'makegood_repairs_total',
      help: 'Items repaired by policy, by what became of them.',
      labelNames: ['outcome'],
      registers,
    })
    this.#addWatch()
    this.#addCoverage()
    this.#addFindings()
    this.#addAlerts()
    this.#addLookups()
  }

  /** A delivery was seen that took so many milliseconds. */
  observeDelivery(tookMs: number): void {
    this.#deliveries.observe(tookMs / 1000)
  }

  countChange({ rule, change }: AlertRecord): void {
    this.#changes.inc({ rule, change })
  }

  countRepairs(outcomes: Readonly<Record<string, number>>): void {
    for (const [outcome, count] of Object.entries(outcomes)) this.#repairs.inc({ outcome }, count)
  }

  #addWatch(): void {
    const state = this.#gauge(
      'makegood_watch_state',
      'The state of the watch: 1 for the one it is in.',
      ['state'],
      () => {
        const now = this.#source.session()?.state
        for (const one of WATCH_STATES) state.set({ state: one }, now === one ? 1 : 0)
      },
    )
    this.#number('makegood_watch_ready', '1 while the log is known to its end.', (session) =>
      isCurrent(session.state) ? 1 : 0,
    )
    this.#number(
      'makegood_watch_lag_seconds',
      'How long the end of the log has not been known.',
      ({ lagMs }) => lagMs / 1000,
    )
    this.#number(
      'makegood_watch_heartbeat_age_seconds',
      'How long ago the watch last did anything; it does something every second.',
      ({ heartbeatAgeMs }) => heartbeatAgeMs / 1000,
    )
    this.#number('makegood_watch_last_event_timestamp_seconds', 'When the log took the last event read.', (session) =>
      session.lastCreated === undefined ? undefined : session.lastCreated / 1000,
    )
  }

  #addCoverage(): void {
    this.#number('makegood_watch_position', 'The commit position of the last event read.', ({ position }) =>
      position === undefined ? undefined : Number(position.commit),
    )
    const counts: readonly (readonly [string, string, 'events' | 'undecodable' | 'gaps' | 'unattributable'])[] = [
      ['events', 'Events folded since the session began.', 'events'],
      ['unknown_events', 'Events that could not be decoded since the session began.', 'undecodable'],
      ['gaps', 'Holes in streams met since the session began.', 'gaps'],
      ['unattributable_events', 'Events of nobody known since the session began.', 'unattributable'],
    ]
    for (const [name, help, count] of counts) {
      this.#number(`makegood_watch_${name}`, help, ({ detection }) => detection.residents.counts[count])
    }
    this.#number(
      'makegood_watch_resident_subjects',
      'Subjects held in memory.',
      ({ detection }) => detection.residents.size,
    )
    this.#number('makegood_watch_open_subjects', 'Subjects with findings.', ({ detection }) => detection.found.size)
    this.#number(
      'makegood_watch_deadlines',
      'Subjects that time alone may change.',
      ({ detection }) => detection.deadlines.size,
    )
    this.#number(
      'makegood_flow_unanswered',
      'Deliveries begun since the last one that ended.',
      ({ unanswered }) => unanswered,
    )
  }

  #addFindings(): void {
    const labels = ['rule', 'severity', 'disposition', 'age']
    const findings = this.#gauge('makegood_findings', 'Findings that are true now.', labels, () => {
      for (const { finding, age } of this.#open()) {
        const { rule, severity, disposition } = finding
        findings.inc({ rule, severity: String(severity), disposition, age: labelOf(age) })
      }
    })
    const value = this.#gauge(
      'makegood_findings_value_minor',
      'What is at stake with the subjects of findings, in minor units; a subject counts once a rule.',
      ['rule', 'currency', 'age'],
      () => {
        for (const { rule, currency, age, amountMinor } of this.#values()) {
          value.inc({ rule, currency, age }, amountMinor)
        }
      },
    )
    const oldest = this.#gauge('makegood_finding_oldest_seconds', 'Age of the oldest finding.', ['rule'], () => {
      for (const [rule, age] of extremes(this.#open(), ({ age }) => age, Math.max)) oldest.set({ rule }, age / 1000)
    })
    const left = this.#gauge(
      'makegood_finding_time_left_seconds',
      'Time until the first finding can no longer be made good; negative where it is too late.',
      ['rule'],
      () => {
        for (const [rule, time] of extremes(this.#open(), ({ left }) => left, Math.min)) left.set({ rule }, time / 1000)
      },
    )
  }

  #addAlerts(): void {
    const alerts = this.#gauge('makegood_alerts_open', 'Alerts opened and not resolved.', ['rule', 'page'], () => {
      for (const { rule, page } of this.#source.session()?.alerts.all() ?? []) {
        alerts.inc({ rule, page: page === null ? 'no' : 'yes' })
      }
    })
    const backlog = this.#gauge('makegood_webhook_backlog', 'Alerts that wait for the webhook.', [], () => {
      const webhook = this.#source.webhook()
      if (webhook) backlog.set(webhook.backlog)
    })
    const failures = this.#gauge('makegood_webhook_failures', 'Deliveries that failed since the start.', [], () => {
      const webhook = this.#source.webhook()
      if (webhook) failures.set(webhook.failures)
    })
  }

  #addLookups(): void {
    const waiting = this.#gauge(
      'makegood_consumer_backlog',
      'Subjects whose findings wait for the consumer.',
      [],
      () => {
        const consumer = this.#source.consumer?.()
        if (consumer) waiting.set(consumer.backlog)
      },
    )
    const counts: readonly (readonly [string, 'backlog' | 'failures' | 'skipped', string])[] = [
      ['makegood_lookup_backlog', 'backlog', 'Subjects that wait for an answer from outside of the log.'],
      ['makegood_lookup_failures', 'failures', 'Lookups since the start that nobody could answer.'],
      ['makegood_lookup_skipped', 'skipped', 'Subjects since the start that were not asked about: too many waited.'],
    ]
    for (const [name, count, help] of counts) {
      const gauge = this.#gauge(name, help, [], () => {
        const lookups = this.#source.lookups?.()
        if (lookups) gauge.set(lookups[count])
      })
    }
  }

  /** Findings that are true now, with their age and what is left of their time, in milliseconds. */
  *#open(): Iterable<OpenFinding & { readonly age: number | undefined; readonly left: number | undefined }> {
    const session = this.#source.session()
    if (!session) return
    const { now } = session
    for (const found of session.detection.found.values()) {
      for (const open of found) {
        const since = open.finding.since === null ? Number.NaN : Date.parse(open.finding.since)
        const age = Number.isNaN(since) ? undefined : now - since
        yield { ...open, age, left: open.lostAt === undefined ? undefined : open.lostAt - now }
      }
    }
  }

  *#values(): Iterable<{ rule: string; currency: string; age: string; amountMinor: number }> {
    const counted = new Set<string>()
    for (const { finding, value, age } of this.#open()) {
      const once = JSON.stringify([finding.rule, finding.subject])
      if (!value || counted.has(once)) continue
      counted.add(once)
      yield { rule: finding.rule, ...value, age: labelOf(age) }
    }
  }

  #gauge(name: string, help: string, labelNames: string[], fill: () => void): Gauge {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames,
      registers: [this.registry],
      collect: () => {
        gauge.reset()
        fill()
      },
    })
    return gauge
  }

  /** A number of the session; no sample while there is no session, or no number. */
  #number(name: string, help: string, of: (session: Session) => number | undefined): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [this.registry],
      collect: () => {
        const session = this.#source.session()
        const value = session && of(session)
        if (value === undefined) gauge.remove()
        else gauge.set(value)
      },
    })
  }
}

function labelOf(age: number | undefined): string {
  return age === undefined ? 'unknown' : (AGES.find(([, below]) => age < below)?.[0] ?? 'older')
}

/** The largest or smallest number of each rule's findings. */
function extremes<T extends OpenFinding>(
  open: Iterable<T>,
  of: (one: T) => number | undefined,
  choose: (a: number, b: number) => number,
): Map<string, number> {
  const chosen = new Map<string, number>()
  for (const one of open) {
    const number = of(one)
    if (number === undefined) continue
    const { rule } = one.finding
    chosen.set(rule, choose(number, chosen.get(rule) ?? number))
  }
  return chosen
}
