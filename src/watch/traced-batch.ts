// What a watch's traces tell beside its own steps: when the events at hand came, and which traces the events of a subject were of, the last one of
// each, for the subjects seen last. Where nobody listens it does nothing.
import type { RecordedEvent } from '../log/event.js'
import { NO_TRACING, type TraceContext, type Tracing, traceContextIn } from '../log/tracing.js'

const SUBJECTS_MAX = 10_000
/** A span links to at most so many. */
const LINKS_MAX = 32

export class TracedBatch {
  readonly tracing: Tracing
  readonly #causes = new Map<string, TraceContext>()
  #events = 0
  #startedAt = 0

  constructor(tracing: Tracing = NO_TRACING) {
    this.tracing = tracing
  }

  /** So many events have come together; none: a moment has come. */
  begin(events: number): void {
    this.#events = events
    this.#startedAt = this.tracing.now()
  }

  /** Takes in an event of a subject. */
  note(subject: string, { metadata }: RecordedEvent): void {
    const context = this.tracing.isOn ? traceContextIn(metadata) : undefined
    if (!context) return
    // The one noted last stands at the end.
    this.#causes.delete(subject)
    this.#causes.set(subject, context)
    const [first] = this.#causes.keys()
    if (first !== undefined && this.#causes.size > SUBJECTS_MAX) this.#causes.delete(first)
  }

  /** Publishes alerts within spans: one for the batch since it came, within it one for the publishing. */
  publish<T>(watch: string, alerts: readonly { subject: string | null; rule: string }[], work: () => Promise<T>) {
    if (!this.tracing.isOn) return work()
    const rules = [...new Set(alerts.map(({ rule }) => rule))]
    const attributes = { watch, alerts: alerts.length, rules }
    const links = this.#causesOf(alerts.map(({ subject }) => subject))
    const batch = {
      parent: null,
      startedAt: this.#startedAt,
      links,
      attributes: { ...attributes, events: this.#events },
    }
    return this.tracing.inSpan('watch.batch', batch, () =>
      this.tracing.inSpan('alert.publish', { attributes }, () => work()),
    )
  }

  #causesOf(subjects: Iterable<string | null>): TraceContext[] {
    const known = [...new Set(subjects)].flatMap((subject) =>
      subject === null ? [] : (this.#causes.get(subject) ?? []),
    )
    return known.slice(0, LINKS_MAX)
  }
}
