// What a group tells of itself: what was counted while it worked, and how it stands to its source at the moment of asking.
import type { EventStore } from '../../log/event-store.js'
import { endOfLog } from '../streams/end-of-log.js'
import { ALL_STREAM, type GroupDefinition, type GroupSettings } from './group-definition.js'
import type { ConsumerInfo, GroupInfo, GroupStatus } from './group-info.js'
import type { SourceEvent, SourceStep } from './group-source.js'
import type { GroupState } from './group-state.js'
import type { ConsumerState } from './group-steps.js'
import { Latencies } from './latencies.js'
import { isUpTo, placeOfPosition, placeOfRevision, positionAt, revisionAt } from './places.js'
import { Rate } from './rate.js'

/** A consumer that does not answer must not make its measurements grow without end. */
const UNANSWERED_MAX = 10_000

interface Measured {
  readonly rate: Rate
  readonly latencies: Latencies
  /** When the events that it holds were given to it, by their ids. */
  readonly givenMs: Map<string, number>
}

/** What the description of a group is made of. */
export interface GroupMoment {
  readonly definition: GroupDefinition
  readonly store: EventStore
  readonly state: GroupState<SourceEvent>
  readonly consumers: ReadonlyMap<string, { readonly username: string; readonly connectionName: string }>
  readonly isReplaying: boolean
  readonly parked: number
  readonly lastCheckpoint: string
  /** As far as the source was read. */
  readonly readTo: string | undefined
}

export class GroupStatistics {
  readonly #settings: GroupSettings
  readonly #rate: Rate
  readonly #consumers = new Map<string, Measured>()
  #reading = false
  #caughtUp = false
  #lastRead = ''
  #live = 0

  constructor(settings: GroupSettings, nowMs: number) {
    this.#settings = settings
    this.#rate = new Rate(nowMs)
  }

  joined(consumer: string, nowMs: number): void {
    this.#reading = true
    this.#consumers.set(consumer, { rate: new Rate(nowMs), latencies: new Latencies(), givenMs: new Map() })
  }

  left(consumer: string): void {
    this.#consumers.delete(consumer)
  }

  read(step: SourceStep): void {
    if (step.kind === 'caughtUp') this.#caughtUp = true
    if (step.kind !== 'read') return
    this.#lastRead = step.events.at(-1)?.place ?? this.#lastRead
    if (this.#caughtUp) this.#live += step.events.length
  }

  given(consumer: string, id: string, nowMs: number): void {
    if (!this.#settings.extraStatistics) return
    const givenMs = this.#consumers.get(consumer)?.givenMs
    if (givenMs && givenMs.size >= UNANSWERED_MAX) givenMs.clear()
    givenMs?.set(id, nowMs)
  }

  answered(consumer: string, ids: readonly string[], nowMs: number): void {
    const measured = this.#consumers.get(consumer)
    if (!measured || measured.givenMs.size === 0) return
    for (const id of ids) {
      const givenMs = measured.givenMs.get(id)
      if (givenMs === undefined) continue
      measured.givenMs.delete(id)
      measured.latencies.add(nowMs - givenMs)
    }
  }

  async describe(moment: GroupMoment): Promise<GroupInfo> {
    const { definition, state, parked, lastCheckpoint } = moment
    const head = await headOf(moment)
    const { given, fresh, again, inFlight } = state.counts
    const { since, perSecond } = this.#rate.read(given, performance.now())
    return {
      definition,
      status: await this.#statusOf(moment, head),
      consumers: [...state.consumers].map((consumer) => this.#consumerInfo(consumer, moment)),
      given,
      givenSince: since,
      givenPerSecond: perSecond,
      waiting: fresh,
      waitingAgain: again,
      recentlyLive: Math.min(this.#live, Math.max(0, this.#settings.liveBufferSize)),
      inFlight,
      parked,
      lastCheckpoint,
      // Of a filtered log nobody knows the last event that is wanted, but for the last one that was read.
      lastRead: definition.filter ? this.#lastRead : head || this.#lastRead,
    }
  }

  #consumerInfo(consumer: ConsumerState, { consumers }: GroupMoment): ConsumerInfo {
    const measured = this.#consumers.get(consumer.id)
    const { since = 0, perSecond = 0 } = measured?.rate.read(consumer.given, performance.now()) ?? {}
    return {
      username: consumers.get(consumer.id)?.username ?? '',
      connectionName: consumers.get(consumer.id)?.connectionName ?? '',
      given: consumer.given,
      givenSince: since,
      givenPerSecond: perSecond,
      freeSlots: Math.max(0, consumer.slots - consumer.inFlight),
      inFlight: consumer.inFlight,
      latencies: measured?.latencies.describe() ?? [],
    }
  }

  async #statusOf(moment: GroupMoment, head: string): Promise<GroupStatus> {
    if (moment.isReplaying) return 'ReplayingParkedMessages'
    const isLive = this.#reading ? this.#caughtUp && moment.state.wantsMore : await couldBeLive(moment, head)
    return isLive ? 'Live' : 'Behind'
  }
}

/** Whether all that is not read yet would find room. Without a consumer nothing is read; a real server would have read it. */
async function couldBeLive({ definition, store, readTo }: GroupMoment, head: string): Promise<boolean> {
  const { source, settings } = definition
  if (head === '' || isUpTo(head, readTo ?? '')) return true
  if (source !== ALL_STREAM)
    return (revisionAt(head) ?? 0) - (revisionAt(readTo ?? '') ?? -1) < settings.historyBufferSize
  let unread = 0
  const options = {
    from: positionAt(readTo ?? '') ?? 'start',
    maxCount: Math.max(0, settings.historyBufferSize),
  } as const
  for await (const { events } of store.readAll(options)) unread += events.length
  return unread < settings.historyBufferSize
}

/** The last place of the source; empty where there is none. */
async function headOf({ definition, store }: GroupMoment): Promise<string> {
  if (definition.source === ALL_STREAM) {
    const end = await endOfLog(store)
    return end ? placeOfPosition(end) : ''
  }
  const read = await store.readStream(definition.source, { direction: 'backwards', maxCount: 1 })
  if (read.kind !== 'found') return ''
  for await (const [last] of read.events) return last ? placeOfRevision(last.revision) : ''
  return ''
}
