// A watch in the test's own event loop, with a clock that the test moves, and what its alert streams say in the end.
import { randomUUID } from 'node:crypto'
import { resolveCut } from '../../src/engine/cut.js'
import { replay } from '../../src/engine/replay.js'
import type { EventStore } from '../../src/log/event-store.js'
import { ALERT_CATEGORY, type AlertRecord, alertRecordIn, OWN_RULES } from '../../src/watch/alert.js'
import type { Session } from '../../src/watch/session.js'
import { type WatchOptions, watch } from '../../src/watch/watch.js'
import type { WatchState } from '../../src/watch/watch-state.js'
import { eventsOfLog } from '../controls/events.js'
import { liveAirline, NOW } from './live-airline.js'

/** The present of a test; it stands still until it is moved. */
export class TestClock {
  now = NOW
  readonly read = () => this.now
}

/** A running watch and what it has said. */
export class Watching {
  readonly told: AlertRecord[] = []
  readonly states: WatchState[] = []
  readonly standbys: string[] = []
  readonly troubles: Error[] = []
  readonly done: Promise<void>
  session: Session | undefined
  /** Why it ended early; undefined where it did not. */
  failure: unknown
  readonly #end = new AbortController()

  constructor(store: EventStore, clock: TestClock, options: Partial<WatchOptions> = {}) {
    this.done = watch({
      store,
      projection: liveAirline,
      name: 'w',
      newId: randomUUID,
      clock: clock.read,
      outage: { findingsMax: 1_000, windowMs: 600_000 },
      lagAlarmMs: 3_600_000_000,
      checkpointMs: 10,
      remindMs: 3_600_000,
      retryMs: 1,
      heartbeatMs: 5,
      holder: randomUUID(),
      leaseSilenceMs: 250,
      steadyClock: () => performance.now(),
      signal: this.#end.signal,
      onAlert: (record) => this.told.push(record),
      onState: (state) => this.states.push(state),
      onStandby: (holder) => this.standbys.push(holder),
      onTrouble: (error) => this.troubles.push(error),
      ...options,
      onSession: (session) => {
        if (session) this.session = session
        options.onSession?.(session)
      },
    }).catch((error: unknown) => {
      this.failure = error
    })
  }

  /** Ends it as Ctrl-C does. Throws what ended it before. */
  async drain(): Promise<void> {
    this.#end.abort()
    await this.done
    if (this.failure) throw this.failure
  }
}

/** Waits until something holds; throws what it was waiting for after some seconds. */
export async function until(holds: () => boolean | Promise<boolean>, what: string | (() => string)): Promise<void> {
  for (const start = performance.now(); performance.now() - start < 20_000; ) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error(`waited in vain: ${typeof what === 'string' ? what : what()}`)
}

/** All records of all alert streams, in the log's order. */
export async function alertRecords(store: EventStore): Promise<AlertRecord[]> {
  const events = await eventsOfLog(store, { filter: { streamPrefixes: [`${ALERT_CATEGORY}-`] } })
  return events.map(alertRecordIn)
}

/** Ids of the alerts that the streams say are open, but for those of the watch's own rules. */
export function openIn(records: readonly AlertRecord[]): string[] {
  const own = new Set<string>(Object.values(OWN_RULES))
  const open = new Set<string>()
  for (const { id, rule, change } of records) {
    if (own.has(rule)) continue
    if (change === 'resolved') open.delete(id)
    else open.add(id)
  }
  return [...open].sort()
}

/** What is wrong with the streams: an alert opened that was open, resolved that was not. */
export function breachesIn(records: readonly AlertRecord[]): string[] {
  const open = new Set<string>()
  return records.flatMap(({ id, rule, change }) => {
    const isOpen = open.has(id)
    if (change === 'opened') open.add(id)
    if (change === 'resolved') open.delete(id)
    const isRight = change === 'opened' ? !isOpen : isOpen
    return isRight ? [] : [`${rule} ${id} ${change} while ${isOpen ? 'open' : 'not open'}`]
  })
}

/** Ids of the findings that should be alerts, by a replay of the whole log. */
export async function expectedOpen(store: EventStore, now: number): Promise<string[]> {
  const cut = await resolveCut(store, { kind: 'head' }, now)
  const { findings } = await replay(store, liveAirline, { now, ...(cut && { cut }) })
  return [...new Set(findings.filter(({ disposition }) => disposition !== 'observe').map(({ id }) => id))].sort()
}
