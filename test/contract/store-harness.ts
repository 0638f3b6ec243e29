// What a home hands to the contract suite.
import type { EventReader, EventStore } from '../../src/log/event-store.js'

/** A store under test. */
export interface StoreHarness {
  readonly store: EventStore
  /** Where the home outlives its process: closes the store and opens the same log again, in the harness too. */
  reopen?(): Promise<void>
  dispose(): Promise<void>
}

export type MakeStore = () => Promise<StoreHarness>

/** An event that the log of a reading harness is known to hold. */
export interface LoggedEvent {
  readonly stream: string
  readonly revision: number
  readonly id: string
  readonly type: string
  readonly data: Uint8Array
}

/** A log that is only read. */
export interface ReadingHarness {
  readonly reader: EventReader
  /** In the order of the log: three streams at least, interleaved, one of five events or more, each from revision 0. */
  readonly logged: readonly LoggedEvent[]
  dispose(): Promise<void>
}

export type MakeReading = () => Promise<ReadingHarness>
