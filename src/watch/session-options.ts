// What a session is given, and what comes of its inputs.
import type { MemoryLimit } from '../engine/partitioned-log.js'
import type { Projection } from '../engine/projection.js'
import type { EventStore } from '../log/event-store.js'
import type { Tracing } from '../log/tracing.js'
import type { AlertRecord } from './alert.js'
import type { Consumer } from './consumer.js'
import type { WatchSource } from './detection.js'
import type { LiveLookups } from './live-lookups.js'
import type { OutagePolicy } from './outages.js'
import type { OwnCondition } from './own-alerts.js'
import type { WatchState } from './watch-state.js'

export type WatchStep = 'alerts-written' | 'told' | 'keys-written' | 'saved'

export interface SessionOptions {
  readonly store: EventStore
  readonly projection: Projection
  /** The name of the watch: its checkpoint, its lease and its alerts bear it. */
  readonly name: string
  /** Left out: the projection's own events. */
  readonly source?: WatchSource
  readonly newId: () => string
  /** What rules take for the present, in milliseconds since the Unix epoch. */
  readonly clock: () => number
  readonly fromStart?: boolean
  readonly residentsMax?: number
  /** What the first reading of a log may take of memory; left out: all that it needs. */
  readonly memory?: MemoryLimit
  readonly outage: OutagePolicy
  /** An own lag of this long is an alarm of its own. */
  readonly lagAlarmMs: number
  /** Told of each change of an alert, at least once. */
  readonly onAlert: (record: AlertRecord) => void
  /** Told of what was written to the alert streams. */
  readonly onWritten?: (records: readonly AlertRecord[]) => void
  /** Why repairing by policy has stopped; undefined where it has not, or there is none. */
  readonly repairStopped?: () => OwnCondition | undefined
  readonly onState?: (state: WatchState) => void
  /** How long a delivery took that an event told of while the watch was live, in milliseconds. */
  readonly onDelivery?: (tookMs: number) => void
  /** Who outside of the log is asked about subjects; left out: nobody. */
  readonly lookups?: LiveLookups
  /** The consumer that delivers; left out: nothing is known of it. */
  readonly consumer?: Consumer
  readonly tracing?: Tracing
  /** Named steps, for tests of what a kill leaves behind. */
  readonly onStep?: ((step: WatchStep) => Promise<void>) | undefined
}

/** What an input leads to: `on`, or the session's end. `taken`: another process watches under this name. */
export type Outcome = 'on' | 'drained' | 'taken'
