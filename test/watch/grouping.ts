// Members of a group in the test's own event loop, each with a connection of its own to a server, and a clock that the test moves.
import { randomUUID } from 'node:crypto'
import { onTestFinished } from 'vitest'
import type { ConsumerGroups } from '../../src/log/consumer-group.js'
import { groupsOf } from '../../src/log/consumer-group.js'
import type { EventStore } from '../../src/log/event-store.js'
import { openEventStoreDbStore } from '../../src/stores/eventstoredb/eventstoredb-store.js'
import type { AlertRecord } from '../../src/watch/alert.js'
import { type GroupOptions, watchInGroup } from '../../src/watch/group.js'
import type { GroupWorker } from '../../src/watch/group-worker.js'
import type { Session } from '../../src/watch/session.js'
import { liveAirline } from './live-airline.js'
import { type TestClock, until } from './watching.js'

/** The groups of a store over the wire. */
export function groups(store: EventStore): ConsumerGroups {
  const found = groupsOf(store)
  if (!found) throw new Error('the store has no groups')
  return found
}

/** One process of a group, as far as one event loop can be one. */
export class Member {
  readonly told: AlertRecord[] = []
  readonly troubles: Error[] = []
  worker: GroupWorker | undefined
  session: Session | undefined
  /** Why it ended early; undefined where it did not. */
  failure: unknown
  isOver = false
  readonly done: Promise<void>
  readonly #end = new AbortController()

  private constructor(store: EventStore, clock: TestClock, options: Partial<GroupOptions>) {
    this.done = watchInGroup({
      store,
      groups: groups(store),
      group: 'ops',
      projection: liveAirline,
      newId: randomUUID,
      clock: clock.read,
      wallClock: Date.now,
      outage: { findingsMax: 1_000, windowMs: 600_000 },
      lagAlarmMs: 3_600_000_000,
      checkpointMs: 20,
      remindMs: 3_600_000,
      retryMs: 1,
      heartbeatMs: 5,
      holder: randomUUID(),
      leaseSilenceMs: 250,
      steadyClock: () => performance.now(),
      signal: this.#end.signal,
      onAlert: (record) => this.told.push(record),
      onStandby: () => {},
      onTrouble: (error) => this.troubles.push(error),
      onWorker: (worker) => {
        this.worker = worker
      },
      onSession: (session) => {
        this.session = session
      },
      ...options,
    })
      .catch((error: unknown) => {
        this.failure = error
      })
      .finally(async () => {
        this.isOver = true
        await store.close()
      })
    onTestFinished(() => this.#leave())
  }

  static async join(connectionString: string, clock: TestClock, options: Partial<GroupOptions> = {}): Promise<Member> {
    const store = await openEventStoreDbStore({ connectionString, outageMsMax: 5_000 })
    return new Member(store, clock, options)
  }

  /** Waits until it is a consumer. */
  async joined(): Promise<void> {
    await until(
      () => this.worker?.joined === true || this.isOver,
      () => `a member; ${String(this.failure)}`,
    )
  }

  /** Ends it as Ctrl-C does. Throws what ended it before. */
  async drain(): Promise<void> {
    await this.#leave()
    if (this.failure) throw this.failure
  }

  async #leave(): Promise<void> {
    this.#end.abort()
    await this.done
  }
}
