// The two sides of taking part in a group: who takes events, and what they can do for that.
import type { Sent } from '../streams/event-encoder.js'
import type { NackAction } from './group-steps.js'

/** Somebody who takes events of a group. */
export interface GroupConsumer {
  readonly username: string
  readonly connectionName: string
  /** How many events it wants to hold at a time. */
  readonly slots: number
  give(sent: Sent): void
  /** The group is over for it. */
  drop(reason: Error): void
}

/** What a consumer does in its group. All of it is without effect once it has left. */
export interface Membership {
  /** It is given nothing before it was ready, and while it is held. */
  ready(): void
  held(): void
  ack(ids: readonly string[]): void
  nack(ids: readonly string[], answer: { readonly action: NackAction; readonly reason: string }): void
  leave(): void
}
