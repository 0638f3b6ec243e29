// What there is to know of a group at a moment.
import type { GroupDefinition } from './group-definition.js'

export type GroupStatus = 'NotReady' | 'Behind' | 'Live' | 'ReplayingParkedMessages'

export interface ConsumerInfo {
  /** Who: a user's login. */
  readonly username: string
  /** What the client calls its connection. */
  readonly connectionName: string
  /** Events given to it, those given again included. */
  readonly given: number
  /** Given since somebody asked last. */
  readonly givenSince: number
  readonly givenPerSecond: number
  readonly freeSlots: number
  readonly inFlight: number
  /** How long it took to answer, where the group keeps that. */
  readonly latencies: readonly LatencyInfo[]
}

export interface LatencyInfo {
  readonly name: string
  readonly ms: number
}

export interface GroupInfo {
  readonly definition: GroupDefinition
  readonly status: GroupStatus
  readonly consumers: readonly ConsumerInfo[]
  readonly given: number
  readonly givenSince: number
  readonly givenPerSecond: number
  /** Read and never given. */
  readonly waiting: number
  /** To be given again. */
  readonly waitingAgain: number
  /** Events that came live, up to the size of the live buffer: a real server keeps that many. */
  readonly recentlyLive: number
  readonly inFlight: number
  readonly parked: number
  /** Places; empty where there is none. */
  readonly lastCheckpoint: string
  readonly lastRead: string
}
