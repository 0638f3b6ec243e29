// What a group is: its name, what it reads, from where on, and its settings.
import { z } from 'zod'
import { describedBy } from '../../log/stream.js'
import { STRATEGY_NAMES } from './strategies.js'

/** The log's name where streams are named. */
export const ALL_STREAM = '$all'

export interface GroupName {
  /** A stream, or `$all`. */
  readonly source: string
  readonly group: string
}

const SETTINGS = z.object({
  resolveLinks: z.boolean(),
  extraStatistics: z.boolean(),
  messageTimeoutMs: z.number(),
  maxRetryCount: z.number(),
  checkpointAfterMs: z.number(),
  checkpointAtLeast: z.number(),
  checkpointAtMost: z.number(),
  /** 0 or less: any number. */
  maxSubscriberCount: z.number(),
  liveBufferSize: z.number(),
  readBatchSize: z.number(),
  historyBufferSize: z.number(),
  strategy: z.enum(STRATEGY_NAMES),
})

/** Which events of `$all` a group wants, in the words of the protocol. */
const FILTER = z.object({
  on: z.enum(['stream', 'type']),
  /** Empty: the prefixes count. */
  regex: z.string(),
  prefixes: z.array(z.string()),
})

/** A group as it is kept in the log. */
export const GROUP_DEFINITION = z.object({
  source: z.string(),
  group: z.string(),
  filter: FILTER.optional(),
  settings: SETTINGS,
  /** As the client gave it, and is told it: see places.ts. */
  startFrom: z.string(),
  /** What that meant when it was given: the place after which the group begins; without it at the start. */
  startAfter: z.string().optional(),
})

export type GroupSettings = z.infer<typeof SETTINGS>
export type GroupFilter = z.infer<typeof FILTER>
export type GroupDefinition = z.infer<typeof GROUP_DEFINITION>

/** `payment-42::clerks`: groups that agree in it share their streams, so there is only one of them. */
export function keyOf({ source, group }: GroupName): string {
  return `${source}::${group}`
}

/** Where a group keeps how far it has come. */
export function checkpointStreamOf(name: GroupName): string {
  return `${STATE_PREFIX}${keyOf(name)}-checkpoint`
}

/** Where a group keeps what its consumers could not deal with. */
export function parkedStreamOf(name: GroupName): string {
  return `${STATE_PREFIX}${keyOf(name)}-parked`
}

/** Whether a stream, or the one that it describes, is where groups are kept. */
export function isOfGroups(stream: string): boolean {
  const subject = describedBy(stream) ?? stream
  return stream === CONFIG_STREAM || subject.startsWith(STATE_PREFIX)
}

/** Which groups there are. */
export const CONFIG_STREAM = '$persistentSubscriptionConfig'
const STATE_PREFIX = '$persistentsubscription-'
